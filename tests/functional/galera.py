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

"""A Galera cluster in memory, behind the RPC methods of its guests.

Each guest is an RPC endpoint on the topic where the real agent would listen,
so that the taskmanager's own client calls it.
"""

import contextlib
import datetime
import threading
import time
from typing import Any
import uuid

from cryptography import exceptions
from cryptography import x509
import oslo_messaging as messaging
from trove.guestagent import api
from trove.instance import models as instance_models
from trove.instance import service_status
from trove import rpc

from tests.functional import accounts
from tests.functional import backing_up
from tests.functional import volumes
from tests import sqlserver
from trove_pxc.galera import catchup
from trove_pxc.galera import position
from trove_pxc.galera import view
from trove_pxc import waiting

Statuses = service_status.ServiceStatuses
ServerState = view.ServerState


class FakeGalera:
    """All guests, and the primary component that they may form.

    :ivar history: the UUID of the cluster, '' until a bootstrap.
    :ivar seqno: the last write set of the component.
    :ivar promotions: how often a non-primary component was made primary.
    :ivar events: what happened, in order: "bootstrap c-1", "join c-2".
    :ivar sizes: of the component after each stop of a server.
    :ivar lost_accounts: whether the account for state transfers was dropped.
    :ivar restorations: how often a guest was asked to restore its accounts.
    :ivar server: with the users and databases of every member.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.guests: dict[str, Guest] = {}
        self.component: list[Guest] = []
        self.history = ''
        self.seqno = 0
        self.promotions = 0
        self.rows: set[str] = set()
        self.events: list[str] = []
        self.habits: dict[str, dict[str, Any]] = {}
        self.sizes: list[int] = []
        self.lost_accounts = False
        self.restorations = 0
        self.server = sqlserver.Server()

    @property
    def users(self) -> dict[str, Any]:
        """By name and host; the same on every member."""
        return self.server.users

    @property
    def databases(self) -> dict[str, Any]:
        """By name; the same on every member."""
        return self.server.databases

    def boot(self, server: Any) -> None:
        """A server booted: its agent listens from now on."""
        instance_id = server.metadata['trove_instance_id']
        guest = Guest(self, instance_id, server.name)
        self.guests[instance_id] = guest
        if not guest.habit('dead'):
            guest.listen()

    def reboot(self, server: Any) -> None:
        """A server booted again; its agent starts a member by itself."""
        guest = self.guests[server.metadata['trove_instance_id']]
        self.tell(f'reboot {guest.name}')
        guest.leave()
        guest.wake_up()
        if not guest.habit('dies_at_reboot'):
            guest.come_back()

    def mounted(self, server: Any) -> bool:
        """Whether a guest uses its volume."""
        return self.guests[server.metadata['trove_instance_id']].mounted

    def lose(self, server: Any) -> None:
        """A server was deleted."""
        guest = self.guests.get(server.metadata['trove_instance_id'])
        if guest is not None:
            guest.die()

    def close(self) -> None:
        for guest in list(self.guests.values()):
            guest.die()

    def forget(self) -> None:
        """As if all guests had just been prepared."""
        self.component.clear()
        self.history = ''
        self.seqno = 0
        self.events.clear()
        for guest in self.guests.values():
            guest.begin()
            guest.report_status(Statuses.INSTANCE_READY)

    def write(self) -> None:
        """Apply one write set on all members of the primary component."""
        with self.lock:
            assert self.component
            self.seqno += 1
            for guest in self.component:
                guest.applied = self.seqno

    def stand(self, name: str, server: ServerState, applied: int,
              **data: Any) -> None:
        """Set the state of a guest after a failure; it is not primary."""
        with self.lock:
            guest = self.named(name)
            guest.leave()
            guest.server, guest.applied = server, applied
            guest.history = self.history
            guest.spoiled = guest.safe = guest.held = guest.ordered = False
            guest.grastate, guest.seen = True, None
            for key, value in data.items():
                setattr(guest, key, value)

    def lose_quorum(self) -> None:
        """The running servers have no primary component from now on."""
        with self.lock:
            for guest in self.component:
                guest.synced = False
            self.component.clear()

    def continued_by(self, guest: 'Guest') -> None:
        """Bootstrap a component from the data of this guest."""
        with self.lock:
            assert not self.component, f'{guest.name} makes a second one'
            assert guest.history == self.history
            self.promotions += 1
            self.seqno = guest.applied
            self.take_in(guest)

    def take_in(self, guest: 'Guest') -> None:
        """Add a guest to the component; it gets all data."""
        with self.lock:
            if guest not in self.component:
                self.component.append(guest)
            guest.history = self.history
            guest.applied = self.seqno
            guest.spoiled = False
            guest.grastate = True

    def named(self, name: str) -> 'Guest':
        return next(guest for guest in self.guests.values()
                    if guest.name == name)

    def tell(self, event: str) -> None:
        with self.lock:
            self.events.append(event)


def trusts(one: dict[str, str] | None, other: dict[str, str] | None) -> bool:
    """Whether one accepts the certificate of the other, as in OpenSSL."""
    if one is None or other is None:
        return one is other
    certificate = x509.load_pem_x509_certificate(
        other['certificate'].encode())
    for ca in x509.load_pem_x509_certificates(
            one['trusted'].encode()):
        with contextlib.suppress(exceptions.InvalidSignature, ValueError):
            certificate.verify_directly_issued_by(ca)
            return True
    return False


class Guest(accounts.Accounts, backing_up.BackingUp, volumes.Volumes):
    """One guest and its database server.

    ``habits[name]`` of its FakeGalera says in what it differs from a correct
    one: 'dead' (its agent never answers), 'unprepared' (never gets ready),
    'never_told' (it never gets the call to prepare), 'silent' (its agent dies
    when called), 'crashes' (its server ends at each start), 'dies_at_once'
    (before it is seen running), 'stalls' (it never becomes Synced), 'forgets'
    (does not read probes), 'other_history' (it has data of another cluster),
    'cannot_grow' (its file system), 'dies_at_reboot' (its server does not
    start after a reboot), 'fails_to_report' (its agent answers with an error),
    'cannot_stop' (its server), 'ignores_order' (it starts, and does not
    bootstrap), 'unreadable' (its disk cannot be read), 'meets' (it forms a
    component again when all guests with this habit start), 'deaf_for' (for
    this number of reports its server does not answer; then its state is that
    of 'turns_out'), 'makes_deaf' (the named server does not answer when this
    one is stopped), 'counting' (so many times it cannot be promoted yet,
    because its component is changing), 'cannot_restore' (its agent is too old
    to restore its accounts).

    :ivar history: the history of the data, '' if there is none.
    :ivar applied: the last write set in the data.
    :ivar clean: whether the server shut down cleanly.
    :ivar seen: where it was last observed Synced.
    :ivar held: whether the agent does not start a stopped server.
    :ivar variables: what somebody has set, until the next start.
    :ivar locked: whether a client holds a lock on all tables.
    :ivar unresponsive: whether its server answers without its state.
    :ivar denied: whether the server refuses the agent's accounts; the next
        start restores them.
    """

    target = messaging.Target(version=api.API.API_LATEST_VERSION)

    def __init__(self, galera: FakeGalera, instance_id: str,
                 name: str) -> None:
        self.galera = galera
        self.instance_id = instance_id
        self.name = name
        self._listener: Any = None
        self.begin()

    def begin(self) -> None:
        """Become a guest that was just prepared."""
        self.server = ServerState.ABSENT
        self.settings: dict[str, Any] | None = None
        self.started = False
        self.synced = False
        self.reports_until_running = 1
        self.reports_until_synced = 2
        self.crashes = 0
        self.restarts = 0
        self.joined_forming: bool | None = None
        self.history = ''
        self.applied = -1
        self.clean = False
        self.safe = False
        self.spoiled = False
        self.grastate = True
        self.held = False
        self.ordered = False
        self.completed = False
        self.seen: tuple[str, int] | None = None
        self.mounted = True
        self.ran_with: dict[str, Any] = {}
        self.shows: dict[str, str] | None = None
        self.prepared_with: dict[str, Any] = {}
        self.variables: dict[str, str] = {}
        self.meter = catchup.Meter()
        self.locked = False
        self.denied = False
        self.unresponsive = False
        self.restoring = self.making = None

    def habit(self, name: str) -> Any:
        return self.galera.habits.get(self.name, {}).get(name)

    def listen(self) -> None:
        key = instance_models.get_instance_encryption_key(self.instance_id)
        target = messaging.Target(
            topic=f'guestagent.{self.instance_id}', server=self.instance_id,
            version=self.target.version)
        self._listener = rpc.get_server(target, [self], key=key)
        self._listener.start()

    def die(self) -> None:
        with self.galera.lock:
            if self in self.galera.component:
                self.galera.component.remove(self)
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def fall_silent(self) -> None:
        """Its agent stops; its server keeps running."""
        self._listener.stop()
        self._listener = None

    def wake_up(self) -> None:
        """Its agent runs again, if it had stopped."""
        if self._listener is None:
            self.listen()

    def report_status(self, status: Any) -> None:
        """Write a status, as the conductor does."""
        row = instance_models.InstanceServiceStatus.find_by(
            instance_id=self.instance_id)
        row.set_status(status)
        row.save()

    # The RPC methods of guestagent/manager.

    def prepare(self, context: Any, **arguments: Any) -> None:
        assert arguments['cluster_config']['instance_type'] == 'member'
        self.prepared_with = arguments
        # The agent reports when it has ended.
        self.prepared_for = context.notification.event_type()
        if self.habit('never_told'):
            return
        if self.habit('fails_to_prepare'):
            self.report_status(Statuses.FAILED)
        elif not self.habit('unprepared'):
            self.galera.tell(f'prepared {self.name}')
            self.report_status(Statuses.INSTANCE_READY)

    def configure_member(self, context: Any, facts: Any, secrets: Any,
                         identity: Any = None) -> None:
        self._refuse_if_ordered()
        self.galera.tell(f'configure {self.name}')
        self.settings = {'facts': facts, 'secrets': secrets,
                         'identity': identity}

    def _refuse_if_ordered(self) -> None:
        """Fail at the n-th call."""
        left = self.habit('refuses_settings')
        if left:
            self.galera.habits[self.name]['refuses_settings'] = left - 1
        if left == 1:
            raise messaging.RemoteError('OSError', 'read-only file system')

    def bootstrap_member(self, context: Any) -> None:
        with self.galera.lock:
            self.galera.tell(f'bootstrap {self.name}')
            self.bootstrap(context)

    def bootstrap(self, context: Any) -> None:
        assert self.settings and not self.galera.history
        self.started = True
        if self._start():
            self.galera.history = str(uuid.uuid4())
            self.galera.take_in(self)

    def join_member(self, context: Any, forming: bool = True) -> None:
        with self.galera.lock:
            self.galera.tell(f'join {self.name}')
            assert self.settings
            self.started = True
            self.joined_forming = forming
            if self.galera.lost_accounts:
                self.server = ServerState.CRASHED
            elif self._start() and self.galera.component:
                self.galera.take_in(self)

    def _start(self) -> bool:
        assert self.settings
        self.server = ServerState.STARTING
        self.held = self.ordered = False
        self.restarts = 0
        self.shows = self.settings.get('identity')
        self.variables.clear()
        self.locked = self.unresponsive = False
        if self.denied:
            for guest in self.galera.guests.values():
                guest.denied = False
        if (self.habit('crashes') or self.habit('dies_at_once')
                or not self._meets_friends()):
            self.server = ServerState.CRASHED
        return self.server == ServerState.STARTING

    def _meets_friends(self) -> bool:
        """Whether it and each running member trust each other."""
        return all(
            trusts(self.shows, other.shows) and trusts(other.shows, self.shows)
            for other in self.galera.component if other is not self)

    def member_report(self, context: Any,
                      patience: float = 0.0) -> dict[str, Any]:
        if self.habit('silent'):
            self.die()
        if self.habit('fails_to_report'):
            raise messaging.RemoteError('OSError', 'no socket')
        with self.galera.lock:
            self._hear_again()
            if (self.habit('crashes') and self.started
                    and not self.held):
                self.crashes += 1
                self.server = (ServerState.CRASHED if self.crashes % 2
                               else ServerState.STARTING)
            if self.habit('dies_at_once') and self.started:
                self.leave()
                self.restarts += 1
                self.server = ServerState.CRASHED
            if self in self.galera.component and not self.habit('stalls'):
                self._come_up()
                self.reports_until_synced -= 1
                was_synced = self.synced
                self.synced = self.reports_until_synced <= 0
                if self.synced:
                    self.seen = (self.history, self.applied)
                    if self.completed and not was_synced:
                        self.report_status(Statuses.HEALTHY)
            self._meet()
            return view.MemberReport(
                server=self.server, view=self._view(), data_bytes=0,
                started=self.started,
                exit_code=1 if self.server == ServerState.CRASHED else None,
                restarts=self.restarts, error=self._error(), giving=False,
                progress=self.meter.look(self._view(), time.monotonic()),
                backup=self.backed_up(),
                denied=(self.denied
                        and self.server is ServerState.RUNNING),
                certificate_ends=self._certificate_ends()).to_dict()

    def _hear_again(self) -> None:
        if self.server is ServerState.UNRESPONSIVE and self.habit('deaf_for'):
            self.galera.habits[self.name]['deaf_for'] -= 1
            if not self.habit('deaf_for'):
                self.server = self.habit('turns_out')

    def _meet(self) -> None:
        """Restore the last view, if all members of it run again."""
        last_view = [guest for guest in self.galera.guests.values()
                     if guest.habit('meets')]
        if (self in last_view and not self.galera.component and all(
                guest.server == ServerState.STARTING for guest in last_view)):
            self.galera.promotions += 1
            self.galera.seqno = max(guest.applied for guest in last_view)
            for guest in last_view:
                self.galera.take_in(guest)
        if (self.server == ServerState.STARTING and self.galera.component
                and not self.habit('crashes')
                and not self.habit('dies_at_once')):
            self.galera.take_in(self)

    def _come_up(self) -> None:
        if self.server == ServerState.STARTING:
            self.reports_until_running -= 1
            if self.reports_until_running < 0:
                self.server = ServerState.RUNNING

    def _certificate_ends(self) -> datetime.datetime | None:
        if self.shows is None:
            return None
        return x509.load_pem_x509_certificate(
            self.shows['certificate'].encode()).not_valid_after_utc

    def _error(self) -> str:
        if self.habit('fails_to_prepare'):
            return 'no such image in the guest'
        return ('[ERROR] Aborting: disk is 100% full'
                if self.habit('crashes') or self.habit('dies_at_once')
                else '')

    def _view(self) -> view.NodeView | None:
        if (self.server != ServerState.RUNNING or self.denied
                or self.unresponsive):
            return None
        inside = self in self.galera.component
        history = self.habit('other_history') or self.history
        desynced = (self.locked or bool(self.backed_up())
                    or self.variables.get('wsrep_desync') == 'ON')
        state = '2' if desynced else '4'
        if self.variables.get('wsrep_on') == 'OFF':
            state = ''
        return view.NodeView.from_status({
            'wsrep_cluster_status': 'Primary' if inside else 'non-Primary',
            'wsrep_local_state': state if self.synced else '1',
            'wsrep_local_state_comment': '',
            'wsrep_cluster_size': str(len(self.galera.component)),
            'wsrep_cluster_state_uuid': history,
            'wsrep_last_committed': str(self.applied),
            'wsrep_ready': 'ON' if self.synced else 'OFF',
            'wsrep_connected': 'ON',
            **self.variables})

    def member_position(self, context: Any) -> dict[str, Any]:
        self._be_unresponsive('member_position')
        history = self.habit('other_history')
        if self.habit('unreadable'):
            raise messaging.RemoteError('ServerStartFailed', 'corrupt page')
        history = self.habit('other_history') or self.history or None
        at_work = self._works() or self.server is ServerState.CRASHED
        known = history is not None and not at_work
        return position.Position(
            uuid=history, seqno=max(self.applied, 7 * bool(
                self.habit('other_history'))) if known else -1,
            safe_to_bootstrap=self.safe if history else None,
            sst_in_progress=self.spoiled,
            grastate_present=bool(history) and self.grastate,
            view_present=bool(self.habit('meets')),
            seen_uuid=None if self.seen is None else self.seen[0],
            seen_seqno=-1 if self.seen is None else self.seen[1],
            ordered=self.ordered).to_dict()

    def _works(self) -> bool:
        return self.server in (ServerState.STARTING, ServerState.RUNNING)

    def halt_member(self, context: Any) -> bool:
        with self.galera.lock:
            if self in self.galera.component:
                return False
            self.galera.tell(f'halt {self.name}')
            was_to_run = self._works() or not self.held
            self.held = True
            self.server = ServerState.STOPPED
            if self.habit('makes_deaf'):
                self.galera.named(self.habit('makes_deaf')).server = (
                    ServerState.UNRESPONSIVE)
            started = self.galera.habits.get(self.name, {}).pop(
                'has_started', None)
            if started:
                other = self.galera.named(started)
                other.held, other.server = False, ServerState.STARTING
            return was_to_run

    def promote_member(self, context: Any, uuid: str, seqno: int) -> bool:
        with self.galera.lock:
            if self in self.galera.component:
                return True
            self._be_at(uuid, seqno)
            assert self.server == ServerState.RUNNING
            if self.habit('counting'):
                self.galera.habits[self.name]['counting'] -= 1
                return False
            self.galera.tell(f'promote {self.name}')
            self.galera.continued_by(self)
            return True

    def continue_member(self, context: Any, uuid: str, seqno: int) -> None:
        with self.galera.lock:
            if self.ordered and self._works():
                return
            assert not self._works()
            self._be_at(uuid, seqno)
            assert not self.spoiled
            self.galera.tell(f'continue {self.name}')
            self.reports_until_running = 1
            self.reports_until_synced = 2
            started = self._start()
            self.ordered = True
            if started and not self.habit('ignores_order'):
                self.galera.continued_by(self)

    def _be_at(self, uuid: str, seqno: int) -> None:
        if (self.history, self.applied) != (uuid, seqno):
            raise messaging.RemoteError(
                'BootstrapRefused', f'{self.name} stands at {self.applied}')

    def member_variables(self, context: Any, names: Any) -> Any:
        if self.server != ServerState.RUNNING:
            raise messaging.RemoteError('NobodyListens', 'nobody listens')
        known = {'wsrep_node_name': self.name, 'sort_buffer_size': '1'}
        return {name: value for name, value in known.items()
                if name.startswith('wsrep_') or name in names}

    def member_context(self, context: Any) -> Any:
        self._be_unresponsive('member_context')
        return self.settings

    def _be_unresponsive(self, method: str) -> None:
        """Give the first answer to this method too late."""
        if method in (self.habit('deaf') or ()):
            self.galera.habits[self.name]['deaf'].remove(method)
            waiting.pause(self.habit('for_seconds'))

    def restore_accounts(self, context: Any) -> None:
        if self.habit('cannot_restore'):
            raise messaging.RemoteError('UnsupportedVersion', 'no such method')
        self.galera.restorations += 1
        self.galera.lost_accounts = False

    def write_probe(self, context: Any, token: str) -> None:
        self.galera.tell(f'write {self.name}')
        self.galera.write()
        self.galera.rows.add(token)

    def read_probe(self, context: Any, token: str) -> bool:
        self._be_unresponsive('read_probe')
        return token in self.galera.rows and not self.habit('forgets')

    def drop_probe(self, context: Any) -> None:
        self.galera.rows.clear()

    def cluster_complete(self, context: Any) -> None:
        self.galera.tell(f'complete {self.name}')
        self.completed = True
        self.report_status(Statuses.HEALTHY)

    def stop_db(self, context: Any) -> None:
        if self.habit('cannot_stop'):
            raise messaging.RemoteError('DockerError', 'no such container')
        with self.galera.lock:
            self.end_backup()
            self.safe = self.galera.component == [self]
            self.leave()
            self.server = ServerState.STOPPED
            self.clean = self.held = True
            self.galera.tell(f'stop {self.name}')
            self.galera.sizes.append(len(self.galera.component))

    def restart(self, context: Any) -> None:
        self.leave()
        self.come_back()

    def start_member(self, context: Any) -> None:
        if not self._works():
            self.galera.tell(f'start {self.name}')
            self.come_back()

    def leave(self) -> None:
        """Its server leaves the component."""
        with self.galera.lock:
            if self in self.galera.component:
                self.galera.component.remove(self)
            self.synced = False

    def come_back(self) -> None:
        """Its server starts and joins the others."""
        with self.galera.lock:
            assert self.mounted and self.settings
            self.reports_until_running = 1
            self.reports_until_synced = 2
            self.ran_with = self.settings['facts']
            if (self._start() and self.galera.component
                    and self not in self.galera.component):
                self.galera.take_in(self)
