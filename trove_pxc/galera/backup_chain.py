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

"""Whether an incremental backup can build on another, and be restored.

Pure. The guest checks it before it starts, because nothing reports later that
a link is missing: mariadb-backup accepts any LSN ("If a wrong LSN value is
specified, it is impossible to diagnose this", its --help).
"""

from collections.abc import Sequence
import itertools

from trove_pxc.galera import backups

_GIB = 1 << 30
_MIB = 1 << 20
#: of a volume that files can use: Trove formats it with "-m 5", and ext4
#: needs a few per cent for itself
_USABLE = 0.92


def refusal_to_extend(parent: backups.Parent, lineage: str,
                      cluster_uuid: str) -> str | None:
    """Why a member cannot make an incremental backup on this one, or None.

    :param lineage: of the member's data directory now.
    :param cluster_uuid: of the member's cluster now.
    """
    if parent.to_lsn <= 0 or not parent.lineage:
        return (f'the parent backup {parent.id} has no position; take a full '
                'backup')
    if parent.lineage != lineage:
        return (f'the parent backup {parent.id} was made of another data '
                'directory: on another member, or before a state transfer '
                'replaced the data of this one. Its positions mean nothing '
                'here. Take a full backup, or an incremental one on the '
                'member of the parent')
    if parent.cluster_uuid and parent.cluster_uuid != cluster_uuid:
        return (f'the parent backup {parent.id} is of the history '
                f'{parent.cluster_uuid}, and the cluster has the history '
                f'{cluster_uuid or "unknown"} now. Take a full backup')
    return None


def refusal_to_restore(links: Sequence[backups.Result]) -> str | None:
    """Why these backups cannot be restored together, or None.

    :param links: the full backup, then the incremental ones, oldest first.
    """
    if not links:
        return 'there is no backup to restore'
    full = links[0]
    if full.parent or full.from_lsn:
        return (f'the backup {full.id} is incremental, and its full backup '
                'is missing')
    for earlier, later in zip(links, links[1:]):
        if later.parent != earlier.location and (
                later.parent.rpartition('/')[2]
                != earlier.location.rpartition('/')[2]):
            return (f'the backup {later.id} does not build on {earlier.id}: '
                    'a link of the chain is missing')
        if (later.from_lsn != earlier.to_lsn
                or later.lineage != earlier.lineage):
            return (f'the backup {later.id} begins at {later.from_lsn}, and '
                    f'{earlier.id} ends at {earlier.to_lsn}: they do not '
                    'belong together')
    return None


def refusal_of_server(made_by: str, runs: str) -> str | None:
    """Why the files of one server cannot be used by another, or None.

    The files of a physical backup need the same series of the server. Another
    minor version is accepted.

    :param made_by: the version of the server of the backup.
    :param runs: the version of the server that is to use it.
    """
    wanted, present = made_by.split('.')[:2], runs.split('.')[:2]
    if wanted == present:
        return None
    return (f'the backup was made by a server of version {made_by}, and the '
            f'new cluster has version {runs}. The files of a backup need a '
            'server of the same series: restore it into a cluster of version '
            f'{".".join(wanted)}')


def needed_bytes(links: Sequence[backups.Result], volume_gb: int) -> int:
    """The space that a restore and the first start need on a volume.

    The data, the largest incremental backup, which is unpacked beside it, and
    the files of the server that the tool does not make: redo log and gcache,
    see settings.sizes(), and temporary tables.
    """
    if not links:
        return 0
    spare_mb = min(volume_gb * 1024 * 3 // 16, 2560) + 64
    return (links[0].data_bytes + spare_mb * _MIB + max(
        [link.data_bytes for link in links[1:]], default=0))


def least_volume_gb(links: Sequence[backups.Result]) -> int:
    """The size of the smallest volume on which these can be restored."""
    return next(gb for gb in itertools.count(1) if needed_bytes(links, gb)
                <= gb * _GIB * _USABLE)
