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

"""What a member does when its whole cluster has to be brought back.

Trove's app class makes it. As in service: it decides nothing about the
other members, waits for nothing, and knows no RPC.
"""

from collections.abc import Iterable
import dataclasses

from oslo_log import log as logging

from trove.common import cfg

from trove_pxc import exceptions
from trove_pxc.galera import accounts as statements
from trove_pxc.galera import certificates
from trove_pxc.galera import position as positions
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.guestagent import accounts
from trove_pxc.guestagent import container
from trove_pxc.guestagent import credentials
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import memory
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program
from trove_pxc.guestagent import service
from trove_pxc import waiting

LOG = logging.getLogger(__name__)
CONF = cfg.CONF

_READABLE = 0o644
# A server that looks for its cluster hears no signal but SIGKILL until it
# gives up, 34 s later (measured); its data is safe from that.
_UNRESPONSIVE_SECONDS = 2
_ACCOUNTS_SECONDS = 15
_FAILURES = 2


class MemberService(service.GaleraService):
    """A member that tells what it runs with, and can be continued."""

    def __init__(self, manager: str, client: container.Client,
                 trove_side: service.TroveSide,
                 where: paths.Paths | None = None,
                 host_files: files.HostFiles | None = None) -> None:
        super().__init__(manager, client, trove_side, where, host_files)
        self._memory = memory.Memory(self._files, self._where.memory_file)
        self._credentials = credentials.Credentials(
            self._files, self._where, self._owner)
        self._looked_after: waiting.Stopwatch | None = None

    def report(self) -> view.MemberReport:
        report = super().report()
        self._memory.look(report.view)
        return report

    def stop(self) -> None:
        """Stop the server, also where a client has locked all its tables.

        Galera is paused then, and the stop would wait for the lock's end
        until the server is killed (measured with MariaDB 10.11.19).
        """
        with self._lock:
            record = self._records.read()
            admin = None if record is None else self._admin_of(record)
            try:
                if (admin is not None and admin.view().local_state
                        is view.LocalState.DONOR):
                    admin.end_clients()
            except exceptions.ServerNotAnswering as failure:
                LOG.info('The server is stopped as it is: %s', failure)
            super().stop()

    def look_after_accounts(self, at_once: bool = False) -> None:
        """See now and then that our accounts can log in; restore them.

        :param at_once: now, however short a while ago that was done.
        """
        record = self._records.read()
        if record is None or record.membership is None or not record.started:
            return
        if (not at_once and self._looked_after is not None
                and self._looked_after.elapsed < _ACCOUNTS_SECONDS):
            return
        self._looked_after = waiting.Stopwatch()
        seen = self._container.look()
        if seen.running:
            self._credentials.look(
                self._dialect(record), record.membership,
                failing=seen.restarts >= _FAILURES)
        elif seen.exit_code or seen.in_restart_loop:
            self._credentials.withdraw()

    def position(self) -> positions.Position:
        """As it stands, with what is remembered of where it stood."""
        with self._lock:
            found = super().position()
            seen = self._memory.recall()
            last = self._files.read(self._where.last_order_file) or ''
            return dataclasses.replace(
                found, seen_uuid=None if seen is None else seen.uuid,
                seen_seqno=-1 if seen is None else seen.seqno,
                ordered=last.startswith(f'{program.CONTINUE} '))

    @property
    def facts(self) -> settings.MemberFacts | None:
        """Who it is in its cluster; None if it was not told yet."""
        record = self._records.read()
        known = None if record is None else record.membership
        return None if known is None else known.facts

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """What its server runs with now, of all that is set for it.

        :param names: of variables besides those that are set for every
            member, as its configuration group has them.
        :raises trove_pxc.exceptions.ServerNotAnswering: it does not run.
        """
        record, known = self._configured()
        paths = (None if known.certificate is None
                 else certificates.Paths(self._where.certificate_dir))
        own = settings.variables(self._dialect(record), known.facts, paths)
        return settings.shown(self._admin().variables(), own.union(names))

    def accounts(self) -> accounts.MemberAdmin:
        """Who makes users and databases on its server.

        :raises trove_pxc.exceptions.MemberNotConfigured: it has none yet.
        """
        record, membership = self._configured()
        dialect = self._dialect(record)
        return accounts.MemberAdmin(database.Database(
            self._where.socket, settings.ADMIN_USER,
            membership.secrets.admin_password,
            sql_mode=statements.session_mode(dialect)), dialect)

    def stop_for_recovery(self) -> bool:
        """Keep the server from running, unless it is primary.

        It stays stopped until told, or the next boot.

        :returns: whether it ran or was to run.
        """
        with self._lock:
            self._configured()
            seen = super().report()
            if seen.view is not None and seen.view.in_primary:
                return False
            stopped = self._where.stopped_file
            was_to_run = (self._container.look().at_work
                          or not self._files.present(stopped))
            self._files.write(stopped, '\n', _READABLE)
            self._container.stop(_UNRESPONSIVE_SECONDS if seen.view is None
                                 else CONF.state_change_wait_time)
            return was_to_run

    def promote(self, uuid: str, seqno: int) -> bool:
        """Make the running server primary where it stands: just here.

        :returns: whether it is, or will be: not while its component is
            changing, as when others were stopped a moment ago.
        :raises trove_pxc.exceptions.BootstrapRefused: if it is elsewhere.
        """
        with self._lock:
            admin = self._admin()
            seen = admin.view()
            if seen.in_primary:
                LOG.info('The server is in a primary component already')
                return True
            self._refuse_elsewhere(
                (seen.cluster_uuid, seen.last_committed), uuid, seqno)
            LOG.warning('Making the server primary at %s:%d', uuid, seqno)
            return admin.promote()

    def bootstrap_from(self, uuid: str, seqno: int) -> None:
        """Start the server as the first of its cluster, with its data.

        :raises trove_pxc.exceptions.BootstrapRefused: if it runs, or
            stands anywhere but at this position.
        """
        order = program.continuing(uuid, seqno)
        with self._lock:
            record, membership = self._configured()
            if self._was_ordered(order):
                LOG.info('The cluster is being continued already')
                return
            if self._container.look().at_work:
                raise exceptions.BootstrapRefused(
                    f'the server of {membership.facts.member_name} runs; '
                    'only one that is stopped can continue its cluster. '
                    'Ask for the recovery again.')
            found = self._position(record)
            if (found.sst_in_progress or found.evicted
                    or not found.grastate_present):
                raise exceptions.BootstrapRefused(
                    f'the data directory of {membership.facts.member_name} '
                    'is not whole; nothing can be continued from it. '
                    'Ask for the recovery again.')
            self._refuse_elsewhere((found.uuid, found.seqno), uuid, seqno)
            LOG.warning('Continuing the cluster from %s:%d', uuid, seqno)
            self._start(record, order)

    def _refuse_elsewhere(self, found: tuple[str | None, int], uuid: str,
                          seqno: int) -> None:
        if found != (uuid.lower(), seqno):
            _, membership = self._configured()
            raise exceptions.BootstrapRefused(
                f'{membership.facts.member_name} stands at '
                f'{found[0]}:{found[1]}, not at {uuid}:{seqno} as was '
                'decided. Ask for the recovery again.')
