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

"""The actions of a member during the recovery of its whole cluster.

Trove's app class creates it. Like service, it makes no decisions about other
members, does not wait for the cluster, and knows no RPC.
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
from trove_pxc.guestagent import arrival
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
# A server that tries to connect to its cluster reacts only to SIGKILL until
# it gives up after 34 s (measured). SIGKILL does not harm its data.
_UNRESPONSIVE_SECONDS = 2
# A server that has left its cluster for good may hang while it stops: after
# a failed IST it took all of Trove's 180 s. A clean stop has no benefit then.
_OUT_SECONDS = 10
# Each check logs in with three accounts, which costs as much as ten glances.
# Trove's ticks, 30 s apart, are not exact.
_ACCOUNTS_SECONDS = 55
_FAILURES = 2


class MemberService(service.GaleraService):
    """A member that can be recovered, with its accounts and variables."""

    def __init__(self, manager: str, client: container.Client,
                 trove_side: service.TroveSide,
                 where: paths.Paths | None = None,
                 host_files: files.HostFiles | None = None) -> None:
        super().__init__(manager, client, trove_side, where, host_files)
        self._memory = memory.Memory(self._files, self._where.memory_file)
        self._credentials = credentials.Credentials(
            self._files, self._where, self._owner)
        self._looked_after: waiting.Stopwatch | None = None

    def resume(self) -> None:
        """Start a member that should run and does not.

        After a reboot there is no file any more that keeps it stopped.
        """
        record = self._records.read()
        if record is None or not record.started:
            return
        with self._lock:
            if self._observer.evicted(self._where.mount_point):
                LOG.warning('The server has left its cluster and cannot '
                            'rejoin without a restart: restarting it')
                self._container.stop(_OUT_SECONDS)
            if (self._observer.container_state().at_work
                    or self._files.present(self._where.stopped_file)):
                return
            LOG.info('The server should be running and is not: starting it')
            self._start(record, '')

    def report(self) -> view.MemberReport:
        return self._noted(super().report())

    def glance(self) -> view.MemberReport:
        return self._noted(super().glance())

    def _noted(self, report: view.MemberReport) -> view.MemberReport:
        self._memory.look(report.view)
        if report.denied:
            self._looked_after = None    # check the accounts at the next tick
        return report

    def wait_synced(self, seconds: float) -> None:
        """Wait until the server is Synced, at most so many seconds."""
        record = self._records.read()
        admin = None if record is None else self._admin_of(record)
        if admin is not None and seconds > 0:
            arrival.wait(self._where.socket, admin, seconds)

    def stop(self) -> None:
        """Stop the server, also if a client has locked all its tables.

        Galera is paused then: the stop would wait for the lock until the
        server is killed (measured with MariaDB 10.11.19).
        """
        with self._lock:
            record = self._records.read()
            admin = None if record is None else self._admin_of(record)
            try:
                if (admin is not None and admin.view().local_state
                        is view.LocalState.DONOR):
                    admin.end_clients()
            except exceptions.ServerNotAnswering as failure:
                LOG.info('Stopping the server without ending its clients '
                         'first: %s', failure)
            super().stop()

    def look_after_accounts(self, at_once: bool = False) -> None:
        """Check at intervals that the accounts can log in; restore them.

        :param at_once: check now, without regard to the interval.
        """
        record = self._records.read()
        if record is None or record.membership is None or not record.started:
            return
        if (not at_once and self._looked_after is not None
                and self._looked_after.elapsed < _ACCOUNTS_SECONDS):
            return
        self._looked_after = waiting.Stopwatch()
        seen = self._observer.container_state()
        if seen.running:
            if not self._credentials.look(
                    self._dialect(record), record.membership,
                    failing=seen.restarts >= _FAILURES):
                self._observer.log_in_again()
        elif seen.exit_code or seen.in_restart_loop:
            self._credentials.withdraw()

    def position(self) -> positions.Position:
        """The position of the data, and the last one that was recorded."""
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
        """The facts of the member; None before they are configured."""
        record = self._records.read()
        known = None if record is None else record.membership
        return None if known is None else known.facts

    def variables(self, names: Iterable[str]) -> dict[str, str]:
        """The running values of the variables that are set for it.

        :param names: of more variables, for example those of its
            configuration group.
        :raises trove_pxc.exceptions.ServerNotAnswering: if it does not run.
        """
        record, known = self._configured()
        paths = (None if known.certificate is None
                 else certificates.Paths(self._where.certificate_dir))
        own = settings.variables(self._dialect(record), known.facts, paths)
        return settings.shown(self._admin().variables(), own.union(names))

    def accounts(self) -> accounts.MemberAdmin:
        """The admin of users and databases on its server.

        :raises trove_pxc.exceptions.MemberNotConfigured: before configure.
        """
        record, membership = self._configured()
        dialect = self._dialect(record)
        return accounts.MemberAdmin(database.Database(
            self._where.socket, settings.ADMIN_USER,
            membership.secrets.admin_password,
            sql_mode=statements.session_mode(dialect)), dialect)

    def stop_for_recovery(self) -> bool:
        """Stop the server and keep it stopped, unless it is primary.

        It stays stopped until it is started, or until the next boot.

        :returns: whether it ran, or was going to be started.
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
        """Make the running server primary, if it is at this position.

        :returns: whether it is or becomes primary; False while its component
            is changing, for example just after other members were stopped.
        :raises trove_pxc.exceptions.BootstrapRefused: if it is at another
            position.
        """
        with self._lock:
            admin = self._admin()
            seen = admin.view()
            if seen.in_primary:
                LOG.info('The server is already in a primary component')
                return True
            self._refuse_elsewhere(
                (seen.cluster_uuid, seen.last_committed), uuid, seqno)
            LOG.warning('Making the server primary at %s:%d', uuid, seqno)
            return admin.promote()

    def bootstrap_from(self, uuid: str, seqno: int) -> None:
        """Bootstrap the cluster from the data of this member.

        :raises trove_pxc.exceptions.BootstrapRefused: if the server runs, or
            the data is not at exactly this position.
        """
        order = program.continuing(uuid, seqno)
        with self._lock:
            record, membership = self._configured()
            if self._was_ordered(order):
                LOG.info('The cluster is already being bootstrapped')
                return
            if self._container.look().at_work:
                raise exceptions.BootstrapRefused(
                    f'the server of {membership.facts.member_name} is '
                    'running; a cluster can be bootstrapped only from a '
                    'stopped server. Run the recovery again.')
            found = self._position(record)
            if (found.sst_in_progress or found.evicted
                    or not found.grastate_present):
                raise exceptions.BootstrapRefused(
                    f'the data directory of {membership.facts.member_name} '
                    'is not complete; the cluster cannot be bootstrapped '
                    'from it. Run the recovery again.')
            self._refuse_elsewhere((found.uuid, found.seqno), uuid, seqno)
            LOG.warning('Bootstrapping the cluster from %s:%d', uuid, seqno)
            self._start(record, order)

    def _refuse_elsewhere(self, found: tuple[str | None, int], uuid: str,
                          seqno: int) -> None:
        if found != (uuid.lower(), seqno):
            _, membership = self._configured()
            raise exceptions.BootstrapRefused(
                f'{membership.facts.member_name} is at position '
                f'{found[0]}:{found[1]}, but the recovery was decided for '
                f'{uuid}:{seqno}. Run the recovery again.')
