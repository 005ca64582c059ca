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

"""The fakes of the taskmanager's tests have the interface of the real classes.

And they behave like them where a test relies on it.
"""

from collections.abc import Iterator
import inspect
from typing import Any

from neutronclient.v2_0 import client as neutron_client
import testtools
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.db.sqlalchemy import api as database
from trove.instance import models as instance_models
from trove.instance.tasks import InstanceTasks

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager import tables
from trove_pxc.galera import view
from trove_pxc.guestagent import api as guest_api
from trove_pxc.taskmanager.cloud import members

STATES = view.ServerState


def parameters(method: Any) -> list[tuple[str, Any]]:
    return [(one.name, one.default)
            for one in inspect.signature(method).parameters.values()][1:]


def public(kind: type) -> Iterator[str]:
    return (name for name, value in vars(kind).items()
            if inspect.isfunction(value) and not name.startswith('_'))


class InterfaceTest(fakes.ClusterTestCase):

    def test_guest_has_the_parameters_of_the_rpc_client(self) -> None:
        calls = list(public(guest_api.GaleraGuestAPI))
        self.assertIn('member_report', calls)
        for name in calls:
            self.assertEqual(
                parameters(getattr(guest_api.GaleraGuestAPI, name)),
                parameters(getattr(fakes.Guest, name)), name)

    def test_member_has_only_attributes_of_the_real_class(self) -> None:
        (member, *_) = members.load(None, self.cluster)
        self.assertIsInstance(member, members.Member)
        self.assertEqual([], list(public(fakes.Member)))
        true = {name for name in dir(members.Member)}
        for name in ('guest', 'nova', 'neutron', 'cinder'):
            self.assertIn(name, true)

    def test_neutron_has_the_parameters_of_its_client(self) -> None:
        for name in public(fakes.Neutron):
            true = inspect.signature(getattr(neutron_client.Client, name))
            own = [one for one, _ in parameters(getattr(fakes.Neutron, name))]
            if name.startswith('list_'):
                true.bind('self', **dict.fromkeys(own))
            else:
                true.bind('self', *own)

    def test_tables_are_used_as_troves_database(self) -> None:
        for name in ('list', 'find_all', 'find_by', 'save', 'delete',
                     '_base_query'):
            self.assertEqual(
                len(inspect.signature(getattr(database, name)).parameters),
                len(inspect.signature(getattr(tables, name)).parameters),
                name)


class GaleraTest(fakes.ClusterTestCase):
    """Servers that a test does not set by hand."""

    def view(self, number: int) -> view.NodeView:
        return self.guests[number].member_report().view

    def test_members_of_the_component_serve_and_see_each_other(self) -> None:
        self.guests[1].bootstrap_member()
        self.guests[2].join_member()
        for number in (1, 2):
            seen = self.view(number)
            self.assertTrue(seen.serves)
            self.assertEqual((2, fakes.HISTORY),
                             (seen.cluster_size, seen.cluster_uuid))

    def test_server_that_finds_no_other_is_non_primary(self) -> None:
        self.guests[1].start_member()
        report = self.guests[1].member_report()
        self.assertEqual((STATES.STARTING, None, True),
                         (report.server, report.view, report.started))

    def test_server_that_runs_alone_is_not_in_the_component(self) -> None:
        self.guests[1].stands(STATES.RUNNING, 90)
        seen = self.view(1)
        self.assertFalse(seen.in_primary)
        self.assertEqual(90, seen.last_committed)

    def test_position_is_readable_only_if_the_server_is_down(self) -> None:
        guest = self.guests[1]
        guest.stands(STATES.STARTING, 90)
        self.assertEqual(-1, guest.member_position().seqno)
        self.assertTrue(guest.halt_member())
        self.assertEqual(90, guest.member_position().seqno)
        self.assertFalse(guest.halt_member())

    def test_primary_member_is_not_halted(self) -> None:
        self.guests[1].enters()
        self.guests[1].halt_member()
        self.assertTrue(self.view(1).in_primary)

    def test_answers_set_by_a_test_are_returned(self) -> None:
        guest = self.guests[1]
        guest.will('promote_member', False, exception.GuestTimeout())
        self.assertFalse(guest.promote_member('uuid', 1))
        self.assertRaises(exception.GuestTimeout, guest.promote_member,
                          'uuid', seqno=2)
        self.assertTrue(guest.promote_member('uuid', 3))
        self.assertEqual(['c-1'] * 3, self.galera.was_told('promote_member'))
        self.assertEqual(('uuid', 3),
                         self.galera.given['c-1 promote_member'])

    def test_unresponsive_guest(self) -> None:
        self.guests[1].silent = True
        self.assertRaises(exception.GuestTimeout,
                          self.guests[1].member_report)
        self.assertEqual(['c-1 member_report'], self.galera.asked)

    def test_killer_stops_before_and_after_each_call(self) -> None:
        for moment, done in ((0, False), (1, True)):
            self.galera.inside.clear()
            self.galera.killing = fakes.Killer(moment)
            self.assertRaises(fakes.Killed,
                              self.guests[1].bootstrap_member)
            self.assertEqual(done, bool(self.galera.inside))


class TablesTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.tables = self.useFixture(tables.Tables())
        self.tables.add(instance_models.DBInstance, InstanceTasks.NONE,
                        id='a', name='c-1')

    def get(self) -> Any:
        return instance_models.DBInstance.get_by(id='a', deleted=False)

    def test_rows_are_read_as_copies(self) -> None:
        before = self.get()
        before.name = 'not written'
        self.assertEqual('c-1', self.get().name)
        self.tables.change(instance_models.DBInstance, 'a', name='c-9')
        self.assertEqual('not written', before.name)
        self.assertEqual('c-9', self.get().name)

    def test_updates_are_written(self) -> None:
        self.get().update(task_status=InstanceTasks.DELETING)
        self.assertEqual(InstanceTasks.DELETING, self.get().task_status)
        self.assertEqual(InstanceTasks.DELETING.db_text,
                         self.get().task_description)

    def test_conditions_apply(self) -> None:
        self.assertIsNone(instance_models.DBInstance.get_by(id='b'))
        self.get().update(deleted=True)
        self.assertIsNone(self.get())
        self.assertEqual([], instance_models.DBInstance.find_all(
            deleted=False).all())

    def test_columns_can_be_used_in_conditions(self) -> None:
        model = instance_models.DBInstance
        for column, value, found in (
                (model.id.in_(['a', 'b']), False, 1),
                (model.id.in_(['b']), False, 0),
                (model.deleted.is_(False), False, 1),
                (model.deleted.is_(True), False, 0),
                (model.id.in_(['a']), True, 0)):
            self.assertEqual(found, len(model.find_by_filter(
                filters=[column], deleted=value).all()))
        with model.query() as query:
            self.assertEqual(1, len(query.filter(
                model.id.in_(['a']), model.deleted.is_(False)).all()))

    def test_an_update_returns_the_number_of_rows(self) -> None:
        self.tables.add(cluster_models.DBCluster, ClusterTasks.NONE, id='c')
        for met in (1, 0):
            with cluster_models.DBCluster.query() as query:
                self.assertEqual(met, query.filter_by(
                    id='c', task_id=ClusterTasks.NONE.code).update(
                        {'task_id': ClusterTasks.DELETING.code}))


class TidyTest(testtools.TestCase):

    def test_each_test_begins_with_empty_tables(self) -> None:
        model = instance_models.DBInstance
        with tables.Tables() as first:
            first.add(model, InstanceTasks.NONE, id='a')
        with tables.Tables() as second:
            self.assertEqual([], model.find_all().all())
            self.assertEqual(1, second.statements)

    def test_the_real_models_are_back_afterwards(self) -> None:
        model = cluster_models.DBCluster
        before = vars(model).get('task_id')     # Of SQLAlchemy, or None.
        with tables.Tables():
            self.assertIsInstance(vars(model)['task_id'], tables.Column)
        self.assertIs(before, vars(model).get('task_id'))
