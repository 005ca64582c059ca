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

"""Which changes of members are possible, and the cast of each."""

import types
from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.instance.tasks import InstanceTasks

from tests.unit.api import base
from trove_pxc.api import changes
from trove_pxc.api import validation
from trove_pxc import pending

GONE = '0b7a5d2e-3c40-4a4e-9f10-6f7a8b9c0d1e'


class ChangesTestCase(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        self.cluster = self.load(self.row)
        self.one, self.two, self.three = self.members(self.row)
        self.ids = [self.one.id, self.two.id, self.three.id]

    def refused(self, words: str, check: Any, body: Any,
                kind: Any = exception.BadRequest) -> None:
        error = self.assertRaises(kind, check, self.cluster, body)
        self.assertIn(words, str(error))

    def taken(self, task: Any, ids: list[str], kind: str) -> None:
        """Check the task and the pending operations of these members."""
        self.assertEqual(task, self.load(self.row).db_info.task_status)
        found = {row.id: pending.of(row) for row in self.members(self.row)}
        self.assertEqual(set(ids), {
            one for one, order in found.items()
            if order is not None and order.action == kind})


class TargetsTest(ChangesTestCase):

    def test_all_or_one(self) -> None:
        for body, ids in ((None, self.ids), ({}, self.ids),
                          ({'instance': self.two.id}, [self.two.id])):
            self.assertEqual(ids, [row.id for row in changes.check_restart(
                self.cluster, body)])

    def test_a_stranger(self) -> None:
        self.refused(f'Instance {GONE} is not a member of cluster c.',
                     changes.check_restart, {'instance': GONE})

    def test_no_members(self) -> None:
        for row in self.members(self.row):
            row.update(deleted=True)
        self.refused('Cluster c has no members.', changes.check_restart,
                     None)

    def test_one_that_is_busy(self) -> None:
        self.two.update(task_status=InstanceTasks.RESIZING)
        self.refused(
            f'Member c-2 ({self.two.id}) cannot be changed now: Resizing',
            changes.check_rotation, None, exception.UnprocessableEntity)


class RestartTest(ChangesTestCase):

    def test_it(self) -> None:
        changes.restart(self.cluster, base.request(), [self.one, self.two])
        self.task_api.restart_members.assert_called_once_with(
            'mariadb', self.row.id, self.ids[:2])
        self.assertEqual('cluster_restart.start', self.notifier.events[0])
        self.taken(ClusterTasks.RESTARTING_CLUSTER, self.ids[:2],
                   pending.RESTART)


class RecoverTest(ChangesTestCase):

    def test_without_those_that_failed(self) -> None:
        self.two.update(task_status=InstanceTasks.BUILDING_ERROR_SERVER)
        found = changes.check_recover(self.cluster, None)
        self.assertEqual([self.one.id, self.three.id],
                         [row.id for row in found.targets])
        self.refused(f'Instance {self.two.id} is not a member of cluster c, '
                     'or it failed to join or leave.', changes.check_recover,
                     {'force': self.two.id})

    def test_it(self) -> None:
        for force in (None, self.one.id):
            self.row.update(task_status=ClusterTasks.NONE)
            wanted = changes.check_recover(
                self.cluster, force and {'force': force})
            changes.recover(self.cluster, base.request(), wanted)
            self.task_api.recover_cluster.assert_called_with(
                'mariadb', self.row.id, force)
            self.assertEqual(force, self.notifier.payloads[-1].get(
                'instance_id'))
        self.assertEqual(ClusterTasks.RESTARTING_CLUSTER,
                         self.load(self.row).db_info.task_status)


class RotateTest(ChangesTestCase):

    def test_it(self) -> None:
        changes.rotate_certificates(
            self.cluster, base.request(),
            changes.check_rotation(self.cluster, None))
        self.task_api.rotate_certificates.assert_called_once_with(
            'mariadb', self.row.id)
        self.taken(ClusterTasks.UPDATING_CLUSTER, self.ids,
                   pending.CERTIFICATES)


class ResizeTest(ChangesTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.flavor = types.SimpleNamespace(id='2', ram=1024, ephemeral=0)
        self.patch(validation, 'flavor', self.flavor)
        self.nova.flavors.get.return_value = types.SimpleNamespace(ram=512)

    def test_one_of_both(self) -> None:
        for body in ({}, {'flavorRef': '2', 'volume': {'size': 2}}):
            self.refused('exactly one of flavorRef and volume',
                         changes.check_resize, body)

    def test_flavors(self) -> None:
        self.one.update(flavor_id='2')
        wanted = changes.check_resize(
            self.cluster, {'flavorRef': 'http://x/flavors/2'})
        self.assertEqual({self.two.id: 512, self.three.id: 512},
                         wanted.more)
        changes.resize(self.cluster, base.request(), wanted)
        self.task_api.resize_flavor_of_members.assert_called_once_with(
            'mariadb', self.row.id, self.ids[1:], flavor_id='2')
        self.assertEqual(('2', self.ids[1:]), (
            self.notifier.payloads[0]['flavor_id'],
            self.notifier.payloads[0]['instance_ids']))
        self.taken(ClusterTasks.UPDATING_CLUSTER, self.ids[1:],
                   pending.FLAVOR)

    def test_a_flavor_that_they_have(self) -> None:
        self.refused('c-1, c-2, c-3 already have the flavor 1.',
                     changes.check_resize, {'flavorRef': '1'})
        self.refused('c-1 already has the flavor 1.', changes.check_resize,
                     {'flavorRef': '1', 'instance': self.one.id})

    def test_a_flavor_with_an_ephemeral_disk(self) -> None:
        self.flavor.ephemeral = 5
        self.refused('The flavor 2 has an ephemeral disk',
                     changes.check_resize, {'flavorRef': '2'})

    def test_volumes(self) -> None:
        self.one.update(volume_size=2)
        wanted = changes.check_resize(self.cluster, {'volume': {'size': '2'}})
        self.assertEqual({self.two.id: 1, self.three.id: 1}, wanted.more)
        changes.resize(self.cluster, base.request(), wanted)
        self.task_api.resize_volume_of_members.assert_called_once_with(
            'mariadb', self.row.id, self.ids[1:], volume_gb=2)
        self.assertEqual(2, self.notifier.payloads[0]['new_size'])
        self.taken(ClusterTasks.UPDATING_CLUSTER, self.ids[1:],
                   pending.VOLUME)

    def test_volumes_that_cannot_be(self) -> None:
        self.one.update(volume_size=3)
        for size, words in (
                (2, 'A volume cannot be made smaller: c-1 has more than 2'),
                (999, 'cannot exceed')):
            self.refused(words, changes.check_resize,
                         {'volume': {'size': size}}, exception.TroveError)
        self.refused('c-1 already has a volume of 3 GB', changes.check_resize,
                     {'volume': {'size': 3}, 'instance': self.one.id})

    def test_a_datastore_without_volumes(self) -> None:
        self.override('volume_support', False, 'mariadb')
        self.assertRaises(
            exception.VolumeNotSupported, changes.check_resize, self.cluster,
            {'volume': {'size': 2}})
