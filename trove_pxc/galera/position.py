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

"""Where a node stands in the cluster's history, read from its disk.

Pure: whoever can reach the disk brings the texts. Every module of
trove_pxc may import it.

Sources: grastate.dat and gvwstate.dat as galera 25.3 and 26.4 write them
(galera/src/saved_state.cpp, gcomm/src/view.cpp); the recovered position as
the server prints it under --wsrep-recover (sql/wsrep_mysqld.cc).
"""

from collections.abc import Mapping
import dataclasses
import re
from typing import Any
from typing import NamedTuple

from trove_pxc.galera import errors
from trove_pxc.galera import serverlog
from trove_pxc.galera.view import NIL_UUID

UNKNOWN_SEQNO = -1

_UUID = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
#: names of fields in messages, as guests of older releases know them
_SENT_AS = {'evicted': 'cast_out'}


class Grastate(NamedTuple):
    """grastate.dat as it stands; uuid None for nil, safe None if absent."""

    uuid: str | None
    seqno: int
    safe_to_bootstrap: bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class Position:
    """All that the disk tells, without a judgement.

    :ivar uuid: the history's id, lower case; None if nil or not known.
    :ivar seqno: the last write set; -1 if not known.
    :ivar safe_to_bootstrap: None where grastate.dat does not state it
        (older Galera); Galera itself takes a missing file for safe, which
        nobody here does.
    :ivar sst_in_progress: an SST into this directory was interrupted: what
        lies there is spoiled.
    :ivar view_present: gvwstate.dat is there: the node did not stop
        cleanly, or still runs.
    :ivar seen_uuid: the history of the primary component in which its
        guest last saw it Synced; None if it never did.
    :ivar seen_seqno: the position that it had there; an older guest, as
        one that never saw it, tells -1.
    :ivar ordered: it was the last to be told to continue the cluster.
    :ivar evicted: it was voted out of its cluster, and may have committed
        what nobody else has; an older guest does not tell.
    """

    uuid: str | None
    seqno: int
    safe_to_bootstrap: bool | None
    sst_in_progress: bool
    grastate_present: bool
    view_present: bool
    seen_uuid: str | None = None
    seen_seqno: int = UNKNOWN_SEQNO
    ordered: bool = False
    evicted: bool = False

    @property
    def known(self) -> bool:
        """Whether it names a place in a history that can be compared."""
        return self.uuid is not None and self.seqno >= 0

    @property
    def may_come_up_primary(self) -> bool:
        """Whether a start may make a component, with others or alone."""
        return self.view_present or self.ordered

    @property
    def is_empty(self) -> bool:
        """Whether the directory never belonged to a cluster."""
        return (self.uuid is None and self.seqno < 0
                and not self.grastate_present and not self.view_present
                and not self.sst_in_progress and not self.evicted)

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) is the same position."""
        return {_SENT_AS.get(name, name): value
                for name, value in dataclasses.asdict(self).items()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Position':
        sent = {field.name: _SENT_AS.get(field.name, field.name)
                for field in dataclasses.fields(cls)}
        return cls(**{
            field.name: (plain[sent[field.name]]
                         if field.default is dataclasses.MISSING
                         else plain.get(sent[field.name], field.default))
            for field in dataclasses.fields(cls)})


def _uuid(text: str) -> str | None:
    lowered = text.strip().lower()
    if not _UUID.fullmatch(lowered):
        raise errors.UnreadablePosition(
            f'grastate.dat holds the uuid {text.strip()!r}, which is none. '
            'Look at the file on the member before it is started.')
    return None if lowered == NIL_UUID else lowered


def _seqno(text: str) -> int:
    try:
        return max(int(text), UNKNOWN_SEQNO)
    except ValueError:
        raise errors.UnreadablePosition(
            f'grastate.dat holds the seqno {text.strip()!r}, which is no '
            'number. Look at the file on the member before it is '
            'started.') from None


def parse_grastate(text: str) -> Grastate:
    """Read the text of grastate.dat.

    What is missing is not known: an empty file (power lost while it was
    written) gives a nil uuid and seqno -1, and a last line without its end
    is not taken, for 'seqno: 3' may have been 31.

    :raises UnreadablePosition: if a value is not of its kind.
    """
    values: dict[str, str] = {}
    whole, _, _ = text.rpartition('\n')
    for line in whole.splitlines():
        key, colon, value = line.partition(':')
        if colon and not key.lstrip().startswith('#'):
            values[key.strip().lower()] = value.strip()
    safe = values.get('safe_to_bootstrap')
    return Grastate(
        uuid=_uuid(values['uuid']) if 'uuid' in values else None,
        seqno=(_seqno(values['seqno']) if 'seqno' in values
               else UNKNOWN_SEQNO),
        safe_to_bootstrap=None if safe is None else safe == '1')


def parse_recovered(log_text: str) -> tuple[str, int] | None:
    """The last position that --wsrep-recover wrote into this text.

    None if there is none, or if it is the nil position, which says as
    much: InnoDB holds no position.
    """
    found = serverlog.recovered_position(log_text)
    if found is None or found[0] == NIL_UUID or found[1] < 0:
        return None
    return found[0].lower(), found[1]


def transfer_changed_nothing(grastate_text: str | None, has_database: bool,
                             sst_folder_left: bool) -> bool:
    """Whether a state transfer provably ended before it changed the data.

    Its file, sst_in_progress, does not tell: the joiner's script of PXC
    creates it first of all, for IST, too, and leaves it when it fails. Of
    what an IST that failed at its start leaves, the rest is as it was:

    - The folder for the new data is not there. The script makes it before
      it removes the old data (wsrep_sst_xtrabackup-v2: .sst in PXC 5.7,
      sst-xb-tmpdir in 8.0). A script that removed data and failed may
      remove it again; then the next condition does not hold.
    - grastate.dat names a history. Galera writes a nil uuid into it, and
      syncs it, before it sends a request that may lead to a full SST
      (mark_unsafe in request_state_transfer, percona/galera 3.x-5.7 and
      4.x-8.0). It writes the history back when the full data has come, and
      since PXC 8.0.43-34 and 8.4.6-6 also if the script failed before it
      removed anything (exit code EAGAIN, PXC-4631, percona/galera pull
      request 301). The script removes sst_in_progress before the first.

    That holds while the power stays: the caller checks that it did. Before
    PXC-4631 grastate.dat is nil after such an IST, and the data is not taken
    for whole. None of this was run: no PXC 5.7 or 8 was at hand. The scripts
    of MariaDB and PXC 5.6 are not judged by this rule.

    :param has_database: the folder mysql and ibdata1 are there.
    :param sst_folder_left: one of Dialect.sst_folders is there.
    :raises UnreadablePosition: as parse_grastate does.
    """
    return (grastate_text is not None and has_database
            and not sst_folder_left
            and parse_grastate(grastate_text).uuid is not None)


def combine(grastate_text: str | None, recover_log: str | None,
            sst_in_progress: bool, gvwstate_present: bool) -> Position:
    """One position from all that was read.

    A clean stop leaves the position in grastate.dat. After anything else
    its seqno is -1, and what InnoDB recovered counts. A failed start may
    have put a nil uuid there too: then the recovered one counts. If the
    two name different histories, neither seqno is trusted.

    A seqno in grastate.dat that is behind what InnoDB recovered is of before
    the last start: PXC 8.0 keeps it in the file while it applies an IST
    (update_state_uuid and request_state_transfer in percona/galera,
    4.x-8.0), so that a server that is killed meanwhile leaves it. The
    recovered one counts, and the start program clears the other.

    :param grastate_text: None if there is no such file.
    :param recover_log: None if recovery was not run.
    :raises UnreadablePosition: as parse_grastate does.
    """
    grastate = Grastate(None, UNKNOWN_SEQNO, None)
    if grastate_text is not None:
        grastate = parse_grastate(grastate_text)
    uuid, seqno = grastate.uuid, grastate.seqno
    recovered = parse_recovered(recover_log or '')
    if recovered is not None and (
            seqno < 0 and uuid in (None, recovered[0])
            or uuid == recovered[0] and seqno < recovered[1]):
        uuid, seqno = recovered
    return Position(
        uuid=uuid, seqno=seqno if uuid is not None else UNKNOWN_SEQNO,
        safe_to_bootstrap=grastate.safe_to_bootstrap,
        sst_in_progress=sst_in_progress,
        grastate_present=grastate_text is not None,
        view_present=gvwstate_present)
