# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.
"""Projects and roles, in a lab with a real Keystone.

One project can neither see nor change another's cluster, and a reader can
only read the clusters of its own project: "tox -e e2e-keystone".
"""

import json
from pathlib import Path
from typing import Any
import urllib.request

from lab import api
from lab import home as lab_home
from lab import identity
from lab import netns
from lab import web
from tests.e2e import case
from tests.e2e import laboratory
from tests import requests

NAME = 'tenants'
MEMBERS = tuple(f'{NAME}-{number}' for number in (1, 2, 3))
#: Users of another project, by role.
STRANGERS = ('other', 'other-reader')
PATIENCE = 60
#: Trove first searches the object store, which the lab does not have.
NO_SWIFT = 401


class TestTenants(case.TestCase):
    """All tests share a cluster of the project demo; none changes it."""

    home: lab_home.Home
    cluster_id: str
    ids: list[str]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = laboratory.home()
        cls.cluster_id = laboratory.create_cluster(NAME)
        cls.addClassCleanup(laboratory.delete_cluster, cls.cluster_id,
                            timeout=60)
        cluster = laboratory.wait_ready(cls.cluster_id)
        laboratory.wait_agreement(MEMBERS)
        cls.ids = [member['id'] for member in cluster['instances']]
        cls.addresses = cluster['ip']
        for path, body in (
                ('databases', {'databases': [{'name': 'secret_shop'}]}),
                ('users', {'users': [{
                    'name': 'secret_keeper', 'password': 'a-Pass-word-1',
                    'databases': [{'name': 'secret_shop'}]}]})):
            cls.ask('POST', f'/instances/{cls.ids[0]}/{path}', body)

    def setUp(self):
        super().setUp()
        self.before = self.state()
        self.uptimes = {name: laboratory.uptime(name) for name in MEMBERS}

    @classmethod
    def ask(cls, method: str, path: str, body: Any = None,
            who: str = 'demo') -> tuple[int, str]:
        """Status code and text of Trove's answer."""
        return answer(api.request(cls.home, method, path, body, who))

    def state(self) -> Any:
        """Everything that a request may change."""
        cluster = api.cluster(self.home, self.cluster_id)
        for volatile in ('updated', 'created'):
            cluster.pop(volatile)
        return cluster, [self.ask('GET', f'/instances/{one}/{what}')
                         for one in self.ids
                         for what in ('users', 'databases', 'root')]

    def check_unchanged(self) -> None:
        self.assertEqual(self.before, self.state())
        laboratory.wait_agreement(MEMBERS)
        for name in MEMBERS:
            self.assertGreaterEqual(
                laboratory.uptime(name), self.uptimes[name])

    def readings(self) -> list[requests.Request]:
        return requests.readings(self.cluster_id, self.ids[1])

    def changes(self) -> list[requests.Request]:
        return requests.changes(
            self.cluster_id, self.ids[1], laboratory.NETWORK)

    def check_tells_nothing(self, text: str) -> None:
        for secret in (NAME, 'secret_', *self.addresses):
            self.assertNotIn(secret, text)

    def test_another_project_finds_nothing(self):
        for who in STRANGERS:
            for method, path, body in [*self.readings(), *self.changes()]:
                code, text = self.ask(method, path, body, who)
                self.assertIn(
                    code, (404, NO_SWIFT) if path.endswith('/log')
                    else (404,), f'{who}: {method} {path}: {text}')
                self.check_tells_nothing(text)
        self.check_unchanged()

    def test_another_project_lists_nothing(self):
        for who in STRANGERS:
            for path in ('/clusters', f'/clusters?marker={self.cluster_id}',
                         '/clusters?limit=100', '/instances',
                         '/instances?include_clustered=True',
                         '/instances/detail?include_clustered=True'):
                code, text = self.ask('GET', path, who=who)
                self.assertEqual(200, code, text)
                (listed,) = (value for key, value in json.loads(text).items()
                             if key in ('clusters', 'instances'))
                self.assertEqual([], listed)

    def test_another_project_cannot_use_resources_of_a_member(self):
        """A replica, a backup or a cluster made from those of a member."""
        for path, body in (
                ('/instances', {'instance': {
                    'name': 'copy', 'replica_of': self.ids[0],
                    'nics': [{'net-id': laboratory.NETWORK}]}}),
                ('/backups', {'backup': {
                    'name': 'copy', 'instance': self.ids[0]}})):
            code, text = self.ask('POST', path, body, 'other')
            self.assertIn(code, (400, 404, NO_SWIFT), text)
            self.check_tells_nothing(text)
        self.assertEqual('{"instances": []}',
                         self.ask('GET', '/instances', who='other')[1])
        self.check_unchanged()

    def test_token_gives_no_access_to_another_project(self):
        """Neither by the URL nor by headers that Keystone sets."""
        token, project = identity.login(self.home, 'other')
        ours = identity.login(self.home, 'demo').project_id
        for headers, code in (
                ({}, 401), ({'X-Auth-Token': 'made-up'}, 401),
                ({'X-Auth-Token': token}, 403),
                ({'X-Auth-Token': token, 'X-Project-Id': ours,
                  'X-Tenant-Id': ours, 'X-Role': 'admin',
                  'X-Roles': 'admin'}, 403),
                ({'X-Project-Id': ours, 'X-Tenant-Id': ours,
                  'X-Identity-Status': 'Confirmed', 'X-Role': 'admin',
                  'X-Roles': 'admin'}, 401)):
            for path in ('/clusters', f'/clusters/{self.cluster_id}',
                         f'/clusters/{self.cluster_id}/members',
                         f'/instances/{self.ids[0]}/users'):
                got, text = answer(urllib.request.Request(
                    f'http://127.0.0.1:{self.home.api_port}/v1.0/'
                    f'{ours}{path}', headers=headers))
                self.assertEqual(code, got, f'{headers} {path}: {text}')
                self.check_tells_nothing(text)
        # In the user's own project, forged headers have no effect either.
        got, text = answer(urllib.request.Request(
            f'http://127.0.0.1:{self.home.api_port}/v1.0/{project}'
            f'/clusters/{self.cluster_id}', headers={
                'X-Auth-Token': token, 'X-Role': 'admin',
                'X-Roles': 'admin'}))
        self.assertEqual(404, got, text)

    def test_reader_cannot_change_anything(self):
        for method, path, body in self.changes():
            code, text = self.ask(method, path, body, 'demo-reader')
            self.assertEqual(403, code, f'{method} {path} {body}: {text}')
            self.assertIn("Policy doesn't allow", text)
        self.check_unchanged()

    def test_reader_can_read_what_a_member_can(self):
        for method, path, _ in [('GET', '/clusters', None),
                                *self.readings()]:
            code, text = self.ask(method, path, who='demo-reader')
            self.assertEqual(200, code, text)
            self.assertEqual(self.ask(method, path), (code, text))

    def test_client_of_a_reader_prints_the_policy(self):
        """The ordinary client prints one line, with the rule."""
        reader = ('--as', 'demo-reader', 'database', 'cluster')
        self.assertIn(MEMBERS[2], laboratory.openstack(
            *reader, 'member', 'list', NAME))
        self.assertIn('HEALTHY', laboratory.openstack(
            *reader, 'health', 'show', NAME))
        for rule, words in (
                ('restart', ('restart', NAME)),
                ('recover', ('recover', NAME)),
                ('shrink', ('shrink', NAME, self.ids[0])),
                ('resize', ('resize', 'flavor', NAME, '3')),
                ('delete', ('delete', NAME)),
                ('create', ('create', 'more', 'mariadb', '10.11', *(
                    ['--instance', laboratory.member_option()] * 3)))):
            refused = self.assertRaises(
                laboratory.Refused, laboratory.openstack, *reader, *words)
            self.assertIn(f'galera:{rule}', str(refused))
            self.assertNotIn('Traceback', str(refused))
        self.check_unchanged()

    def test_client_of_another_project_finds_nothing(self):
        for words in (('show', NAME), ('show', self.cluster_id),
                      ('member', 'list', self.cluster_id),
                      ('restart', self.cluster_id),
                      ('delete', self.cluster_id)):
            refused = self.assertRaises(
                laboratory.Refused, laboratory.openstack, '--as', 'other',
                'database', 'cluster', *words)
            self.assertNotIn('Traceback', str(refused))
        self.check_unchanged()

    def test_management_is_for_administrators(self):
        project = identity.login(self.home, 'demo').project_id
        for method, path, body in (
                ('GET', '/mgmt/clusters', None),
                ('GET', f'/mgmt/clusters/{self.cluster_id}', None),
                ('POST', f'/mgmt/clusters/{self.cluster_id}/action',
                 {'reset-task': {}}),
                ('GET', '/mgmt/instances', None),
                ('GET', f'/mgmt/instances/{self.ids[0]}', None),
                ('GET', f'/mgmt/instances/{self.ids[0]}/root', None),
                ('POST', f'/mgmt/instances/{self.ids[0]}/action',
                 {'reboot': {}}),
                ('PUT', f'/mgmt/quotas/{project}',
                 {'quotas': {'instances': 0}})):
            for who in ('demo', 'demo-reader', *STRANGERS):
                code, text = self.ask(method, path, body, who)
                self.assertIn(code, (401, 403), f'{who} {path}: {text}')
                self.check_tells_nothing(text)
        self.check_unchanged()

    def test_an_administrator_reaches_every_cluster(self):
        for path in (f'/clusters/{self.cluster_id}',
                     f'/clusters/{self.cluster_id}/members',
                     f'/clusters/{self.cluster_id}/health',
                     f'/mgmt/clusters/{self.cluster_id}'):
            code, text = self.ask('GET', path, who='admin')
            self.assertEqual(200, code, f'{path}: {text}')

    def test_users_cannot_reach_the_servers(self):
        """They belong to Trove's own project in the cloud."""
        with netns.entered(netns.path(self.home.controller)):
            for who, code in (('demo', 403), ('admin', 200)):
                token = self.inside(who)
                project = self.inside('trove').project_id
                got, text = answer(urllib.request.Request(
                    f'{self.home.cloud_url}/compute/{project}'
                    '/v2.1/servers/detail',
                    headers={'X-Auth-Token': token.token}))
                self.assertEqual(code, got, text)
                self.assertEqual(code == 200, MEMBERS[0] in text)
            self.assertEqual(401, answer(urllib.request.Request(
                f'{self.home.cloud_url}/compute/{project}'
                '/v2.1/servers/detail'))[0])

    def test_objects_are_those_of_the_project(self):
        project = identity.login(self.home, 'demo').project_id
        url = f'{self.home.swift_url}{project}/a-container'
        with netns.entered(netns.path(self.home.controller)):
            for who, method, code in (
                    ('demo', 'PUT', 201), ('demo', 'HEAD', 204),
                    ('demo-reader', 'HEAD', 204),
                    ('demo-reader', 'DELETE', 403),
                    ('other', 'HEAD', 403), ('other', 'PUT', 403),
                    ('other-reader', 'HEAD', 403),
                    ('other', 'DELETE', 403), ('demo', 'DELETE', 204)):
                token = self.inside(who).token
                got, text = answer(urllib.request.Request(
                    url, method=method, headers={'X-Auth-Token': token}))
                self.assertEqual(code, got, f'{who} {method}: {text}')
            self.assertEqual(401, answer(urllib.request.Request(url))[0])

    def inside(self, who: str) -> identity.Login:
        found = {one.name: one for one in (
            *identity.PEOPLE, identity.TROVE)}
        return identity.log_in_at(
            self.home, self.home.identity_url, found[who])

    def test_no_password_is_readable(self):
        """In no log, and on no command line."""
        secrets = [value.encode() for value in json.loads(
            self.home.secrets_file.read_text()).values()]
        self.assertGreater(len(secrets), 6)
        places = [*self.home.logs.glob('*.log'),
                  *Path('/proc').glob('[0-9]*/cmdline')]
        for place in places:
            try:
                text = place.read_bytes()
            except OSError:
                continue   # The process has ended.
            for secret in secrets:
                self.assertNotIn(secret, text, f'a password in {place}')
        for folder in ('fernet-keys', 'credential-keys'):
            keys = self.home.keystone / folder
            self.assertEqual(0o700, keys.stat().st_mode & 0o777)
            for key in keys.iterdir():
                self.assertEqual(0o600, key.stat().st_mode & 0o777)


def answer(request: urllib.request.Request) -> tuple[int, str]:
    """Status code and text of the answer, also for an error."""
    got = web.ask(request, PATIENCE)
    return got.code, got.text
