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
"""The simulated guests: what each answers, and what it reports.

Imported by ``agents``. No I/O and no threads: the time is an argument, in
seconds. A guest goes through the states of a member that has no fault:
prepared, configured, started, Synced, complete; it stops and starts again.
The data is one number, the last write set.
"""

from collections.abc import Callable
import dataclasses
from typing import Any
import uuid

from trove.instance import service_status

from tests.benchmarks.scaling import durations as times
from trove_pxc.galera import position
from trove_pxc.galera import view

Statuses = service_status.ServiceStatuses
ServerState = view.ServerState


@dataclasses.dataclass(frozen=True)
class Later:
    """An answer that comes after some seconds.

    :ivar then: called at that time; None, or the result
    """

    seconds: float
    result: Any = None
    then: Callable[[float], Any] | None = None

    def end(self, now: float) -> Any:
        """The result, when the time has come."""
        told = None if self.then is None else self.then(now)
        return self.result if told is None else told


class Cluster:
    """The primary component that some guests form."""

    def __init__(self, cluster_id: str) -> None:
        self.id = cluster_id
        self.history = ''
        self.seqno = 0
        self.probes: set[str] = set()
        self.guests: list[Guest] = []
        self.events: list[tuple[float, str]] = []

    def size(self, now: float) -> int:
        return sum(guest.answers_sql(now) for guest in self.guests)


class Guest:
    """One guest with its database server."""

    def __init__(self, instance_id: str, name: str,
                 durations: times.Durations) -> None:
        self.id = instance_id
        self.name = name
        self.cluster = Cluster('')
        self._durations = durations
        self.status: Any = None
        self.settings: dict[str, Any] | None = None
        self.started = False
        self.complete = False
        self._up_at: float | None = None
        self._synced_at = 0.0

    # Its server

    def answers_sql(self, now: float) -> bool:
        """Whether its server runs and accepts connections."""
        return self._up_at is not None and now >= self._up_at

    def synced(self, now: float) -> bool:
        return self.answers_sql(now) and now >= self._synced_at

    def _start(self, now: float, seconds: float) -> None:
        self.started = True
        self._up_at = now + seconds / 2
        self._synced_at = now + seconds

    def server(self, now: float) -> ServerState:
        if self._up_at is None:
            return (ServerState.STOPPED if self.started
                    else ServerState.ABSENT)
        return (ServerState.RUNNING if self.answers_sql(now)
                else ServerState.STARTING)

    def reported(self, now: float) -> Any:
        """The status that its agent reports to Trove now."""
        if not self.complete:
            return self.status
        if self.synced(now):
            return Statuses.HEALTHY
        return (Statuses.SHUTDOWN if self._up_at is None
                else Statuses.RUNNING)

    # Its calls

    def call(self, method: str, arguments: dict[str, Any],
             now: float) -> Any:
        """The answer to a call, which may be a Later.

        :raises LookupError: for a method that these guests do not have
        """
        found = getattr(self, f'do_{method}', None)
        if found is None:
            raise LookupError(f'the simulated guest has no {method}')
        self.cluster.events.append((now, method))
        answer = found(now, **arguments)
        if isinstance(answer, Later) or not self._durations.call:
            return answer
        return Later(self._durations.call, answer)

    def do_prepare(self, now: float, **arguments: Any) -> Later:
        self.status = Statuses.BUILDING

        def ready(then: float) -> None:
            self.status = Statuses.INSTANCE_READY

        return Later(self._durations.prepare, None, ready)

    def do_configure_member(self, now: float, facts: Any, secrets: Any,
                            identity: Any = None) -> None:
        self.settings = {'facts': facts, 'secrets': secrets,
                         'identity': identity}

    def do_bootstrap_member(self, now: float) -> None:
        if self._up_at is None:
            self.cluster.history = str(uuid.uuid4())
            self._start(now, self._durations.bootstrap)

    def do_join_member(self, now: float, forming: bool = True) -> None:
        if self._up_at is None:
            self._start(now, self._durations.join)

    def do_start_member(self, now: float) -> None:
        self.do_join_member(now)

    def do_restart(self, now: float) -> None:
        self._start(now, self._durations.join)

    def do_stop_db(self, now: float, **others: Any) -> Later:
        self._up_at = None
        return Later(self._durations.stop)

    # The calls of Trove's own strategy, galera_common

    def do_reset_admin_password(self, now: float,
                                admin_password: str) -> None:
        """It has no accounts."""

    def do_install_cluster(self, now: float, replication_user: Any,
                           cluster_configuration: str,
                           bootstrap: bool) -> Later:
        """Answer when the server accepts connections, as Trove's agent."""
        if bootstrap:
            self.do_bootstrap_member(now)
        else:
            self.do_join_member(now)
        return Later(self._synced_at - now)

    # The others

    def do_halt_member(self, now: float) -> bool:
        return False

    def do_member_report(self, now: float, patience: float = 0.0) -> Any:
        """Its report; with patience, when its server is Synced."""
        wait = min(patience, self._synced_at - now)
        if wait > 0 and self._up_at is not None:
            return Later(wait, then=self._report)
        return self._report(now)

    def _report(self, now: float) -> dict[str, Any]:
        return view.MemberReport(
            server=self.server(now), view=self._view(now), data_bytes=0,
            started=self.started, exit_code=None, error='',
            giving=False).to_dict()

    def _view(self, now: float) -> view.NodeView | None:
        if not self.answers_sql(now):
            return None
        synced = self.synced(now)
        return view.NodeView.from_status({
            'wsrep_cluster_status': 'Primary',
            'wsrep_local_state': '4' if synced else '1',
            'wsrep_local_state_comment': 'Synced' if synced else 'Joining',
            'wsrep_cluster_size': str(self.cluster.size(now)),
            'wsrep_cluster_state_uuid': self.cluster.history,
            'wsrep_last_committed': str(self.cluster.seqno),
            'wsrep_ready': 'ON' if synced else 'OFF',
            'wsrep_connected': 'ON'})

    def do_member_position(self, now: float) -> dict[str, Any]:
        stopped = self.started and self._up_at is None
        return position.Position(
            uuid=self.cluster.history if stopped else None,
            seqno=self.cluster.seqno if stopped else -1,
            safe_to_bootstrap=False if stopped else None,
            sst_in_progress=False, grastate_present=stopped,
            view_present=False, seen_uuid=None, seen_seqno=-1,
            ordered=False).to_dict()

    def do_member_context(self, now: float) -> Any:
        return self.settings

    def do_member_variables(self, now: float, names: Any) -> dict[str, str]:
        return {'wsrep_node_name': self.name}

    def do_restore_accounts(self, now: float) -> None:
        """Its accounts are never lost."""

    def do_write_probe(self, now: float, token: str) -> None:
        self.cluster.seqno += 1
        self.cluster.probes.add(token)

    def do_read_probe(self, now: float, token: str) -> bool:
        return token in self.cluster.probes

    def do_drop_probe(self, now: float) -> None:
        self.cluster.probes.clear()

    def do_cluster_complete(self, now: float) -> None:
        self.complete = True


class Fleet:
    """All guests, by the ID of the instance."""

    def __init__(self, durations: times.Durations) -> None:
        self.durations = durations
        self.guests: dict[str, Guest] = {}
        self.clusters: dict[str, Cluster] = {}

    def add(self, instance_id: str, name: str) -> Guest:
        guest = Guest(instance_id, name, self.durations)
        self.guests[instance_id] = guest
        return guest

    def remove(self, instance_id: str, now: float) -> None:
        guest = self.guests.pop(instance_id, None)
        if guest is not None:
            guest.cluster.events.append((now, 'delete server'))
            if guest in guest.cluster.guests:
                guest.cluster.guests.remove(guest)

    def assign(self, guest: Guest, cluster_id: str) -> Cluster:
        """Make it a member of this cluster."""
        cluster = self.clusters.setdefault(cluster_id, Cluster(cluster_id))
        if guest not in cluster.guests:
            cluster.guests.append(guest)
        guest.cluster = cluster
        return cluster
