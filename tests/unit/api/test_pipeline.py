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

"""Which controller of this package handles a request, or none."""

from typing import Any

import mock
import webob
import webob.dec

from tests.unit.api import base
from trove_pxc.api import extension
from trove_pxc.api import names
from trove_pxc.api import ownership
from trove_pxc.api import pipeline
from trove_pxc.api import users
from trove_pxc import retries

#: method and path, controller and action
OURS = {
    ('GET', '/instances/i/users'): (users.UsersController, 'index'),
    ('POST', '/instances/i/users'): (users.UsersController, 'create'),
    ('PUT', '/instances/i/users'): (users.UsersController, 'update_all'),
    ('GET', '/instances/i/users/a'): (users.UsersController, 'show'),
    ('PUT', '/instances/i/users/a'): (users.UsersController, 'update'),
    ('DELETE', '/instances/i/users/a'): (users.UsersController, 'delete'),
    ('GET', '/instances/i/users/a/databases'):
        (users.UserAccessController, 'index'),
    ('PUT', '/instances/i/users/a/databases'):
        (users.UserAccessController, 'update'),
    ('DELETE', '/instances/i/users/a/databases/b'):
        (users.UserAccessController, 'delete'),
    ('GET', '/instances/i/databases'): (users.DatabasesController, 'index'),
    ('POST', '/instances/i/databases'):
        (users.DatabasesController, 'create'),
    ('DELETE', '/instances/i/databases/b'):
        (users.DatabasesController, 'delete'),
    ('GET', '/instances/i/root'): (extension.MemberRootController, 'index'),
    ('POST', '/instances/i/root'):
        (extension.MemberRootController, 'create'),
    ('DELETE', '/instances/i/root'):
        (extension.MemberRootController, 'delete'),
    ('GET', '/clusters/c/root'): (extension.RootController, 'index'),
    ('POST', '/clusters/c/root'): (extension.RootController, 'create'),
}
TROVES = (('GET', '/clusters'), ('POST', '/clusters'),
          ('GET', '/clusters/c'), ('DELETE', '/instances/i'),
          ('POST', '/instances/i/action'),
          ('DELETE', '/clusters/c/root'), ('GET', '/backups'))


@webob.dec.wsgify
def troves(request: Any) -> webob.Response:
    """The application behind the filter."""
    return webob.Response(status=203)


class PipelineTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.api = pipeline.factory({}, key='unused')(troves)

    def ask(self, method: str, path: str) -> int:
        body = {'a': 1} if method in ('POST', 'PUT') else None
        return int(base.request(method, path, body).get_response(
            self.api).status_int)

    def test_discovery(self) -> None:
        self.patch(ownership, 'member',
                   self.members(self.add_cluster())[0])
        for (method, path), (controller, action) in OURS.items():
            with (mock.patch.object(controller, 'validate_request',
                                    autospec=True),
                  mock.patch.object(controller, action, autospec=True,
                                    return_value={}) as called):
                self.assertEqual(200, self.ask(method, path), path)
            called.assert_called_once()
            asked = {'instance_id': path.split('/')[2],
                     'tenant_id': base.PROJECT}
            self.assertLessEqual(
                asked.items(), called.call_args.kwargs.items())

    def test_what_concerns_no_member_and_no_cluster_of_ours(self) -> None:
        self.patch(ownership, 'is_foreign', True)
        for method, path in OURS:
            self.assertEqual(203, self.ask(method, path), (method, path))

    def test_troves(self) -> None:
        for method, path in TROVES:
            self.assertEqual(203, self.ask(method, path), (method, path))

    def test_calls_to_the_cloud_are_repeated_for_clusters(self) -> None:
        seconds = {}

        @webob.dec.wsgify
        def look(request: Any) -> webob.Response:
            seconds[request.path_info] = retries._seconds.get()
            return webob.Response(status=203)
        self.api = pipeline.factory({})(look)
        paths = ('/clusters', '/clusters/c', '/mgmt/clusters',
                 '/clusters.json', '/flavors/1', '/instances/i',
                 '/datastores', '/clustersx')
        for path in paths:
            self.ask('GET', path)
        self.assertEqual({
            f'/{base.PROJECT}{path}': 30.0 if number < 6 else 0.0
            for number, path in enumerate(paths)}, seconds)
        self.assertEqual(0.0, retries._seconds.get())

    def test_a_name_is_one_part_before_anything_is_routed(self) -> None:
        member = self.members(self.add_cluster())[0]
        with mock.patch.object(users.UsersController, 'show', autospec=True,
                               return_value={}) as called:
            self.assertEqual(200, self.ask(
                'GET', f'/instances/{member.id}/users/a/b.json'))
        self.assertEqual('a/b.json', names.decoded(
            called.call_args.kwargs['id']))

    def test_the_guard_stands_before_all(self) -> None:
        member = self.members(self.add_cluster())[0]
        for path in (f'/instances/{member.id}/users/a',
                     f'/instances/{member.id}'):
            request = base.request('DELETE', path, role='reader')
            self.assertEqual(
                403, request.get_response(self.api).status_int)
