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

"""The policy of changes of a member as an instance, for all paths."""

from typing import Any

import mock
import webob
import webob.dec

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import guard
from trove_pxc.api import policies


@webob.dec.wsgify
def application(request: Any) -> webob.Response:
    """The application behind the filter. It accepts every request."""
    return webob.Response(status=202)


class GuardTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.cluster = self.add_cluster()
        self.member = self.members(self.cluster)[0]
        self.guard = guard.Guard(application)

    def ask(self, method: str, path: str, role: str = 'reader',
            **who: str) -> int:
        request = base.request(method, path.format(
            member=self.member.id, cluster=self.cluster.id), role=role,
            **who)
        return int(request.get_response(self.guard).status_int)

    def test_a_reader_changes_no_member(self) -> None:
        for method, path in (
                ('DELETE', '/instances/{member}'),
                ('PUT', '/instances/{member}'),
                ('PATCH', '/instances/{member}.json'),
                ('POST', '/instances/{member}/action'),
                ('POST', '/instances/{member}/users'),
                ('PUT', '/instances/{member}/users/a/databases'),
                ('DELETE', '/instances/{member}/databases/a'),
                ('POST', '/instances/{member}.json/root.json'),
                ('POST', '/clusters/{cluster}/root'),
                ('DELETE', '/clusters/{cluster}.xml/root.xml'),
                ('GET', '/instances/{member}?_method=DELETE'),
                ('HEAD', '/instances/{member}/users?a=b&_method=POST')):
            self.assertEqual(403, self.ask(method, path), (method, path))
            self.assertEqual(202, self.ask(method, path, 'member'),
                             (method, path))
            self.assertEqual(202, self.ask(method, path, 'admin'),
                             (method, path))

    def test_a_reader_reads(self) -> None:
        for method in ('GET', 'HEAD', 'OPTIONS'):
            for path in ('/instances/{member}', '/instances/{member}/users',
                         '/clusters/{cluster}/root'):
                self.assertEqual(202, self.ask(method, path))

    def test_which_rule_is_asked(self) -> None:
        for path, rule in (
                ('/instances/{member}/users', 'galera:accounts'),
                ('/instances/{member}/databases/a', 'galera:accounts'),
                ('/clusters/{cluster}/root', 'galera:accounts'),
                ('/instances/{member}/action', 'galera:instance'),
                ('/instances/{member}', 'galera:instance')):
            request = base.request('DELETE', path.format(
                member=self.member.id, cluster=self.cluster.id),
                role='reader')
            response = request.get_response(self.guard)
            self.assertIn(rule, response.json['forbidden']['message'])

    def test_what_another_piece_asks_for(self) -> None:
        """The model of the cluster checks the policy itself."""
        for path in ('/clusters/{cluster}', '/clusters',
                     '/clusters/{cluster}/action'):
            self.assertEqual(202, self.ask('POST', path))

    def test_what_is_none_of_ours(self) -> None:
        alone = tables.add_instance(self.version, 'alone')
        shard = tables.add_member(self.cluster, 'shard', type='shard')
        for instance in (alone, shard):
            self.assertEqual(
                202, self.ask('DELETE', f'/instances/{instance.id}'))
        for path in ('/instances', '/backups/x', '/instances/none',
                     '/clusters/none/root'):
            self.assertEqual(202, self.ask('POST', path))

    def test_no_rule_is_asked_for_it(self) -> None:
        """Not even for an admin, whom every rule allows."""
        alone = tables.add_instance(self.version, 'alone')
        with mock.patch.object(policies, 'authorize',
                               autospec=True) as authorize:
            self.ask('DELETE', f'/instances/{alone.id}', 'admin')
        authorize.assert_not_called()

    def test_what_is_deleted(self) -> None:
        for row in (self.member, self.cluster):
            row.update(deleted=True)
        self.assertEqual(202, self.ask('DELETE', '/instances/{member}'))
        self.assertEqual(202, self.ask('POST', '/clusters/{cluster}/root'))

    def test_of_another_project_nothing_is_told(self) -> None:
        """Trove answers 404 for every role."""
        for path in ('/instances/{member}', '/clusters/{cluster}/root'):
            self.assertEqual(202, self.ask('DELETE', path, project='other'))

    def test_an_admin_is_of_no_project(self) -> None:
        self.assertEqual(202, self.ask(
            'DELETE', '/instances/{member}', 'admin', project='other'))

    def test_what_was_refused_is_a_fault_as_troves(self) -> None:
        request = base.request('DELETE', f'/instances/{self.member.id}',
                               role='reader')
        response = request.get_response(self.guard)
        self.assertEqual('application/json', response.content_type)
        self.assertEqual(403, response.json['forbidden']['code'])
