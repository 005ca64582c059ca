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

"""Backups of a cluster under writes, with the real object store."""

from typing import Any

from lab import waiting
from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import load
from tests.faults import controllers

NAME = 'backed-up'
CONTAINER = 'e2e-backups'
WAIT_SECONDS = '120'


class TestBackup(case.TestCase):
    """All tests share a cluster."""

    cluster_id: str
    members: list[str]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster_id = laboratory.create_cluster(NAME)
        cls.addClassCleanup(laboratory.delete_cluster, cls.cluster_id)
        found = laboratory.wait_ready(cls.cluster_id)['instances']
        cls.members = [member['name'] for member in found]
        cls.last = next(member['id'] for member in found
                        if member['name'] == cls.members[-1])
        laboratory.wait_agreement(cls.members)

    def create(self, *words: str) -> Any:
        return laboratory.openstack_json(
            'database', 'cluster', 'backup', 'create', NAME,
            '--swift-container', CONTAINER, *words)

    def complete(self, *words: str) -> Any:
        shown = self.create('--wait', '--wait-timeout', WAIT_SECONDS, *words)
        self.assertEqual('COMPLETED', shown['status'])
        return shown

    def show(self, backup_id: str) -> Any:
        return laboratory.openstack_json('database', 'backup', 'show',
                                         backup_id)

    def wait(self, backup_id: str, status: str, seconds: float = 120) -> Any:
        def probe() -> Any:
            shown = self.show(backup_id)
            if shown['status'] != status:
                raise waiting.NotYet(str(shown))
            return shown
        return waiting.until(f'{backup_id} to be {status}', probe, seconds,
                             1)

    def objects(self, backup_id: str) -> list[str]:
        return [one for one in laboratory.lab(
            'swift', 'client', 'list', CONTAINER).split()
            if one.startswith(backup_id)]

    def delete(self, *backup_ids: str) -> None:
        for backup_id in backup_ids:
            laboratory.openstack('database', 'backup', 'delete', backup_id)
        for backup_id in backup_ids:
            waiting.until(f'the objects of {backup_id} to be deleted',
                          lambda one=backup_id: self._gone(one), 60, 1)

    def _gone(self, backup_id: str) -> bool:
        found = self.objects(backup_id)
        if found:
            raise waiting.NotYet(str(found))
        return True

    def all_synced(self) -> None:
        def probe() -> bool:
            states = [laboratory.wsrep(name)['wsrep_local_state_comment']
                      for name in self.members]
            if states != ['Synced'] * len(states):
                raise waiting.NotYet(str(states))
            return True
        waiting.until('all members to be Synced', probe, 60, 1)

    def test_full_and_incremental_under_writes(self):
        users = load.Load(self.members[:1], load.through_lab(
            laboratory.home()))
        users.prepare()
        with users.running():
            full = self.complete('--name', 'full', '--description', 'mine')
            part = self.complete('--name', 'part', '--incremental')
        self.assertEqual(self.last, full['instance_id'])
        self.assertRegex(full['description'], (
            rf'^mine \[complete: cluster {NAME}, member {self.members[-1]}, '
            r'\S+, \S+ MiB of data, \S+ MiB stored, position \S+:\d+'))
        self.assertEqual((full['id'], self.last),
                         (part['parent_id'], part['instance_id']))
        listed = laboratory.openstack_json(
            'database', 'cluster', 'backup', 'list', NAME)
        self.assertEqual(['part', 'full'], [
            one['Name'] for one in listed[:2]])
        self.assertEqual({'full', 'part'}, {
            one['Name'] for one in laboratory.openstack_json(
                'database', 'backup', 'list')
            if one['ID'] in (full['id'], part['id'])})
        self.assertEqual(part['id'], self.show(part['id'])['id'])
        # Trove's client does not print the reason.
        self.assertRaises(laboratory.Refused, laboratory.openstack,
                          'database', 'backup', 'delete', full['id'])
        self.assertGreaterEqual(len(self.objects(full['id'])), 1)
        self.delete(part['id'], full['id'])
        self.all_synced()

    def test_with_troves_own_command(self):
        made = laboratory.openstack_json(
            'database', 'backup', 'create', 'of-trove', '--instance',
            self.last, '--swift-container', CONTAINER)
        shown = self.wait(made['id'], 'COMPLETED')
        self.assertIn(f'member {self.members[-1]}', shown['description'])
        self.delete(made['id'])

    def test_the_store_is_gone(self):
        """It fails with a reason; afterwards the next one succeeds."""
        self.addCleanup(laboratory.lab, 'swift', 'heal')
        laboratory.lab('swift', 'stop')
        refused = self.assertRaises(laboratory.Refused, self.create)
        self.assertIn('Swift', str(refused))
        laboratory.lab('swift', 'start')
        self.all_synced()

    def test_the_taskmanager_is_killed(self):
        """The guest goes on; another taskmanager records the result."""
        made = self.create('--name', 'taken-up')

        def begun() -> bool:
            shown = self.show(made['id'])
            if not shown['description']:
                raise waiting.NotYet(shown['status'])
            return True
        waiting.until('progress', begun, 60, 0.5)
        with controllers.without('taskmanager'):
            pass
        shown = self.wait(made['id'], 'COMPLETED', 180)
        self.assertIn('complete: ', shown['description'])
        self.delete(made['id'])
        self.all_synced()

    def test_one_that_runs_is_deleted(self):
        self.addCleanup(laboratory.lab, 'swift', 'heal')
        laboratory.lab('swift', 'slow', '--delay', '3')
        made = self.create('--name', 'cancelled')
        self.wait(made['id'], 'BUILDING')
        self.delete(made['id'])
        laboratory.lab('swift', 'heal')
        self.all_synced()
