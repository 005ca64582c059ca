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

"""Desyncs the member while a backup runs, and resyncs it in every case.

The member's backups use it. The other members then do not wait for a member
that applies writes more slowly because of the backup (flow control). A mark in
memory remains until the server is synced again, so that also the next agent
resyncs it. A restart of the server resyncs it, too.
"""

from collections.abc import Callable

from oslo_log import log as logging

from trove_pxc import exceptions
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths

LOG = logging.getLogger(__name__)

_READABLE = 0o644


class Desync:
    """The variable wsrep_desync of the member's server.

    :param admin: returns the server with the login of the agent.
    """

    def __init__(self, host_files: files.HostFiles, where: paths.Paths,
                 admin: Callable[[], database.Database]) -> None:
        self._files = host_files
        self._where = where
        self._admin = admin

    @property
    def active(self) -> bool:
        """Whether the agent has desynced the server, or may have."""
        return bool(self._files.present(self._where.desynced_file))

    def begin(self) -> None:
        """Desync the server.

        :raises trove_pxc.exceptions.ServerNotAnswering: if that fails.
        """
        self._files.write(self._where.desynced_file, '\n', _READABLE)
        self._admin().desync(True)

    def end(self) -> bool:
        """Resync the server; False if that is not possible yet."""
        if not self.active:
            return True
        try:
            self._admin().desync(False)
        except database.NobodyListens:
            LOG.info('The server does not run, so it is not desynced')
        except exceptions.ServerNotAnswering as failure:
            LOG.info('Cannot resync the server after a backup now; trying '
                     'again until it succeeds: %s', failure)
            return False
        self._files.remove(self._where.desynced_file)
        return True
