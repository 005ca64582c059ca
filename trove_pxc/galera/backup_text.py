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

"""What the description of a backup tells users, behind their own text.

Pure. Trove shows the description of a backup in its own list, in its client
and in the dashboard. So progress, reasons and results are visible there.
"""

import re

from trove_pxc.galera import backup_progress
from trove_pxc.galera import backups

_LENGTH = 512               # of the column in Trove's table
_TOLD = re.compile(r'(^|\s)\[(waits|progress|complete|failed)(: .*)?\]\Z',
                   re.DOTALL)
_GIB = 1 << 30
_MIB = 1 << 20


def own(description: str | None) -> str:
    """The text of the user."""
    return _TOLD.sub('', description or '', count=1)


def told(description: str | None) -> str:
    """The text of this package; '' if there is none."""
    found = _TOLD.search(description or '')
    return found[0].strip()[1:-1] if found else ''


def progress(description: str | None, seen: backups.Progress) -> str:
    """The description of a backup that runs."""
    return _with(description, 'progress', backup_progress.describe(seen))


def failed(description: str | None, failure: str) -> str:
    """The description of one that failed.

    :param failure: the step, the reason and what to do.
    """
    return _with(description, 'failed', failure)


def complete(description: str | None, cluster: str, member: str,
             result: backups.Result) -> str:
    """The description of one that is complete: what it contains."""
    parts = [f'cluster {cluster}, member {member}', result.server_version,
             f'{_size(result.data_bytes)} of data, '
             f'{_size(result.stored_bytes)} stored']
    if result.cluster_uuid:
        parts.append(f'position {result.cluster_uuid}:{result.seqno}')
    if result.gtid:
        parts.append(f'GTID {result.gtid}')
    if result.encrypted:
        parts.append('encrypted')
    return _with(description, 'complete', ', '.join(parts))


def _with(description: str | None, kind: str, text: str) -> str:
    """Shorten the text of the user first, then that of this package."""
    text = f'[{kind}: {" ".join(text.split())}]'
    if len(text) > _LENGTH:
        text = f'{text[:_LENGTH - 4]}...]'
    room = _LENGTH - len(text) - 1
    before = own(description)[:max(room, 0)]
    return f'{before} {text}' if before else text


def _size(number: int) -> str:
    return (f'{number / _GIB:.1f} GiB' if number >= _GIB
            else f'{number / _MIB:.1f} MiB')
