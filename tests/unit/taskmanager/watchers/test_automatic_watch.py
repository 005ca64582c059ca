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

"""Which clusters are recovered automatically, when, and how it starts."""

from collections.abc import Callable
import datetime
from typing import Any

import fixtures
import mock
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.common import timeutils
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks
from trove import rpc
from trove.taskmanager import api as task_api
from trove.taskmanager import models as task_models

from tests.unit import specs
from tests.unit.taskmanager import fakes
from trove_pxc.galera import view
from trove_pxc import pending
from trove_pxc import starts
from trove_pxc.taskmanager import api
from trove_pxc.taskmanager.watchers import automatic
from trove_pxc.taskmanager.watchers import discovery

STATES = view.ServerState
Statuses = fakes.Statuses
PATIENCE = 30       # automatic_recovery_patience


class AutomaticTestCase(fakes.ClusterTestCase):
    """All members were complete, and have reported that they do not serve."""

    def setUp(self) -> None:
        super().setUp()
        self.tables.add(datastore_models.DBDatastoreVersion, id='version',
                        manager=fakes.MANAGER)
        self.tables.change(cluster_models.DBCluster, fakes.CLUSTER,
                           datastore_version_id='version')
        for number, guest in self.guests.items():
            guest.stands(STATES.STOPPED)
            self.tells(number, Statuses.SHUTDOWN)

    def tells(self, number: int, status: Any, ago: float = 0) -> None:
        self.tables.change(
            instance_models.InstanceServiceStatus, self.id_of(number),
            status=status, updated_at=timeutils.utcnow()
            - datetime.timedelta(seconds=ago))

    def row(self) -> Any:
        return cluster_models.DBCluster.get_by(id=fakes.CLUSTER)


class NobodyServesTest(AutomaticTestCase):

    def nobody(self) -> dict[str, bool]:
        return automatic.nobody_serves([fakes.CLUSTER, 'another'])

    def test_all_have_stopped(self) -> None:
        self.assertEqual({fakes.CLUSTER: False}, self.nobody())

    def test_one_that_serves_is_enough(self) -> None:
        self.tells(2, Statuses.HEALTHY)
        self.assertEqual({}, self.nobody())

    def test_unless_it_has_said_nothing_for_long(self) -> None:
        self.tells(2, Statuses.HEALTHY, ago=3600)
        self.assertEqual({fakes.CLUSTER: False}, self.nobody())

    def test_one_that_is_busy(self) -> None:
        self.change(2, task_status=InstanceTasks.REBOOTING)
        self.assertEqual({}, self.nobody())

    def test_one_that_never_was_complete(self) -> None:
        self.tells(2, Statuses.INSTANCE_READY)
        self.assertEqual({}, self.nobody())

    def test_one_that_did_not_come_in_does_not_count(self) -> None:
        self.tells(2, Statuses.INSTANCE_READY)
        self.change(2, task_status=InstanceTasks.GROWING_ERROR)
        self.assertEqual({fakes.CLUSTER: False}, self.nobody())

    def test_one_of_which_nothing_is_known(self) -> None:
        self.tables.change(
            instance_models.InstanceServiceStatus, self.id_of(2),
            instance_id='another')
        self.assertEqual({}, self.nobody())

    def test_one_that_is_deleted_does_not_count(self) -> None:
        self.tells(2, Statuses.HEALTHY)
        self.change(2, deleted=True)
        self.assertEqual({fakes.CLUSTER: False}, self.nobody())

    def test_one_survives(self) -> None:
        self.tells(2, Statuses.BLOCKED)
        self.assertEqual({fakes.CLUSTER: True}, self.nobody())

    def test_two_do(self) -> None:
        self.tells(2, Statuses.BLOCKED)
        self.tells(3, Statuses.BLOCKED)
        self.assertEqual({fakes.CLUSTER: False}, self.nobody())

    def test_of_those_who_say_nothing_it_is_not_known(self) -> None:
        self.tells(2, Statuses.BLOCKED)
        self.tells(3, Statuses.SHUTDOWN, ago=3600)
        self.assertEqual({fakes.CLUSTER: False}, self.nobody())

    def test_it_costs_two_statements(self) -> None:
        before = self.tables.statements
        self.nobody()
        self.assertEqual(2, self.tables.statements - before)


class LookTest(AutomaticTestCase):
    """When a watch starts something."""

    def setUp(self) -> None:
        super().setUp()
        self.begun: list[tuple[Callable[..., Any], str]] = []
        self.alive = True
        self.useFixture(fixtures.MockPatchObject(
            automatic, 'threading', Threads(self)))
        self.wanted: list[bool] = []
        self.useFixture(fixtures.MockPatchObject(
            discovery, 'unserved', autospec=True, side_effect=self._unserved))
        self.watch = automatic.Watch()

    def _unserved(self, wanted: Any, known: Any) -> dict[str, Any]:
        """It also selects clusters of which members have just stopped."""
        self.wanted.append(wanted(fakes.MANAGER))
        row = self.row()
        return ({fakes.CLUSTER: discovery.Found(row, fakes.MANAGER)}
                if row.task_status == ClusterTasks.NONE
                or fakes.CLUSTER in known else {})

    def look(self, after: float = 0) -> list[Any]:
        """The calls that this check has started."""
        self.clock.advance(after)
        for number in self.guests:
            self.tables.change(
                instance_models.InstanceServiceStatus, self.id_of(number),
                updated_at=timeutils.utcnow())
        self.begun.clear()
        self.watch.look()
        return [target for target, _ in self.begun]

    def test_it_has_patience(self) -> None:
        self.assertEqual([], self.look())
        self.assertEqual([], self.look(after=PATIENCE - 1))
        self.assertEqual([automatic.attend], self.look(after=1))
        self.assertEqual(fakes.CLUSTER, self.begun[0][1])

    def test_a_survivor_does_not_have_to_wait_so_long(self) -> None:
        self.tells(2, Statuses.BLOCKED)
        self.look()
        self.assertEqual([], self.look(after=PATIENCE / 3 - 1))
        self.assertEqual([automatic.attend_survivor], self.look(after=1))

    def test_whoever_serves_again_is_seen_anew(self) -> None:
        self.look()
        self.tells(1, Statuses.HEALTHY)
        self.look(after=PATIENCE - 1)
        self.tells(1, Statuses.SHUTDOWN)
        self.assertEqual([], self.look(after=1))
        self.assertEqual([automatic.attend], self.look(after=PATIENCE))

    def test_the_next_try_waits_twice_as_long(self) -> None:
        self.look()
        self.look(after=PATIENCE)
        self.alive = False
        self.assertEqual([], self.look(after=2 * PATIENCE - 1))
        self.assertEqual([automatic.attend], self.look(after=1))

    def test_tries_are_counted_while_a_recovery_runs(self) -> None:
        self.look()
        self.look(after=PATIENCE)
        self.alive = False
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.assertEqual([], self.look(after=10 * PATIENCE))
        self.begin(ClusterTasks.NONE)
        self.assertEqual([automatic.attend], self.look())
        self.alive = False
        self.assertEqual([], self.look(after=4 * PATIENCE - 1))

    def test_a_cluster_with_another_task_is_not_looked_at(self) -> None:
        self.begin(ClusterTasks.RESTARTING_CLUSTER)
        self.look()
        self.begin(ClusterTasks.NONE)
        self.assertEqual([], self.look(after=PATIENCE))

    def test_another_operation_ends_the_case(self) -> None:
        self.look()
        self.begin(ClusterTasks.DELETING)
        self.look(after=PATIENCE)
        self.begin(ClusterTasks.NONE)
        self.assertEqual([], self.look())

    def test_at_rest_no_rows_of_members_are_read(self) -> None:
        self.begin(ClusterTasks.DELETING)
        before = self.tables.statements
        self.watch.look()
        self.assertEqual(1, self.tables.statements - before)

    def test_one_that_is_attended_to_is_not_twice(self) -> None:
        self.look()
        self.look(after=PATIENCE)
        self.assertEqual([], self.look(after=10 * PATIENCE))

    def test_it_can_be_switched_off(self) -> None:
        self.look()
        self.override(automatic_recovery=False)
        self.look()
        self.assertEqual([True, False], self.wanted)


class Threads:
    """Threads that record what they were to run."""

    def __init__(self, test: LookTest) -> None:
        self._test = test

    def Thread(self, target: Any, args: Any, daemon: bool) -> Any:  # noqa
        def start() -> None:
            self._test.alive = True
            self._test.begun.append((target, str(args[0].id)))
        self._test.assertTrue(daemon)
        thread = mock.Mock(spec=['start', 'is_alive'])
        thread.start.side_effect = start
        thread.is_alive.side_effect = lambda: self._test.alive
        return thread


class AttendTest(AutomaticTestCase):
    """The answers of the members, and whether a recovery starts."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.MockPatchObject(
            task_models, 'load_cluster_tasks', autospec=True,
            return_value=self.cluster))
        self.told = self.useFixture(fixtures.MockPatchObject(
            rpc, 'get_notifier', autospec=True)).mock.return_value.info
        self.api = specs.spec(api.GaleraTaskAPI)
        self.useFixture(fixtures.MockPatchObject(
            task_api, 'load', autospec=True, return_value=self.api))

    def attend(self, begun: bool) -> None:
        """Also check that it only asks the members."""
        self.assertIs(begun, automatic.attend(self.row()))
        self.assertEqual([], self.galera.told)
        self.assertEqual(begun, self.api.recover_cluster.called)
        self.assertEqual(
            ClusterTasks.RESTARTING_CLUSTER if begun else ClusterTasks.NONE,
            self.cluster_task)

    def test_all_have_stopped_and_may_be_continued(self) -> None:
        self.attend(begun=True)
        self.api.recover_cluster.assert_called_once_with(
            fakes.MANAGER, fakes.CLUSTER)
        for number in self.guests:
            self.assertEqual(pending.recovery(None), pending.of(
                self.tables.instance(self.id_of(number))))
        (context, _) = task_api.load.call_args.args
        restarting = ClusterTasks.RESTARTING_CLUSTER.code
        self.assertEqual(
            {fakes.CLUSTER: starts.Start(restarting, context.request_id)},
            starts.of({fakes.CLUSTER: restarting}))

    def test_it_is_told_as_a_recovery(self) -> None:
        self.attend(begun=True)
        call = self.told.call_args_list[0]
        self.assertEqual('dbaas.cluster_recover.start', call.args[1])
        self.assertEqual(
            ('demo', fakes.CLUSTER),
            (call.args[2]['tenant_id'], call.args[2]['cluster_id']))
        self.assertIn('WARNING No member of cluster', self.log.output)

    def test_nothing_is_forced(self) -> None:
        self.guests[2].silent = True
        self.attend(begun=False)
        self.assertIn('c-2 did not answer', self.log.output)

    def test_another_history_is_not_judged(self) -> None:
        self.guests[2].stands(STATES.STOPPED, uuid=fakes.FOREIGN)
        self.attend(begun=False)

    def test_a_primary_component_is_left_alone(self) -> None:
        self.guests[2].enters()
        self.attend(begun=False)
        self.assertIn('is in the primary component', self.log.output)

    def test_one_that_looks_for_the_others_does_not_forbid_it(self) -> None:
        self.guests[2].stands(STATES.STARTING)
        self.attend(begun=True)

    def test_nor_one_that_fails_at_each_start(self) -> None:
        self.guests[2].stands(STATES.CRASHED, seqno=-1)
        self.attend(begun=True)

    def test_one_that_starts_beside_a_silent_one_does(self) -> None:
        self.guests[2].stands(STATES.STARTING)
        self.guests[3].silent = True
        self.attend(begun=False)

    def test_one_that_is_still_stopping_is_waited_for(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.guests[2].unresponsive = True
        self.clock.after(10, lambda: self.guests[2].stands(STATES.STOPPED))
        self.attend(begun=True)
        self.assertGreaterEqual(self.clock.now, 10)

    def test_one_that_hangs_forbids_it_in_the_end(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.guests[2].unresponsive = True
        self.attend(begun=False)
        self.assertEqual(30, self.clock.now)

    def test_two_claim_it_and_one_gets_it(self) -> None:
        row = self.row()
        self.begin(ClusterTasks.UPDATING_CLUSTER)
        self.assertFalse(automatic.attend(row))
        self.api.recover_cluster.assert_not_called()
        self.assertEqual(ClusterTasks.UPDATING_CLUSTER, self.cluster_task)

    def test_an_error_of_trove_is_told_in_the_log(self) -> None:
        task_models.load_cluster_tasks.side_effect = (
            exception.ModelNotFoundError())
        self.attend(begun=False)
        self.assertIn('ERROR The automatic recovery', self.log.output)

    def survivor(self, begun: bool) -> int:
        """The number of counted tries."""
        case = specs.spec(automatic.Case)
        self.assertIs(begun, automatic.attend_survivor(self.row(), case))
        self.assertEqual([], self.galera.told)
        return int(case.tried.call_count)

    def test_only_a_recovery_brings_a_survivor_back(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.assertEqual(1, self.survivor(begun=True))
        self.api.recover_cluster.assert_called_once()

    def test_a_survivor_waits_for_those_it_may_meet_again(self) -> None:
        self.guests[2].stands(STATES.RUNNING)
        self.guests[3].stands(STATES.STOPPED, view_present=True)
        self.assertEqual(0, self.survivor(begun=False))
        self.api.recover_cluster.assert_not_called()

    def test_one_that_cannot_be_asked_is_no_try(self) -> None:
        task_models.load_cluster_tasks.side_effect = (
            exception.ModelNotFoundError())
        self.assertEqual(0, self.survivor(begun=False))
        self.assertIn('INFO The members of cluster', self.log.output)
