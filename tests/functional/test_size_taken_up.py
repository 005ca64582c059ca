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

"""A grow or shrink whose taskmanager died is resumed by another taskmanager.

The other one did not get the request. test_interrupted_size tests the
interruption at each step.
"""

from collections.abc import Iterator
import contextlib
from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.instance.tasks import InstanceTasks
from trove.taskmanager import models as task_models

from tests.functional import test_grow
from tests.functional import test_interrupted_size
from tests.functional import test_resume
from trove_pxc import pending
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import grow
from trove_pxc.taskmanager.operations import shrink
from trove_pxc.taskmanager.steps import leave
from trove_pxc.taskmanager.watchers import resume
from trove_pxc import waiting

OLD = test_grow.OLD


class Dying(test_interrupted_size.Forgetful):
    """It also died during the creation of some instances."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        self._names = names

    def create_instance(self, context: Any, instance_id: str, name: str,
                        *values: Any, **others: Any) -> None:
        if name in self._names:
            instance_creation.begin(instance_id)
            return
        super().create_instance(context, instance_id, name, *values, **others)


class TakenUpTest(test_grow.GrowthTest):

    def setUp(self) -> None:
        super().setUp()
        for option in ('operation_lease', 'operation_start_timeout'):
            self.override(option, test_resume.LEASE, 'mariadb')
        self.override('creation_stall_timeout', 5, 'mariadb')
        self.another(test_interrupted_size.Forgetful())

    def another(self, manager: Any = None) -> None:
        """Another taskmanager takes the casts from now on."""
        self.stop_taskmanager()
        self.start_taskmanager(manager)

    @contextlib.contextmanager
    def supervised(self) -> Iterator[None]:
        with waiting.Regularly(0.2, resume.Resumption().look):
            yield

    def ask(self, body: Any) -> None:
        response = self.act(body)
        self.assertEqual(202, response.status_int, response.text)

    def finish(self) -> Any:
        """Wait until it was resumed and has ended; return what is shown."""
        with self.supervised():
            self.wait_for_task(self.cluster_id)
        self.assertEqual({None}, {
            pending.of(row) for row in self.instance_rows(self.cluster_id)})
        return self.show(self.cluster_id)

    def retry_at_once(self, *failed: str) -> None:
        """Remove the failed members and grow again."""
        self.ask({'shrink': [{'id': self.named(name).id}
                             for name in failed]})
        self.finish()
        self.assertEqual(self.before, self.used())
        self.ask({'grow': [test_grow.node()]})
        self.finish()
        self.assertEqual(4, len(self.galera.component))

    def tasks(self) -> Any:
        return task_models.load_cluster_tasks(
            self.context(), self.cluster_id)

    def statuses(self, shown: Any) -> dict[str, str]:
        return {instance['name']: instance['status']
                for instance in shown['instances']}


class GrowTest(TakenUpTest):

    def assert_grown(self, shown: Any, *new: str) -> None:
        self.assert_serving(*OLD, *new)
        self.assertEqual(dict.fromkeys([*OLD, *new], 'ACTIVE'),
                         self.statuses(shown))
        for name in (*OLD, *new):
            self.assertEqual(shown['ip'], self.addresses_told(name))
        self.assertEqual([], self.notified('dbaas.cluster_grow.error'))
        ended = self.wait_notified('dbaas.cluster_grow.end')
        self.assertEqual(self.cluster_id, ended['cluster_id'])

    def test_lost_cast_is_resumed(self) -> None:
        self.ask({'grow': [test_grow.node()]})
        self.assert_grown(self.finish(), 'products-4')

    def test_grow_is_resumed_after_one_of_two_members_joined(self) -> None:
        self.ask({'grow': [test_grow.node(), test_grow.node(name='other')]})
        self.wait_for_event('prepared other')
        grow.run(grow.Growth(self.context(), self.tasks(),
                             [self.named('products-4').id]))
        self.assert_grown(self.finish(), 'products-4', 'other')
        self.assertEqual(1, self.galera.events.count('join products-4'))

    def test_failed_member_of_an_earlier_grow_is_not_changed(self) -> None:
        self.another()
        self.galera.habits['products-4'] = {'crashes': True}
        self.grow()
        self.galera.habits.clear()
        self.another(test_interrupted_size.Forgetful())
        self.ask({'grow': [test_grow.node()]})
        shown = self.finish()
        self.assertEqual(
            {**dict.fromkeys([*OLD, 'products-5'], 'ACTIVE'),
             'products-4': 'ERROR'}, self.statuses(shown))
        self.assertEqual(InstanceTasks.GROWING_ERROR,
                         self.named('products-4').task_status)
        self.assert_serving(*OLD, 'products-5')

    def test_instance_without_a_server_is_reported(self) -> None:
        self.another(Dying('products-5'))
        self.ask({'grow': [test_grow.node(), test_grow.node()]})
        shown = self.finish()
        self.assertEqual(
            {**dict.fromkeys([*OLD, 'products-4'], 'ACTIVE'),
             'products-5': 'ERROR'}, self.statuses(shown))
        self.assert_told('products-5',
                         'it has no server: the taskmanager died')
        self.assert_serving(*OLD, 'products-4')
        self.retry_at_once('products-4', 'products-5')

    def test_guest_that_was_never_told_to_prepare_is_reported(self) -> None:
        self.galera.habits['products-4'] = {'never_told': True}
        self.ask({'grow': [test_grow.node()]})
        shown = self.finish()
        self.assertEqual('ERROR', self.statuses(shown)['products-4'])
        self.assert_told('products-4', 'was never called to prepare')
        self.assertEqual([], self.events_of_old())
        self.galera.habits.clear()
        self.retry_at_once('products-4')

    def assert_told(self, name: str, words: str) -> None:
        """The notification and the fault say it, and what to do next."""
        error = self.wait_notified('dbaas.cluster_grow.error')
        for text in (error['message'], self.fault(self.named(name).id)):
            self.assertIn(words, text)
            self.assertIn('Next: remove it with a shrink, then grow again',
                          text)
        for old in OLD:
            self.assertEqual('', self.fault(self.named(old).id))

    def test_api_that_died_before_the_first_instance_is_reported(self) -> None:
        self.assertTrue(pending.claim(
            self.cluster_id, ClusterTasks.GROWING_CLUSTER,
            [row.id for row in self.instance_rows(self.cluster_id)],
            pending.Order(pending.GROW, '4')))
        self.finish()
        error = self.wait_notified('dbaas.cluster_grow.error')
        self.assertIn('none of the new members', error['message'])
        self.assertIn('Next: repeat the grow', error['message'])
        self.another()
        self.grow()
        self.assert_serving(*OLD, 'products-4')

    def test_member_that_could_be_new_or_old_is_not_stopped(self) -> None:
        """Rows of older releases have no number of the operation."""
        self.ask({'grow': [test_grow.node()]})
        self.wait_for_event('prepared products-4')
        self.named('products-4').update(name='renamed', shard_id=None)
        self.galera.events.clear()
        self.finish()
        error = self.wait_notified('dbaas.cluster_grow.error')
        self.assertIn('its taskmanager died', error['message'])
        self.assertIn('repeat the request', error['message'])
        self.assertEqual([], self.galera.events)
        self.retry_at_once('renamed')

    def test_task_without_a_pending_operation_is_reported(self) -> None:
        for task, kind in ((ClusterTasks.GROWING_CLUSTER, 'grow'),
                           (ClusterTasks.SHRINKING_CLUSTER, 'shrink')):
            self.cluster_row(self.cluster_id).update(task_status=task)
            self.finish()
            error = self.wait_notified(f'dbaas.cluster_{kind}.error')
            self.assertIn('its taskmanager died', error['message'])
        self.assert_serving(*OLD)

    def test_delete_ends_the_grow(self) -> None:
        self.galera.habits['products-4'] = {'stalls': True}
        self.ask({'grow': [test_grow.node()]})
        with self.supervised():
            self.wait_for_event('join products-4')
            self.another()
            self.request('DELETE', f'/clusters/{self.cluster_id}')
            self.wait_deleted(self.cluster_id)
        self.assert_nothing_left()


class ShrinkTest(TakenUpTest):

    def setUp(self) -> None:
        super().setUp()
        self.another()
        self.grow(test_grow.node(), test_grow.node())
        self.another(test_interrupted_size.Forgetful())
        self.galera.events.clear()

    def leave(self, *names: str) -> None:
        self.ask({'shrink': [{'id': self.named(name).id}
                             for name in names]})

    def assert_shrunk(self, shown: Any) -> None:
        self.assertEqual(list(OLD), self.names(shown))
        self.assert_serving(*OLD)
        self.assertEqual(self.before, self.used())
        self.assertEqual(3, len(self.cloud.servers))
        for old in OLD:
            self.assertEqual(shown['ip'], self.addresses_told(old))
        self.assertEqual([], self.notified('dbaas.cluster_shrink.error'))
        self.wait_notified('dbaas.cluster_shrink.end')

    def test_lost_cast_is_resumed(self) -> None:
        self.leave('products-4', 'products-5')
        self.assert_shrunk(self.finish())

    def test_shrink_is_resumed_after_one_of_two_members_left(self) -> None:
        self.leave('products-4', 'products-5')
        self.cut_short_after_one()
        self.assertEqual([*OLD, 'products-5'],
                         self.names(self.show(self.cluster_id)))
        self.assert_shrunk(self.finish())
        self.assertEqual(1, self.galera.events.count('stop products-4'))

    def cut_short_after_one(self) -> None:
        operation = shrink.Shrinking(
            self.context(), self.tasks(),
            [self.named(name).id for name in ('products-4', 'products-5')])
        for phase in shrink.STEPS:
            for member in phase.of(operation):
                for step in phase.steps:
                    if (step, member.name) == (leave.REMOVE, 'products-5'):
                        return
                    workflow.run(operation, [workflow.Each(
                        lambda _, one=member: [one], (step,))])

    def test_renamed_member_is_removed_too(self) -> None:
        self.leave('products-4', 'products-5')
        self.named('products-5').update(name='renamed')
        self.assert_shrunk(self.finish())

    def test_shrink_fails_if_a_remaining_member_does_not_serve(self) -> None:
        self.override('verify_timeout', 5, 'mariadb')
        self.leave('products-4', 'products-5')
        self.galera.named('products-2').leave()
        shown = self.finish()
        error = self.wait_notified('dbaas.cluster_shrink.error')
        self.assertIn('products-2', error['message'])
        self.assertIn('Next: check the health of the cluster',
                      self.fault(self.named('products-4').id))
        self.assertEqual({'ACTIVE'}, set(self.statuses(shown).values()))
        self.assertEqual([], self.galera.events)
