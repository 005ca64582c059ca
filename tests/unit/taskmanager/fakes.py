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

"""The base of the taskmanager's tests: a cluster with fake guests.

All code of this package is real except the guests, which replace the RPC
client. Trove's tables are in memory. Time passes only in waits.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterable
from collections.abc import Iterator
import dataclasses
import datetime
import functools
import itertools
import types
from typing import Any

import fixtures
from neutronclient.common import exceptions as neutron_exceptions
import testtools
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import exception
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks

from tests.unit import clock
from tests.unit.taskmanager import tables
from trove_pxc import conf
from trove_pxc.galera import backups
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import position
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import rows

CONF = cfg.CONF
conf.register(CONF)

Statuses = service_status.ServiceStatuses
ServerState = view.ServerState

MANAGER = 'mariadb'
CLUSTER = 'c0000000-0000-4000-8000-000000000000'
VERSION = 'd0000000-0000-4000-8000-000000000000'
HISTORY = '11111111-1111-11f1-a111-111111111111'
FOREIGN = '22222222-2222-22f2-a222-222222222222'
SEQNO = 100
#: seconds between two polls; Clock.pauses shows with them which code polled
INTERVALS = {'member_poll_interval': 1, 'database_poll_interval': 2,
             'cloud_poll_interval': 4}
NOTHING = position.Position(
    uuid=None, seqno=-1, safe_to_bootstrap=None, sst_in_progress=False,
    grastate_present=False, view_present=False)
AT_REST = position.Position(
    uuid=HISTORY, seqno=SEQNO, safe_to_bootstrap=False,
    sst_in_progress=False, grastate_present=True, view_present=False,
    seen_uuid=HISTORY, seen_seqno=SEQNO)
_GOES = (ServerState.STARTING, ServerState.RUNNING, ServerState.UNRESPONSIVE)


class Galera:
    """The state that the servers of all guests of a test share.

    :ivar inside: the guests in the primary component.
    :ivar told: the orders to the guests: "c-1 halt_member".
    :ivar asked: the questions to the guests.
    :ivar stopped: the members that halt_member has stopped.
    :ivar given: the arguments of the last call of each order.
    :ivar killing: called before and after each order.
    """

    def __init__(self) -> None:
        self.history = HISTORY
        self.inside: list[Guest] = []
        self.written: set[str] = set()
        self.told: list[str] = []
        self.asked: list[str] = []
        self.stopped: list[str] = []
        self.given: dict[str, tuple[Any, ...]] = {}
        self.killing: Callable[[], None] = lambda: None

    def was_told(self, method: str) -> list[str]:
        """The members that got this order, in order."""
        return [order.split()[0] for order in self.told
                if order.split()[1] == method]


def _noted(journal: str) -> Callable[..., Any]:
    """A method that records its calls, and that a test may replace."""
    def decorate(method: Any) -> Any:
        @functools.wraps(method)
        def called(guest: 'Guest', *args: Any, **kwargs: Any) -> Any:
            name, galera = method.__name__, guest.galera
            if journal == 'told':
                galera.killing()
            getattr(galera, journal).append(f'{guest.name} {name}')
            galera.given[f'{guest.name} {name}'] = (*args, *kwargs.values())
            if guest.silent:
                raise exception.GuestTimeout()
            answer = next(guest.answers.get(name, iter(())), method)
            if isinstance(answer, Exception):
                raise answer
            if answer is method:
                answer = method(guest, *args, **kwargs)
            elif callable(answer):
                answer = answer()
            if journal == 'told':
                galera.killing()
            return answer
        return called
    return decorate


_order, _question = _noted('told'), _noted('asked')


class Guest:
    """One guest, as its RPC client shows it, in the state that a test sets.

    Its methods are those of guestagent.api.GaleraGuestAPI. Servers start
    and stop at once.

    :ivar place: the position on its disk while its server is stopped.
    :ivar silent: whether it does not answer.
    :ivar mute: whether its server runs but does not answer SQL.
    :ivar looks: values of its report that replace the computed ones.
    :ivar sees: values of its server's view that replace the computed ones.
    :ivar restore: the progress of its restore.
    :ivar answers: the results of the next calls, by method.
    """

    def __init__(self, galera: Galera, name: str,
                 report_status: Callable[[Any], None]) -> None:
        self.galera = galera
        self.name = name
        self.report_status = report_status
        self.server = ServerState.ABSENT
        self.place = NOTHING
        self.started = False
        self.silent = False
        self.unresponsive = False
        self.looks: dict[str, Any] = {}
        self.sees: dict[str, Any] = {}
        self.membership: Membership | None = None
        self.restore: backups.Progress | None = None
        self.root_enabled = False
        self.answers: dict[str, Iterator[Any]] = {}

    def will(self, method: str, *answers: Any) -> None:
        """Make the next calls raise, return or call these, one by one."""
        self.answers[method] = iter(answers)

    def always(self, method: str, answer: Any) -> None:
        self.answers[method] = itertools.repeat(answer)

    # Methods with which a test sets the state of a server.

    def enters(self) -> None:
        """Set it to run, Synced in the primary component."""
        self.server, self.started = ServerState.RUNNING, True
        self.place = dataclasses.replace(
            AT_REST, uuid=self.galera.history, view_present=True)
        if self not in self.galera.inside:
            self.galera.inside.append(self)

    def stands(self, server: ServerState, seqno: int = SEQNO,
               **place: Any) -> None:
        """Set it outside the component, with a state and a position."""
        if self in self.galera.inside:
            self.galera.inside.remove(self)
        self.server, self.started = server, True
        self.place = dataclasses.replace(AT_REST, seqno=seqno, **place)

    def _starts(self) -> None:
        self.started = True
        if self.galera.inside:
            self.enters()
        else:
            self.server = ServerState.STARTING

    # Methods of GaleraGuestAPI.

    @_question
    def member_report(self, seconds: float | None = None
                      ) -> view.MemberReport:
        report = view.MemberReport(
            server=self.server, view=self._view(), data_bytes=0,
            started=self.started, exit_code=None, error='')
        return dataclasses.replace(report, **self.looks)

    def awaited_report(self, patience: float) -> view.MemberReport:
        return self.member_report()

    def _view(self) -> view.NodeView | None:
        if self.server is not ServerState.RUNNING or self.unresponsive:
            return None
        inside = self in self.galera.inside
        found = view.NodeView.from_status({
            'wsrep_cluster_status': 'Primary' if inside else 'non-Primary',
            'wsrep_local_state': '4' if inside else '0',
            'wsrep_cluster_size': str(max(1, len(self.galera.inside))),
            'wsrep_cluster_state_uuid': self.place.uuid or '',
            'wsrep_last_committed': str(self.place.seqno),
            'wsrep_ready': 'ON' if inside else 'OFF',
            'wsrep_incoming_addresses': ','.join(
                [guest.name for guest in self.galera.inside]
                if inside else [self.name])})
        return dataclasses.replace(found, **self.sees)

    @_question
    def member_position(self) -> position.Position:
        return (dataclasses.replace(self.place, seqno=-1)
                if self.server in _GOES else self.place)

    @_question
    def member_variables(self, names: Collection[str]) -> dict[str, str]:
        return dict.fromkeys(names, '')

    @_question
    def member_context(self) -> Membership | None:
        return self.membership

    @_question
    def read_probe(self, token: str) -> bool:
        return token in self.galera.written

    @_order
    def configure_member(self, facts: settings.MemberFacts,
                         secrets: settings.ClusterSecrets,
                         identity: Any = None) -> None:
        self.membership = Membership(facts, secrets, identity)

    @_order
    def bootstrap_member(self) -> None:
        self.galera.inside.clear()
        self.enters()

    @_order
    def start_backup(self, order: backups.Order) -> None:
        """No operation makes backups."""

    @_order
    def start_restore(self, order: backups.Restoring) -> None:
        self.restore = self.restore or backups.Progress(
            order.id, backups.State.RUNNING, backups.Step.FETCH)

    @_question
    def backup_progress(self, backup_id: str) -> backups.Progress:
        return self.restore or backups.unknown(backup_id)

    @_order
    def renew_backup_token(self, backup_id: str,
                           token: secret.Secret) -> None:
        """The next progress shows whether it is valid."""

    @_order
    def cancel_backup(self, backup_id: str) -> None:
        """The restore ends."""

    @_order
    def bootstrap_restored(self) -> None:
        self.galera.inside.clear()
        self.enters()

    @_question
    def is_root_enabled(self) -> bool:
        return self.root_enabled

    @_order
    def join_member(self, forming: bool = True) -> None:
        self._starts()

    @_order
    def start_member(self) -> None:
        self._starts()

    @_order
    def stop_member(self) -> None:
        self.stands(ServerState.STOPPED)

    @_order
    def halt_member(self) -> bool:
        ran = self.server not in (ServerState.ABSENT, ServerState.STOPPED)
        if self not in self.galera.inside:
            self.server = ServerState.STOPPED
        if ran:
            self.galera.stopped.append(self.name)
        return ran

    @_order
    def promote_member(self, uuid: str, seqno: int) -> bool:
        self.enters()
        return True

    @_order
    def continue_member(self, uuid: str, seqno: int) -> None:
        self.enters()

    @_question
    def restore_accounts(self) -> None:
        """All accounts are right."""

    @_order
    def write_probe(self, token: str) -> None:
        self.galera.written.add(token)

    @_order
    def drop_probe(self) -> None:
        self.galera.written.clear()

    @_order
    def cluster_complete(self) -> None:
        self.report_status(Statuses.HEALTHY)


class Neutron:
    """Ports and the rules of security groups, by their owner."""

    def __init__(self) -> None:
        self.ports: dict[str, list[Any]] = {}
        self.groups: dict[str, str] = {}
        self.rules: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.full = False
        self._ids = itertools.count(1)

    def list_ports(self, name: str | None = None,
                   device_id: str | None = None) -> Any:
        return {'ports': self.ports.get(name or device_id or '', [])}

    def list_security_groups(self, name: str) -> Any:
        return {'security_groups': [
            {'id': group} for known, group in self.groups.items()
            if known == name]}

    def list_security_group_rules(self, security_group_id: str,
                                  direction: str) -> Any:
        return {'security_group_rules': [
            rule for rule in self.rules
            if rule['security_group_id'] == security_group_id
            and rule['direction'] == direction]}

    def create_security_group_rule(self, body: Any) -> None:
        self.calls.append('create')
        if self.full:
            raise neutron_exceptions.OverQuotaClient()
        for rule in body['security_group_rules']:
            if any(rule.items() <= other.items() for other in self.rules):
                raise neutron_exceptions.Conflict()
        for rule in body['security_group_rules']:
            self.rules.append({'id': next(self._ids), **rule})

    def delete_security_group_rule(self, rule_id: int) -> None:
        self.calls.append('delete')
        found = [rule for rule in self.rules if rule['id'] == rule_id]
        if not found:
            raise neutron_exceptions.NotFound()
        self.rules.remove(found[0])


class Cloud:
    """The part of the cloud that an operation uses if nothing fails."""

    def __init__(self) -> None:
        self.neutron = Neutron()
        self.servers: dict[str, Any] = {}
        self.nova = types.SimpleNamespace(
            servers=types.SimpleNamespace(get=self.servers.__getitem__),
            flavors=types.SimpleNamespace(
                get=lambda flavor: types.SimpleNamespace(ram=1024)))
        self.cinder = types.SimpleNamespace(volumes=types.SimpleNamespace(
            list=lambda search_opts: []))


class Member(members.Member):
    """A real member with a fake guest and a fake cloud."""

    def __init__(self, number: int, row: Any, guest: Guest,
                 cloud: Cloud) -> None:
        super().__init__(None, MANAGER, number, row)
        self.guest = guest
        self.nova = cloud.nova
        self.neutron = cloud.neutron
        self.cinder = cloud.cinder


class Killed(BaseException):
    """The taskmanager is killed here."""


class Killer:
    """Kills the taskmanager at one of its orders to guests.

    :param moment: the number of the moment; each order has two, one before
        and one after it.
    """

    def __init__(self, moment: int) -> None:
        self._left = moment

    def __call__(self) -> None:
        if self._left == 0:
            raise Killed()
        self._left -= 1


def secrets(word: str = 'secret') -> settings.ClusterSecrets:
    """The shared secrets of a cluster that is not encrypted."""
    return settings.ClusterSecrets(*[secret.Secret(word)] * 3)


def facts(**values: Any) -> settings.MemberFacts:
    """The facts of a member whose settings contain no other member."""
    return dataclasses.replace(settings.MemberFacts(
        CLUSTER, CLUSTER.replace('-', ''), 'c-0', '10.0.0.10', (), 'i-0',
        1024, 1), **values)


def states(cluster_ids: Iterable[str]) -> dict[str, rows.State]:
    """What rows.read() reads, from the tables of a test."""
    found = {}
    for cluster_id in cluster_ids:
        cluster = cluster_models.DBCluster.get_by(id=cluster_id)
        if cluster is not None and not cluster.deleted:
            found[cluster_id] = rows.State(
                cluster.task_id, cluster.updated, {
                    row.id: rows.Instance(
                        row.task_status, _status(row.id),
                        row.compute_instance_id, bool(
                            row.task_start_time or row.compute_instance_id))
                    for row in instance_models.DBInstance.find_all(
                        cluster_id=cluster_id, deleted=False).all()})
    return found


def _status(instance_id: str) -> Any:
    row = instance_models.InstanceServiceStatus.get_by(
        instance_id=instance_id)
    return row and row.status


class ClusterTestCase(testtools.TestCase):
    """A test with a cluster "c" in Trove's tables, and its guests.

    :cvar size: the number of members, "c-1" and so on.
    :ivar guests: by number; prepared, and never started.
    """

    size = 3

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            format='%(levelname)s %(message)s'))
        self.clock = self.useFixture(clock.Clock())
        self.tables = self.useFixture(tables.Tables())
        self.useFixture(fixtures.MockPatchObject(
            rows, 'SHARED', rows.Reader(states)))
        self.galera = Galera()
        self.cloud = Cloud()
        self.override(encrypt_cluster_traffic=False, **INTERVALS)
        self.tables.add(
            datastore_models.DBDatastoreVersion, id=VERSION, name='10.11',
            version='10.11', manager=MANAGER)
        self.tables.add(
            cluster_models.DBCluster, ClusterTasks.NONE, id=CLUSTER,
            name='c', tenant_id='demo',
            updated=datetime.datetime(2026, 11, 30, 8, 0))
        self.cluster: Any = types.SimpleNamespace(
            id=CLUSTER, name='c', tenant_id='demo',
            ds_version=types.SimpleNamespace(manager=MANAGER))
        self.guests: dict[int, Guest] = {}
        for number in range(1, self.size + 1):
            self.add_member(number)
        self.useFixture(fixtures.MockPatchObject(
            members, 'load', autospec=True, side_effect=self._load))

    def override(self, group: str | None = MANAGER, **values: Any) -> None:
        """Set options for this test."""
        for name, value in values.items():
            CONF.set_override(name, value, group)
            self.addCleanup(CONF.clear_override, name, group)

    def add_member(self, number: int, status: Any = Statuses.INSTANCE_READY,
                   task: Any = InstanceTasks.NONE) -> Guest:
        instance_id, name = self.id_of(number), f'c-{number}'
        server_id = f'server-{number}'
        self.tables.add(
            instance_models.DBInstance, task, id=instance_id, name=name,
            cluster_id=CLUSTER, tenant_id='demo', flavor_id='1',
            volume_size=1, shard_id=f'{number}/{self.size}',
            datastore_version_id=VERSION,
            compute_instance_id=server_id)
        self.tables.add(
            instance_models.InstanceServiceStatus, status, id=instance_id,
            instance_id=instance_id)
        self.cloud.servers[server_id] = types.SimpleNamespace(
            id=server_id, status='ACTIVE')
        self.cloud.neutron.ports[f'trove-{instance_id}'] = [{
            'id': f'port-{number}', 'network_id': 'net',
            'fixed_ips': [{'ip_address': f'10.0.0.{number}'}]}]
        self.guests[number] = Guest(
            self.galera, name,
            lambda status: self.report_status(number, status))
        return self.guests[number]

    @staticmethod
    def id_of(number: int) -> str:
        return f'1000000{number}-0000-4000-8000-000000000000'

    def _load(self, context: Any, cluster: Any) -> list[Member]:
        rows = {row.id: row for row in instance_models.DBInstance.find_all(
            cluster_id=cluster.id, deleted=False).all()}
        return [Member(number, rows[self.id_of(number)], guest, self.cloud)
                for number, guest in sorted(self.guests.items())
                if self.id_of(number) in rows]

    def report_status(self, number: int, status: Any) -> None:
        """Set the status that a guest reports to Trove."""
        self.tables.change(instance_models.InstanceServiceStatus,
                           self.id_of(number), status=status)

    def change(self, number: int, **values: Any) -> None:
        """Change a member's row, as another process may do."""
        self.tables.change(instance_models.DBInstance, self.id_of(number),
                           **values)

    def killed_at(self, moment: int, run: Callable[[], object]) -> bool:
        """Whether an operation has so many moments; kill it at this one."""
        self.galera.killing = Killer(moment)
        try:
            run()
        except Killed:
            return True
        finally:
            self.galera.killing = lambda: None
        return False

    def delete_cluster(self) -> None:
        """Set the task of a deletion as trove-api does."""
        self.begin(ClusterTasks.DELETING)

    def complete(self, numbers: Iterable[int] | None = None) -> None:
        """Make these members report HEALTHY, as in a complete cluster."""
        for number in self.guests if numbers is None else numbers:
            self.report_status(number, Statuses.HEALTHY)

    def begin(self, task: Any) -> None:
        """Set the task as trove-api does before the cast."""
        self.tables.change(cluster_models.DBCluster, CLUSTER,
                           task_status=task)

    @property
    def cluster_task(self) -> Any:
        return self.tables.cluster(CLUSTER).task_status

    def task(self, number: int) -> Any:
        """The task in a member's row."""
        return self.tables.instance(self.id_of(number)).task_status

    def blame(self, names: Iterable[str]) -> tuple[str, ...]:
        """The ids of these members."""
        return tuple(self.id_of(int(name.split('-')[1])) for name in names)
