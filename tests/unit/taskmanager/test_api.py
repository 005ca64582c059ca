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

"""The casts of trove-api, as the manager of the taskmanager gets them."""

import inspect
import types
from typing import Any

import fixtures
import testtools
from trove.taskmanager import api as troves
from trove.taskmanager import manager

from trove_pxc.taskmanager import api
from trove_pxc.taskmanager import tasks


class CastTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.client = self.useFixture(fixtures.MockPatchObject(
            troves.API, 'get_client', autospec=True)).mock.return_value
        self.context = types.SimpleNamespace()
        self.api = api.GaleraTaskAPI(self.context)

    def casted(self) -> tuple[str, dict[str, Any]]:
        """Name and arguments of the only cast."""
        self.client.prepare.assert_called_once_with(version='1.0')
        cast = self.client.prepare.return_value.cast
        (call,) = cast.call_args_list
        self.client.reset_mock()
        self.assertIs(self.context, call.args[0])
        return call.args[1], call.kwargs

    def test_those_of_trove(self) -> None:
        self.api.grow_cluster('c', ('a', 'b'))
        self.assertEqual(('grow_cluster', {
            'cluster_id': 'c', 'new_instance_ids': ['a', 'b']}),
            self.casted())
        self.api.shrink_cluster('c', ('a', 'b'))
        self.assertEqual(('shrink_cluster', {
            'cluster_id': 'c', 'instance_ids': ['a', 'b']}), self.casted())

    def test_they_take_what_trove_s_own_take(self) -> None:
        for name in ('grow_cluster', 'shrink_cluster'):
            self.assertEqual(
                list(inspect.signature(getattr(troves.API, name)).parameters),
                list(inspect.signature(
                    getattr(api.GaleraTaskAPI, name)).parameters))
            self.assertIn('cluster_id', inspect.signature(
                getattr(manager.Manager, name)).parameters)

    def discovery(self) -> list[tuple[str, dict[str, Any]]]:
        """The cast of each method of this package for a cluster of "pxc"."""
        casts = []
        for call in (
                lambda: self.api.restart_members('pxc', 'c', ('a',)),
                lambda: self.api.resize_flavor_of_members(
                    'pxc', 'c', ('a',), '7'),
                lambda: self.api.resize_volume_of_members(
                    'pxc', 'c', ('a',), 3),
                lambda: self.api.rotate_certificates('pxc', 'c'),
                lambda: self.api.recover_cluster('pxc', 'c'),
                lambda: self.api.recover_cluster('pxc', 'c', force='a')):
            call()
            casts.append(self.casted())
        return casts

    def test_discovery(self) -> None:
        self.assertEqual([
            ('pxc_restart_members',
             {'cluster_id': 'c', 'instance_ids': ['a']}),
            ('pxc_resize_flavor_of_members',
             {'cluster_id': 'c', 'instance_ids': ['a'], 'flavor_id': '7'}),
            ('pxc_resize_volume_of_members',
             {'cluster_id': 'c', 'instance_ids': ['a'], 'volume_gb': 3}),
            ('pxc_rotate_certificates', {'cluster_id': 'c'}),
            ('pxc_recover_cluster', {'cluster_id': 'c', 'force': None}),
            ('pxc_recover_cluster', {'cluster_id': 'c', 'force': 'a'})],
            self.discovery())

    def test_the_manager_has_an_action_for_each(self) -> None:
        """Each task takes the arguments of its cast."""
        casts = self.discovery()
        self.assertEqual({name.removeprefix('pxc_') for name, _ in casts},
                         set(tasks.ACTIONS))
        for name, arguments in casts:
            own = dict(arguments)
            del own['cluster_id']
            inspect.signature(getattr(
                tasks.GaleraClusterTasks, name.removeprefix('pxc_'))).bind(
                    'self', 'context', **own)
