# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.
"""Which requests the policies allow, by project and by role."""

import pathlib
from typing import Any

import fixtures
from trove.common import api as trove_api

from tests.functional import base
from tests.functional import cloud as clouds
from tests import requests

#: Of all routes of Trove that name an instance or a cluster: those that a
#: request of this plugin must not change.
_SUBJECTS = ('instances/{id}', 'instances/{instance_id}', 'clusters/{id}',
             'clusters/{cluster_id}')


class PoliciesTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        created = self.create()
        self.assertEqual(200, created.status_int, created.text)
        self.cluster_id = created.json['cluster']['id']
        self.wait_for_task(self.cluster_id)
        self.member_id = self.instance_rows(self.cluster_id)[0].id
        self.before = self.state()

    def state(self) -> Any:
        """Everything that a request may change: rows, cloud, servers."""
        shown = self.show(self.cluster_id)
        shown.pop('updated')
        return shown, list(self.galera.events), len(self.cloud.servers), [
            (row.name, row.task_status, row.deleted)
            for row in self.instance_rows(self.cluster_id)]

    def check(self, codes: tuple[int, ...], asked: requests.Request,
              **who: str) -> str:
        method, path, body = asked
        answer = self.request(method, path, body, **who)
        self.assertIn(answer.status_int, codes,
                      f'{method} {path} {body}: {answer.text}')
        return str(answer.text)

    def changes(self) -> list[requests.Request]:
        return requests.changes(
            self.cluster_id, self.member_id, clouds.NETWORK)

    def readings(self) -> list[requests.Request]:
        return requests.readings(self.cluster_id, self.member_id)

    def test_another_project_finds_nothing(self) -> None:
        for asked in [*self.readings(), *self.changes()]:
            for role in ('member', 'reader'):
                # Trove refuses some actions for every cluster.
                text = self.check((404, 400) if asked[1].endswith('/log')
                                  else (404,), asked, project='other',
                                  role=role)
                self.assertNotIn('products', text)
        self.assertEqual(self.before, self.state())

    def test_a_reader_cannot_change_anything(self) -> None:
        for asked in self.changes():
            text = self.check((403,), asked, role='reader')
            self.assertIn("Policy doesn't allow", text)
        self.assertEqual(self.before, self.state())

    def test_a_reader_can_read_what_a_member_can(self) -> None:
        for asked in self.readings():
            answers = {self.request(*asked, role=role).text
                       for role in ('reader', 'member')}
            self.assertEqual(1, len(answers), answers)
            self.check((200,), asked, role='reader')

    def test_no_route_of_trove_changes_a_member_without_permission(
            self) -> None:
        """This includes routes that this plugin does not know."""
        tried = 0
        for route in trove_api.API().map.matchlist:
            found = [one for one in _SUBJECTS if one in route.routepath]
            methods = (route.conditions or {}).get('method', ['DELETE'])
            if not found or methods == ['GET']:
                continue
            subject, name = found[0].split('/')
            path = route.routepath.removeprefix('/{tenant_id}')
            path = path.replace(
                name, self.member_id if subject == 'instances'
                else self.cluster_id, 1)
            if subject == 'clusters' and methods == ['POST']:
                continue   # A request without an action is invalid.
            for method in methods:
                tried += 1
                self.check((403,), (method, path, {}), role='reader')
        self.assertGreater(tried, 8)
        self.assertEqual(self.before, self.state())

    def test_no_spelling_of_a_path_bypasses_the_policy(self) -> None:
        """The filter rewrites paths with names before it checks the policy."""
        self.request('POST', f'/instances/{self.member_id}/users', {
            'users': [{'name': 'joe', 'password': 'before'}]})
        users = repr(self.galera.server.users)
        here = f'/instances/{self.member_id}'
        password = {'user': {'password': 'after'}}
        more = {'users': [{'name': 'jim', 'password': 'after'}]}
        for who in ({'role': 'reader'}, {'project': 'other'}):
            for method, path, body in (
                    *(('PUT', f'{start}{middle}{end}', password)
                      for start in (here, f'/{here}', here + '.json', here
                                    + '%2Ejson', here + '%00', here + ';a',
                                    here + '/.', here + '%2F%2E', '/x/..'
                                    + here, '/..' + here)
                      for middle in ('/users/', '%2Fusers%2F', '//users/',
                                     '/%75sers/', '/users.json/',
                                     '/users;a/', '/users%2f')
                      for end in ('joe', 'joe/', '/joe', 'joe%2F', 'joe.json',
                                  'joe?_method=PUT', '%6Aoe')),
                    ('GET', f'{here}/users/joe?_method=DELETE', None),
                    ('GET', f'{here}/users/joe?%5Fmethod=DELETE', None),
                    ('GET', f'{here}/users/joe?a=_method&_method=PUT',
                     password),
                    ('POST', f'{here}/users?_method=GET', more),
                    ('POST', f'{here}/users.json', more),
                    ('POST', f'{here}/users/', more),
                    ('POST', f'{here}%2Fusers', more),
                    ('POST', f'{here}.json/users', more),
                    ('DELETE', f'{here}/users/joe/databases/x', None),
                    ('DELETE', f'{here}/users/joe%2Fdatabases%2Fx', None)):
                answer = self.request(method, path, body, **who)
                if method != 'GET':
                    self.assertIn(answer.status_int, (400, 403, 404, 405),
                                  f'{method} {path}: {answer.text}')
                self.assertEqual(users, repr(self.galera.server.users), path)
        self.assertIn('before', users)

    def test_a_reader_cannot_create(self) -> None:
        for changes in ({}, {'locality': 'affinity'}):
            answer = self.request('POST', '/clusters', {'cluster': {
                'name': 'more', 'datastore': {
                    'type': 'mariadb', 'version': '10.11'},
                'instances': [{
                    'flavorRef': '1', 'volume': {'size': 1},
                    'nics': [{'network_id': clouds.NETWORK}]}] * 3,
                **changes}}, role='reader')
            self.assertEqual(403, answer.status_int, answer.text)
            self.assertIn('galera:create', answer.text)
        self.assertEqual({}, self.cloud.server_groups)
        self.assertEqual(self.before, self.state())

    def test_rules_of_the_operator_apply(self) -> None:
        """A rule may grant a right, and a rule may remove it."""
        restart = ('POST', f'/clusters/{self.cluster_id}', {'restart': None})
        self.rule('galera:restart', 'role:dba')
        self.assertIn('galera:restart', self.check((403,), restart))
        self.check((202,), restart, role='dba')
        self.wait_for_task(self.cluster_id)

    def test_members_and_health_follow_show(self) -> None:
        self.rule('cluster:show', 'role:auditor')
        for what in ('members', 'health'):
            asked = ('GET', f'/clusters/{self.cluster_id}/{what}', None)
            self.check((403,), asked)
            self.check((200,), asked, role='auditor')

    def rule(self, name: str, check: str) -> None:
        """Set a rule as if it was in policy.yaml."""
        file = pathlib.Path(self.useFixture(fixtures.TempDir()).path,
                            'policy.yaml')
        file.write_text(f'"{name}": "{check}"\n')
        self.override('policy_file', str(file), 'oslo_policy')
        # Trove creates a new enforcer when it has none.
        self.useFixture(fixtures.MonkeyPatch(
            'trove.common.policy._ENFORCER', None))
