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

"""The state of a node: its wsrep_* status rows, parsed into a NodeView.

Pure. Every module of trove_pxc may import it.

Source: "Galera Status Variables" of the Galera Cluster documentation and
"wsrep status index" of Percona XtraDB Cluster.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import datetime
import enum
from typing import Any

from trove_pxc.galera import metrics as metrics_of
from trove_pxc.galera.progress import Progress

NIL_UUID = '00000000-0000-0000-0000-000000000000'

STATUS_QUERY = "SHOW GLOBAL STATUS LIKE 'wsrep_%'"

#: Global variables, and the values that a member needs to serve in full. A
#: variable that the server does not have counts as correct.
SERVING_VALUES = {
    'wsrep_on': 'ON',
    'wsrep_reject_queries': 'NONE',
    'read_only': 'OFF',
    'super_read_only': 'OFF',
    'tx_read_only': 'OFF',
    'transaction_read_only': 'OFF',
    'wsrep_desync': 'OFF',
}

VARIABLES_QUERY = ('SHOW GLOBAL VARIABLES WHERE Variable_name IN ('
                   + ', '.join(f"'{name}'" for name in SERVING_VALUES) + ')')


def values_query(names: Iterable[str]) -> str:
    """A statement whose only row has the values of these global variables.

    It costs the server much less than VARIABLES_QUERY, which computes all
    variables, but it fails if the server lacks one of them.

    :param names: of SERVING_VALUES.
    """
    return 'SELECT ' + ', '.join(f'@@GLOBAL.{name}' for name in names)


def values_of(names: Iterable[str], row: Iterable[object]) -> dict[str, str]:
    """The row of values_query by name, as VARIABLES_QUERY shows it.

    Switches are 1 or 0 in the row.
    """
    switches = {1: 'ON', 0: 'OFF'}
    return {name: switches[value] if isinstance(value, int) else str(value)
            for name, value in zip(names, row, strict=True)}


class ClusterStatus(enum.StrEnum):
    """wsrep_cluster_status: the component that the node is in."""

    PRIMARY = 'Primary'
    NON_PRIMARY = 'non-Primary'
    DISCONNECTED = 'Disconnected'
    UNKNOWN = 'unknown'


class LocalState(enum.StrEnum):
    """wsrep_local_state: the progress of the node in its component."""

    JOINING = 'Joining'
    DONOR = 'Donor/Desynced'
    JOINED = 'Joined'
    SYNCED = 'Synced'
    INITIALIZED = 'Initialized'
    INCONSISTENT = 'Inconsistent'
    UNKNOWN = 'unknown'


class ServerState(enum.StrEnum):
    """The state of the server's process, from the guest."""

    ABSENT = 'absent'
    STARTING = 'starting'
    RUNNING = 'running'
    UNRESPONSIVE = 'unresponsive'
    STOPPED = 'stopped'
    CRASHED = 'crashed'


#: Not started, or stopped by the guest. A crashed one is started again.
DOWN = (ServerState.ABSENT, ServerState.STOPPED)
#: For any reason.
NOT_RUNNING = (*DOWN, ServerState.CRASHED)
#: It ran, and ended.
ENDED = (ServerState.STOPPED, ServerState.CRASHED)
#: It may join its cluster without help.
UP = (ServerState.STARTING, ServerState.RUNNING)

# Node::state of Galera. The numbers have the same meaning in Galera 3 and 4;
# the texts of the comment differ ("Joining: receiving State Transfer").
_STATE_BY_NUMBER = {
    0: LocalState.INITIALIZED,
    1: LocalState.JOINING,
    2: LocalState.DONOR,
    3: LocalState.JOINED,
    4: LocalState.SYNCED,
    # WSREP_MEMBER_ERROR: Galera marked its state as corrupt.
    5: LocalState.INCONSISTENT,
}

_STATE_BY_COMMENT = (
    ('joining', LocalState.JOINING),
    ('donor', LocalState.DONOR),
    ('joined', LocalState.JOINED),
    ('synced', LocalState.SYNCED),
    ('initialized', LocalState.INITIALIZED),
    ('inconsistent', LocalState.INCONSISTENT),
)


def _cluster_status(text: str) -> ClusterStatus:
    for status in ClusterStatus:
        if status.value.lower() == text.strip().lower():
            return status
    return ClusterStatus.UNKNOWN


def _local_state(number: str, comment: str) -> LocalState:
    by_number = _STATE_BY_NUMBER.get(_integer(number, -1))
    if by_number is not None:
        return by_number
    lowered = comment.strip().lower()
    for start, state in _STATE_BY_COMMENT:
        if lowered.startswith(start):
            return state
    return LocalState.UNKNOWN


def _integer(text: str, fallback: int) -> int:
    try:
        return int(text)
    except ValueError:
        return fallback


def _count(text: str) -> int | None:
    number = _integer(text, -1)
    return number if number >= 0 else None


def _conf_id(text: str) -> int:
    """-1 outside a primary component, where Galera shows 2**64 - 1."""
    number = _integer(text, -1)
    return -1 if number >= 2 ** 63 else number


def _uuid(text: str) -> str | None:
    stripped = text.strip().lower()
    return None if stripped in ('', NIL_UUID) else stripped


def _on(text: str) -> bool:
    return text.strip().upper() in ('ON', '1', 'YES')


def _altered(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(name for name, value in SERVING_VALUES.items()
                 if row.get(name, value).strip().upper() != value)


@dataclasses.dataclass(frozen=True, slots=True)
class NodeView:
    """One node's view of the cluster at one moment.

    :ivar cluster_uuid: lower case; None if nil or unknown.
    :ivar cluster_conf_id: -1 outside a primary component.
    :ivar last_committed: the seqno of the last write set; -1 if unknown.
    :ivar altered: the names in SERVING_VALUES with other values.
    :ivar recv_queue: write sets that wait to be applied; None if unknown.
    :ivar metrics: the metrics. Only the guest uses them; they are not sent.
    """

    cluster_status: ClusterStatus
    local_state: LocalState
    local_state_comment: str
    cluster_size: int
    cluster_uuid: str | None
    cluster_conf_id: int
    last_committed: int
    ready: bool
    connected: bool
    incoming_addresses: tuple[str, ...]
    provider_version: str
    altered: tuple[str, ...] = ()
    recv_queue: int | None = None
    metrics: Mapping[str, float] = dataclasses.field(
        default_factory=dict, compare=False)

    @classmethod
    def from_status(cls, rows: Mapping[str, str]) -> 'NodeView':
        """Parse the rows of both queries; missing values are unknown.

        Never raises. For a server without wsrep all values are unknown,
        which counts neither as healthy nor as down.
        """
        row = {name.lower(): str(value) for name, value in rows.items()}
        comment = row.get('wsrep_local_state_comment', '')
        return cls(
            cluster_status=_cluster_status(
                row.get('wsrep_cluster_status', '')),
            local_state=_local_state(
                row.get('wsrep_local_state', ''), comment),
            local_state_comment=comment,
            cluster_size=_integer(row.get('wsrep_cluster_size', ''), 0),
            cluster_uuid=_uuid(row.get('wsrep_cluster_state_uuid', '')),
            cluster_conf_id=_conf_id(row.get('wsrep_cluster_conf_id', '')),
            last_committed=_integer(
                row.get('wsrep_last_committed', ''), -1),
            ready=_on(row.get('wsrep_ready', '')),
            connected=_on(row.get('wsrep_connected', '')),
            incoming_addresses=tuple(
                address.strip() for address in row.get(
                    'wsrep_incoming_addresses', '').split(',')
                if address.strip()),
            provider_version=row.get('wsrep_provider_version', ''),
            altered=_altered(row),
            recv_queue=_count(row.get('wsrep_local_recv_queue', '')),
            metrics=metrics_of.from_status(row))

    @property
    def in_primary(self) -> bool:
        return self.cluster_status is ClusterStatus.PRIMARY

    @property
    def is_synced(self) -> bool:
        return self.local_state is LocalState.SYNCED

    @property
    def was_evicted(self) -> bool:
        """Whether it was evicted: it failed to apply a write of the others.

        Its server runs on and does not rejoin by itself. Its next start
        requests a full copy of the data.
        """
        return self.local_state is LocalState.INCONSISTENT

    @property
    def serves(self) -> bool:
        """Whether applications can use this node now.

        A donor serves: neither the backup methods nor rsync, except for its
        short lock, block the node.
        """
        return (self.in_primary and self.ready and self.local_state in
                (LocalState.SYNCED, LocalState.DONOR))

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) is the same view."""
        plain = dataclasses.asdict(self)
        del plain['metrics']
        plain['cluster_status'] = self.cluster_status.value
        plain['local_state'] = self.local_state.value
        plain['incoming_addresses'] = list(self.incoming_addresses)
        plain['altered'] = list(self.altered)
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'NodeView':
        known = {field.name: plain[field.name]
                 for field in dataclasses.fields(cls)
                 if field.name not in ('metrics', 'altered', 'recv_queue')}
        known['cluster_status'] = ClusterStatus(plain['cluster_status'])
        known['local_state'] = LocalState(plain['local_state'])
        known['incoming_addresses'] = tuple(plain['incoming_addresses'])
        # Guests of older versions do not send it.
        known['altered'] = tuple(plain.get('altered', ()))
        known['recv_queue'] = plain.get('recv_queue')
        return cls(**known)


@dataclasses.dataclass(frozen=True, slots=True)
class MemberReport:
    """The report of a guest about its member, cheap enough for polling.

    :ivar view: None unless the server answered SQL just now.
    :ivar data_bytes: the size of the data directory, which shows the
        progress of an SST.
    :ivar started: whether it was configured and ever started.
    :ivar exit_code: the exit code of a server that ended, else None.
    :ivar error: the most relevant error in the log of the server, masked;
        '' for none.
    :ivar receiving: whether a server that does not answer yet receives a
        full copy of the data (SST).
    :ivar giving: whether a program of the server sends a full copy of the
        data to another member; None if the guest did not check.
    :ivar denied: whether the server runs and refuses the login of the guest
        agent.
    :ivar unsynced: whether a loss of power can still damage the data of the
        last state transfer.
    :ivar restarts: the number of restarts by Docker since the last start by
        the guest.
    :ivar backup: the ID of the backup that runs, for which the guest agent
        has desynced the member; '' for none.
    :ivar certificate_ends: when the certificate of the member expires, in
        UTC; None if members do not encrypt their traffic.
    :ivar progress: how it applies the write sets that wait; None if it is
        not behind, or if that is not measured yet.
    """

    server: ServerState
    view: NodeView | None
    data_bytes: int
    started: bool
    exit_code: int | None
    error: str
    receiving: bool = False
    unsynced: bool = False
    restarts: int = 0
    certificate_ends: datetime.datetime | None = None
    giving: bool | None = None
    denied: bool = False
    progress: Progress | None = None
    backup: str = ''

    def of_backup(self, backup_id: str) -> 'MemberReport':
        """The report of a member that the agent has desynced for a backup."""
        seen = self.view
        if seen is not None:
            seen = dataclasses.replace(seen, altered=tuple(
                name for name in seen.altered if name != 'wsrep_desync'))
        return dataclasses.replace(self, view=seen, backup=backup_id)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) is the same report."""
        return {
            'server': self.server.value,
            'view': None if self.view is None else self.view.to_dict(),
            'data_bytes': self.data_bytes,
            'started': self.started,
            'exit_code': self.exit_code,
            'error': self.error,
            'receiving': self.receiving,
            'giving': self.giving,
            'denied': self.denied,
            'backup': self.backup,
            'unsynced': self.unsynced,
            'restarts': self.restarts,
            'progress': self.progress and self.progress.to_dict(),
            'certificate_ends': (self.certificate_ends
                                 and self.certificate_ends.isoformat()),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'MemberReport':
        view, ends = plain['view'], plain.get('certificate_ends')
        progress = plain.get('progress')
        return cls(
            server=ServerState(plain['server']),
            view=None if view is None else NodeView.from_dict(view),
            data_bytes=plain['data_bytes'],
            started=plain['started'],
            exit_code=plain['exit_code'],
            error=plain['error'],
            receiving=plain.get('receiving', False),
            unsynced=plain.get('unsynced', False),
            restarts=plain.get('restarts', 0),
            giving=plain.get('giving'),
            denied=plain.get('denied', False),
            progress=progress and Progress.from_dict(progress),
            backup=plain.get('backup', ''),
            certificate_ends=(
                ends and datetime.datetime.fromisoformat(ends)))


#: The report of a member that was never started.
NEVER_STARTED = MemberReport(
    server=ServerState.ABSENT, view=None, data_bytes=0, started=False,
    exit_code=None, error='')
