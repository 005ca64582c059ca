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

"""The last position at which the member was Synced, stored on its volume.

The service uses it. When all members have stopped, it shows whether the disk
of a member has lost writes that the cluster had.
"""

import json
import threading
import time
from typing import NamedTuple

from oslo_concurrency import processutils
from oslo_log import log as logging

from trove_pxc.galera import errors
from trove_pxc.galera import view
from trove_pxc.guestagent import files

LOG = logging.getLogger(__name__)

# A committed write is on the disk after one second at the latest
# (innodb_flush_log_at_timeout), also an event without a transaction.
SETTLE_SECONDS = 5.0

_PRIVATE = 0o600


class Seen(NamedTuple):
    """A position in a history."""

    uuid: str
    seqno: int


class Memory:
    """The last position of the member, Synced in the primary component.

    It may be many seconds old, and is never ahead of the disk.
    """

    def __init__(self, host_files: files.HostFiles, path: str) -> None:
        self._files = host_files
        self._path = path
        self._lock = threading.Lock()
        self._kept: Seen | None = None
        self._settling: Seen | None = None
        self._settles_at = 0.0

    def look(self, seen: view.NodeView | None) -> None:
        """Record the position of a server that is Synced; it is cheap."""
        if (seen is None or not seen.in_primary or not seen.is_synced
                or seen.cluster_uuid is None or seen.last_committed < 0):
            return
        with self._lock:
            now = time.monotonic()
            if self._settling is not None and now < self._settles_at:
                return
            settled = self._settling
            self._settling = Seen(seen.cluster_uuid, seen.last_committed)
            self._settles_at = now + SETTLE_SECONDS
            if settled is not None and settled != self._kept:
                self._keep(settled)

    def recall(self) -> Seen | None:
        """The recorded position, which may be from an earlier agent.

        :raises trove_pxc.galera.errors.UnreadablePosition: if the file
            contains no position.
        """
        text = self._files.read(self._path)
        if text is None:
            return None
        try:
            plain = json.loads(text)
            return Seen(str(plain['uuid']), int(plain['seqno']))
        except (ValueError, TypeError, KeyError) as error:
            raise errors.UnreadablePosition(
                f'{self._path} does not contain the last position of the '
                f'member: {error}. Check the file before you start the '
                'member.') from error

    def _keep(self, settled: Seen) -> None:
        """Write the file; a full disk must not prevent the report."""
        try:
            self._files.write(self._path, json.dumps(settled._asdict()),
                              _PRIVATE)
        except processutils.ProcessExecutionError as failure:
            LOG.warning('Cannot store that the member was Synced at %s: %s',
                        settled, failure.stderr)
            return
        self._kept = settled
