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

"""A cluster that is created from a backup of another cluster."""

from trove.extensions.common import models as root_models

from tests.functional import restore_case
from tests.functional import test_interrupted as interrupted
from tests.functional import test_resume
from trove_pxc.galera import backups
from trove_pxc import waiting


class RestoreTest(restore_case.RestoreTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()

    def test_first_member_restores_and_the_others_join(self) -> None:
        full = self.add_backup()
        last = self.add_backup(full)
        cluster_id = self.restored(last)
        self.wait_for_task(cluster_id)
        self.wait_notified('dbaas.cluster_create.end')
        events = [event for event in self.galera.events
                  if not event.startswith(('prepared', 'configure'))]
        self.assertEqual(
            ['restore products-1', 'bootstrap restored products-1',
             'join products-2', 'join products-3', 'write products-3',
             'complete products-1', 'complete products-2',
             'complete products-3'], events)
        order = self.galera.named('products-1').restoring
        assert order is not None
        self.assertEqual((full.location, last.location), order.locations)
        self.assertEqual('backups', order.store.container)
        self.assertEqual(
            ['ACTIVE'] * 3, [instance['status'] for instance
                             in self.show(cluster_id)['instances']])
        self.request('DELETE', f'/clusters/{cluster_id}')
        self.wait_deleted(cluster_id)
        self.assert_nothing_left()

    def test_progress_is_shown(self) -> None:
        self.galera.habits['products-1'] = {'restore_waits': True}
        backup = self.add_backup()
        cluster_id = self.restored(backup)
        self.wait_for_event('restore products-1')
        waiting.pause(10)
        listed = self.request('GET', '/clusters').json['clusters']
        for task in (self.show(cluster_id)['task'], listed[0]['task']):
            self.assertEqual(backup.id, task['restored_backup'])
            self.assertIn('restore: fetch the backup, 0.5 of 1.0 GiB, '
                          '51.2 MiB/s, about 10 s left.',
                          task['description'])
        self.galera.habits.clear()
        self.wait_for_task(cluster_id)
        self.assertNotIn('restored_backup', self.show(cluster_id)['task'])

    def test_failure_names_the_step_the_reason_and_what_to_do(self) -> None:
        self.galera.habits['products-1'] = {'restore_fails': (
            backups.Step.FETCH, 'the segment 3 is damaged',
            'Use another backup.')}
        cluster_id = self.restored(self.add_backup())
        self.wait_for_task(cluster_id)
        self.wait_notified('dbaas.cluster_create.error')
        first, second, _ = self.instance_rows(cluster_id)
        self.assertEqual(
            'ERROR', self.show(cluster_id)['instances'][0]['status'])
        for words in ('restore of products-1', 'cannot fetch the backup',
                      'the segment 3 is damaged', 'Next: Use another backup'):
            self.assertIn(words, self.fault(first.id))
        self.assertIn('create failed at products-1', self.fault(second.id))
        self.request('DELETE', f'/clusters/{cluster_id}')
        self.wait_deleted(cluster_id)
        self.assert_nothing_left()

    def test_deletion_during_a_restore_removes_everything(self) -> None:
        self.galera.habits['products-1'] = {'restore_waits': True}
        cluster_id = self.restored(self.add_backup())
        self.wait_for_event('restore products-1')
        self.request('DELETE', f'/clusters/{cluster_id}')
        self.wait_deleted(cluster_id)
        self.stop_taskmanager()
        self.assert_nothing_left()

    def test_backup_that_is_deleted_meanwhile(self) -> None:
        self.galera.habits['products-1'] = {'unprepared': True}
        backup = self.add_backup()
        cluster_id = self.restored(backup)
        self.wait_for_event('prepared products-2')
        backup.update(deleted=True)
        self.galera.habits.clear()
        first = self.galera.named('products-1')
        first.report_status(restore_case.base.galera.Statuses.INSTANCE_READY)
        self.wait_for_task(cluster_id)
        self.assertIn('was deleted',
                      self.fault(self.instance_rows(cluster_id)[0].id))

    def test_root_of_the_backup_is_shown_as_enabled(self) -> None:
        cluster_id = self.restored(self.add_backup())
        self.wait_for_event('restore products-1')
        self.galera.named('products-1').adm.enable_root('very-secret')
        self.wait_for_task(cluster_id)
        self.assertEqual(
            [True] * 3, [root_models.RootHistory.load(
                self.context(), row.id) is not None
                for row in self.instance_rows(cluster_id)])
        shown = self.request('GET', f'/clusters/{cluster_id}/root')
        self.assertTrue(shown.json['rootEnabled'])

    def test_without_root_it_is_shown_as_not_enabled(self) -> None:
        cluster_id = self.restored(self.add_backup())
        self.wait_for_task(cluster_id)
        shown = self.request('GET', f'/clusters/{cluster_id}/root')
        self.assertFalse(shown.json['rootEnabled'])

    def test_expired_token_is_replaced(self) -> None:
        self.galera.habits['products-1'] = {'refused_tokens': ('token-2',)}
        self.swift.tokens = 1
        cluster_id = self.restored(self.add_backup())
        self.wait_for_task(cluster_id)
        self.assertEqual(
            ['restore products-1', 'renew products-1',
             'bootstrap restored products-1'], self.members())

    def test_expired_token_of_the_user_ends_it(self) -> None:
        self.galera.habits['products-1'] = {'refused_tokens': ('token-1',)}
        self.swift.fixed = True
        cluster_id = self.restored(self.add_backup())
        self.wait_for_task(cluster_id)
        fault = self.fault(self.instance_rows(cluster_id)[0].id)
        for words in ('refuses the token of the request',
                      'remote_swift_client'):
            self.assertIn(words, fault)
        self.assertEqual(['restore products-1', 'cancel products-1'],
                         self.members())


class InterruptedTest(restore_case.RestoreTestCase):
    """A taskmanager that died at any point is replaced by another one."""

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager(interrupted.WithoutClusters())
        self.override('remote_guest_client',
                      'tests.functional.test_interrupted.mortal_client')
        interrupted.MortalClient.galera = self.galera
        interrupted.MortalClient.lives = interrupted._LAST_CALL
        self.backup = self.add_backup()

    def test_killed_before_any_call(self) -> None:
        self.kill_at_each_call(answered=False)

    def test_killed_after_any_call(self) -> None:
        self.kill_at_each_call(answered=True)

    def kill_at_each_call(self, answered: bool) -> None:
        calls, finished = 0, False
        while not finished:
            cluster_id = self.new_cluster(f'c{calls}')
            interrupted.MortalClient.answered = answered
            interrupted.MortalClient.lives = calls
            try:
                test_resume.task_models.load_cluster_tasks(
                    self.context(), cluster_id).create_cluster(
                        self.context(), cluster_id)
                finished = True
            except interrupted.Killed:
                interrupted.MortalClient.lives = interrupted._LAST_CALL
                interrupted.resumed(
                    self.context(), cluster_id).create_cluster(
                        self.context(), cluster_id)
            interrupted.MortalClient.lives = interrupted._LAST_CALL
            self.check(f'c{calls}', cluster_id)
            calls += 3
        self.assertGreater(calls, 15)

    def new_cluster(self, name: str) -> str:
        self.galera.close()
        self.galera.guests.clear()
        self.galera.history = ''
        self.galera.seqno = 0
        self.galera.events.clear()
        response = self.restore(self.backup, name)
        self.assertEqual(200, response.status_int, response.text)
        for number in (1, 2, 3):
            self.wait_for_event(f'prepared {name}-{number}')
        return str(response.json['cluster']['id'])

    def check(self, name: str, cluster_id: str) -> None:
        self.assertEqual(
            [f'restore {name}-1', f'bootstrap restored {name}-1'],
            self.members())
        self.assertEqual(3, len(self.galera.component))
        self.assertEqual('NONE',
                         self.cluster_row(cluster_id).task_status.name)
        self.request('DELETE', f'/clusters/{cluster_id}')
        self.wait_deleted(cluster_id)

    def test_guest_agent_that_was_restarted_begins_again(self) -> None:
        self.galera.habits['c-1'] = {'forgets_restore': 2}
        cluster_id = self.new_cluster('c')
        test_resume.task_models.load_cluster_tasks(
            self.context(), cluster_id).create_cluster(
                self.context(), cluster_id)
        self.assertEqual(
            [*['restore c-1'] * 3, 'bootstrap restored c-1'], self.members())
