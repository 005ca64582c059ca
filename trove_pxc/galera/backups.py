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

"""Orders, progress and results of backups and restores, as sent over RPC.

Pure. Every module of trove_pxc may import it.

A backup is one stream of the server's own backup tool. It is compressed, maybe
encrypted, and stored in segments. LSNs are of the data directory of one
member: an incremental backup needs the directory of its parent, see
``lineage``.
"""

from collections.abc import Mapping
import dataclasses
import enum
from typing import Any

from trove_pxc.galera.secret import Secret

#: of the format of stored backups; another number needs other code
FORMAT = 1


class State(enum.StrEnum):
    """The state of a backup or a restore."""

    RUNNING = 'running'
    COMPLETE = 'complete'
    FAILED = 'failed'
    #: the guest agent does not know it, for example after its restart
    UNKNOWN = 'unknown'


class Step(enum.StrEnum):
    """What a backup or a restore does; the text follows "cannot"."""

    CHECK = 'check the member'
    DESYNC = 'desync the member'
    COPY = 'copy the data'
    STORE = 'store the backup'
    RESYNC = 'resync the member'
    FETCH = 'fetch the backup'
    PREPARE = 'prepare the data'
    INSTALL = 'install the data'
    DONE = 'end'


@dataclasses.dataclass(frozen=True, slots=True)
class Parent:
    """The backup on which an incremental one builds.

    :ivar location: URL of its manifest, as in Trove's row of the backup.
    :ivar to_lsn: the LSN of the member's data up to which it goes.
    :ivar lineage: of the data directory from which it was made.
    :ivar cluster_uuid: of the cluster's history.
    """

    id: str
    location: str
    to_lsn: int
    lineage: str
    cluster_uuid: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) is the same parent."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Parent':
        return cls(**_known(cls, plain))


@dataclasses.dataclass(frozen=True, slots=True)
class Store:
    """Where backups are, and the right to use it.

    :ivar url: of the account in Swift.
    :ivar container: of the backups.
    :ivar verify: False: certificates of the store are not checked.
    """

    url: str
    token: Secret
    container: str
    verify: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Reveals the token: only for encrypted RPC."""
        return {'url': self.url, 'token': self.token.reveal(),
                'container': self.container, 'verify': self.verify}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Store':
        known = _known(cls, plain)
        return cls(**{**known, 'token': Secret(plain['token'])})


@dataclasses.dataclass(frozen=True, slots=True)
class Order:
    """The order to make a backup.

    :ivar id: of Trove's row of the backup.
    :ivar store: where it is to be stored.
    :ivar parent: None for a full backup.
    :ivar rate_mb: the most MiB that are read in a second; None: no limit.
    :ivar encrypt: whether to encrypt it with the key of the operator.
    :ivar metadata: texts to store with it, by name.
    """

    id: str
    store: Store
    parent: Parent | None = None
    rate_mb: int | None = None
    encrypt: bool = False
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Reveals the token: only for encrypted RPC."""
        return {'id': self.id, 'store': self.store.to_dict(),
                'parent': self.parent and self.parent.to_dict(),
                'rate_mb': self.rate_mb, 'encrypt': self.encrypt,
                'metadata': dict(self.metadata)}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Order':
        parent = plain.get('parent')
        return cls(**{**_known(cls, plain),
                      'store': Store.from_dict(plain['store']),
                      'parent': parent and Parent.from_dict(parent)})


@dataclasses.dataclass(frozen=True, slots=True)
class Restoring:
    """The order to restore a backup into an empty member.

    :ivar id: of Trove's row of the backup that is restored.
    :ivar locations: URLs of the manifests: of the full backup, then of each
        incremental one, the oldest first.
    :ivar rate_mb: the most MiB of data that are written in a second; None:
        no limit.
    """

    id: str
    store: Store
    locations: tuple[str, ...]
    rate_mb: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Reveals the token: only for encrypted RPC."""
        return {'id': self.id, 'store': self.store.to_dict(),
                'locations': list(self.locations), 'rate_mb': self.rate_mb}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Restoring':
        return cls(**{**_known(cls, plain),
                      'store': Store.from_dict(plain['store']),
                      'locations': tuple(plain['locations'])})


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """A complete backup; stored with it, too.

    :ivar location: URL of its manifest.
    :ivar stored_bytes: what it takes in the store.
    :ivar data_bytes: of the tool's stream, before it was compressed.
    :ivar checksum: SHA-256 of what is stored, in hexadecimal digits.
    :ivar tool: name and version of the tool, as it reports them.
    :ivar server_version: as the server reports it.
    :ivar cluster_uuid: of the history; '' if the tool did not report it.
    :ivar seqno: of the last transaction in it; -1 if not known.
    :ivar gtid: the GTID of the last transaction in the binary log; '' if
        there is none.
    :ivar binlog: file and position in the binary log; '' if there is none.
    :ivar from_lsn: 0 for a full backup.
    :ivar lineage: of the data directory from which it was made.
    :ivar parent: location of the parent; '' for a full backup.
    :ivar started: in UTC, in ISO 8601.
    """

    id: str
    location: str
    stored_bytes: int
    data_bytes: int
    checksum: str
    encrypted: bool
    tool: str
    server_version: str
    cluster_uuid: str
    seqno: int
    gtid: str
    binlog: str
    from_lsn: int
    to_lsn: int
    lineage: str
    parent: str
    started: str
    ended: str

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) is the same result."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Result':
        return cls(**_known(cls, plain))

    def as_parent(self) -> Parent:
        """What an incremental backup must know about this one."""
        return Parent(self.id, self.location, self.to_lsn, self.lineage,
                      self.cluster_uuid)


@dataclasses.dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a backup or a restore.

    :ivar step: what it does, or what failed.
    :ivar data_bytes: of the tool's stream so far.
    :ivar stored_bytes: sent to the store, or read from it.
    :ivar total_bytes: what data_bytes will be, estimated; 0: not known.
    :ivar seconds: since its start.
    :ivar token_refused: whether it waits for a new token.
    :ivar waits_for: why it makes no progress now, for example an error of
        the store that it retries; '' if it does.
    :ivar failed_because: why it failed; '' if it did not.
    :ivar next_action: what to do then.
    """

    id: str
    state: State
    step: Step = Step.DONE
    data_bytes: int = 0
    stored_bytes: int = 0
    total_bytes: int = 0
    seconds: float = 0.0
    token_refused: bool = False
    waits_for: str = ''
    failed_because: str = ''
    next_action: str = ''
    result: Result | None = None

    @property
    def ended(self) -> bool:
        return self.state is not State.RUNNING

    @property
    def rate(self) -> float:
        """Bytes of data in a second, since the start."""
        return self.data_bytes / self.seconds if self.seconds > 0 else 0.0

    @property
    def estimate_seconds(self) -> float | None:
        """Seconds that it still takes; None if that is not known."""
        if self.state is not State.RUNNING:
            return 0.0
        if not self.total_bytes or not self.rate:
            return None
        return max(self.total_bytes - self.data_bytes, 0) / self.rate

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) is the same progress."""
        plain = {field.name: getattr(self, field.name)
                 for field in dataclasses.fields(self)}
        plain.update(
            state=self.state.value, step=self.step.value,
            result=self.result and self.result.to_dict())
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Progress':
        result = plain.get('result')
        return cls(**{**_known(cls, plain), 'state': State(plain['state']),
                      'step': Step(plain['step']),
                      'result': result and Result.from_dict(result)})


def unknown(backup_id: str) -> Progress:
    """The progress of a backup that this guest agent does not know."""
    return Progress(backup_id, State.UNKNOWN)


def with_failure(progress: Progress, reason: str, advice: str) -> Progress:
    """The progress of one that failed in this step."""
    return dataclasses.replace(
        progress, state=State.FAILED, failed_because=reason,
        next_action=advice, token_refused=False, waits_for='')


def _known(cls: Any, plain: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that this version knows; a newer one may send more."""
    return {field.name: plain[field.name]
            for field in dataclasses.fields(cls) if field.name in plain}
