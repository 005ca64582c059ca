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

"""The actions of a member: configure, bootstrap, join, stop, position.

The guest's manager and Trove's app class call it. It makes no decisions about
other members, does not wait for the cluster, and knows no RPC.
"""

from collections.abc import Callable
from collections.abc import Mapping
import dataclasses
import functools
import threading
import time
from typing import Protocol

from oslo_log import log as logging

from trove.common import cfg

from trove_pxc import exceptions
from trove_pxc.galera import catchup
from trove_pxc.galera import certificates
from trove_pxc.galera import dialect as dialects
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import position as positions
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.guestagent import configuration
from trove_pxc.guestagent import container
from trove_pxc.guestagent import database
from trove_pxc.guestagent import files
from trove_pxc.guestagent import image as images
from trove_pxc.guestagent import observer
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program
from trove_pxc.guestagent import record as records
from trove_pxc.guestagent import transfer

LOG = logging.getLogger(__name__)
CONF = cfg.CONF

_READABLE = 0o644
_PRIVATE = 0o600
_OWN_FOLDER = 0o700
_ALL_ENTER = 0o755


class TroveSide(Protocol):
    """What the service needs from Trove's guest code."""

    def write_server_config(self, text: str) -> None:
        """Make this the server's base configuration."""

    def write_user_overrides(self, overrides: Mapping[str, object]) -> None:
        """Store the values of the user's configuration group."""

    def use_passwords(self, secrets: settings.ClusterSecrets) -> None:
        """Store the administrators' passwords where Trove reads them."""


class GaleraService:
    """The member that this guest is, or may become.

    :param manager: the datastore manager, 'pxc' or 'mariadb'.
    :param client: the client of the guest's Docker engine.
    """

    def __init__(self, manager: str, client: container.Client,
                 trove_side: TroveSide,
                 where: paths.Paths | None = None,
                 host_files: files.HostFiles | None = None) -> None:
        self._manager = manager
        self._trove = trove_side
        self._where = where or paths.Paths(
            mount_point=CONF[manager].mount_point)
        self._files = host_files or files.HostFiles()
        self._transfers = transfer.Transfers(self._files, self._where)
        self._records = records.RecordStore(
            self._files, self._where.record_file)
        self._configuration = configuration.Configuration(
            self._files, self._where, self._owner)
        self._container = container.DatabaseContainer(client)
        self._observer = observer.Observer(self._container)
        self._meter = catchup.Meter()
        # RPC calls and the periodic task run at the same time.
        self._lock = threading.RLock()
        self._failure = ''

    @property
    def is_member(self) -> bool:
        """Whether this guest belongs to a cluster."""
        return self._records.read() is not None

    @property
    def stage(self) -> records.Stage | None:
        """The stage of its preparation; None if it is not a member."""
        record = self._records.read()
        return None if record is None else record.stage

    def fail(self, reason: str) -> None:
        """Add this reason of failure to every report from now on."""
        self._failure = reason

    def begin(self, version: str) -> records.MemberRecord:
        """Store, for the next agent, that the preparation has begun."""
        record = records.MemberRecord(records.Stage.PREPARING, version)
        with self._lock:
            self._files.ensure_folders(
                files.Folder(self._where.state_dir, _ALL_ENTER))
            self._records.write(record)
        return record

    def prepare(self, version: str, base_config: str,
                overrides: Mapping[str, object] | None) -> None:
        """Prepare everything but a database: folders, settings, image.

        :raises trove_pxc.exceptions.ImageUnusable: if the image cannot be
            pulled or contains another server.
        """
        with self._lock:
            record = self.begin(version)
            self._make_folders()
            # On Debian it is a link to a file that the image does not have.
            self._files.drop_link(self._where.server_file)
            if overrides:   # Trove adds them to a base configuration
                self._trove.write_server_config(base_config)
                self._trove.write_user_overrides(overrides)
            self._configuration.write_program(self._dialect(record))
            specification = self._specification(record)
            self._container.ensure_image(specification.image)
            record = self._checked_image(record, specification)
            self._container.ensure_created(specification)
            self._records.write(record.at(records.Stage.PREPARED))

    def configure(self, facts: settings.MemberFacts,
                  secrets: settings.ClusterSecrets,
                  certificate: certificates.Certificate | None = None) -> None:
        """Store these settings; a running server uses them when it restarts.

        :param certificate: None if members do not encrypt their traffic.
        :raises trove_pxc.exceptions.MemberNotConfigured: before prepare.
        :raises trove_pxc.galera.errors.UnsupportedVersion: if the image
            lacks the programs of the configured SST method.
        """
        with self._lock:
            record = self._record()
            stage = max(record.stage, records.Stage.CONFIGURED,
                        key=list(records.Stage).index)
            membership = Membership(images.with_sst_method(
                self._dialect(record), facts, record.sst_methods,
                encrypted=secrets.encrypted), secrets, certificate)
            self._write_configuration(record, membership)
            self._records.write(dataclasses.replace(
                record, stage=stage, membership=membership))

    def bootstrap(self) -> None:
        """Initialise a new database and start it as a cluster of one.

        :raises trove_pxc.exceptions.BootstrapRefused: if the data
            directory has content that may be data of users.
        """
        with self._lock:
            record, membership = self._configured()
            if self._was_ordered(program.BOOTSTRAP):
                LOG.info('The bootstrap is already in progress')
                return
            self._container.stop(CONF.state_change_wait_time)
            self._refuse_bootstrap_over_data(record, membership)
            self._start(record, program.BOOTSTRAP,
                        self._configuration.initial_accounts(
                            self._dialect(record), membership))

    def join(self, forming: bool) -> None:
        """Start the server as a joiner.

        :param forming: whether the cluster is being created and has no
            clients: the state transfer may then be the fastest one.
        """
        with self._lock:
            record, _ = self._configured()
            if self._container.look().at_work:
                LOG.info('The server is already running')
                return
            self._start(record, program.FORM if forming else '')

    def start(self) -> None:
        """Start the server with its data, to rejoin its cluster."""
        with self._lock:
            record, _ = self._configured()
            if not self._container.look().at_work:
                self._start(record, '')

    def stop(self) -> None:
        """Stop the server until it is started, or until the next boot."""
        with self._lock:
            self._files.write(self._where.stopped_file, '\n', _READABLE)
            self._container.stop(CONF.state_change_wait_time)

    def restart(self) -> None:
        """Stop and start the server."""
        with self._lock:
            self.stop()
            self.start()

    def refresh(self) -> None:
        """Write the files and folders again that an upgrade or boot needs."""
        with self._lock:
            record = self._records.read()
            if record is not None and record.membership is not None:
                self._make_folders()
                self._configuration.write_program(self._dialect(record))
                if not self._files.present(self._where.last_order_file):
                    self._files.write(self._where.last_order_file, '\n',
                                      _READABLE)

    def report(self) -> view.MemberReport:
        """The state of the member; it takes some seconds at most."""
        return self._report(self._observer.observe)

    def glance(self) -> view.MemberReport:
        """The same, at a small part of the cost, for the reporter's thread."""
        return self._report(self._observer.glance)

    def wait(self, seconds: float) -> None:
        """Wait until the next glance, or until the server ends."""
        self._observer.wait(seconds)

    def _report(self, look: Callable[[database.Database | None],
                                     observer.Observation]
                ) -> view.MemberReport:
        record = self._records.read()
        seen = look(None if record is None else self._admin_of(record))
        now = time.monotonic()
        return view.MemberReport(
            server=seen.state, view=seen.node_view,
            data_bytes=files.used_bytes(self._where.mount_point),
            started=record is not None and record.started,
            exit_code=seen.exit_code, receiving=seen.receiving,
            restarts=seen.restarts, giving=seen.giving, denied=seen.denied,
            progress=self._meter.look(seen.node_view, now),
            unsynced=self._transfers.last_is_unsynced(seen.same_server),
            certificate_ends=None if record is None else record.ends,
            error=self._failure or (
                seen.error if record is None else record.mask(seen.error)))

    def position(self) -> positions.Position:
        """The position of the data; recovered if the server is stopped."""
        with self._lock:
            return self._position(self._record())

    def context(self) -> dict[str, object] | None:
        """The facts and the plain secrets: only for encrypted RPC."""
        record = self._records.read()
        if record is None or record.membership is None:
            return None
        return record.membership.to_dict()

    def write_probe(self, token: str) -> None:
        self._admin().write_probe(token)

    def read_probe(self, token: str) -> bool:
        return self._admin().read_probe(token)

    def drop_probe(self) -> None:
        self._admin().drop_probe()

    def complete(self) -> None:
        """Use the state transfers of a complete cluster from now on."""
        record, membership = self._configured()
        dialect = self._dialect(record)
        method = dialect.sst_method(membership.facts.sst_method)
        if method != dialect.formation_sst_method:
            self._admin().set_sst_method(method)

    def _record(self) -> records.MemberRecord:
        record = self._records.read()
        if record is None:
            raise exceptions.MemberNotConfigured(
                'this guest was never prepared as a member of a cluster; '
                'create the cluster again')
        return record

    def _configured(self) -> tuple[records.MemberRecord, Membership]:
        record = self._record()
        if record.membership is None:
            raise exceptions.MemberNotConfigured(
                'this guest has no settings of its cluster yet; '
                'configure_member must come first')
        return record, record.membership

    def _dialect(self, record: records.MemberRecord) -> dialects.Dialect:
        return dialects.for_version(self._manager, record.server_version)

    def _admin(self) -> database.Database:
        return self._admin_with(self._configured()[1])

    def _admin_of(self, record: records.MemberRecord
                  ) -> database.Database | None:
        if record.membership is None:
            return None
        return self._admin_with(record.membership)

    def _admin_with(self, membership: Membership) -> database.Database:
        return database.Database(
            self._where.socket, settings.ADMIN_USER,
            membership.secrets.admin_password)

    @functools.cached_property
    def _owner(self) -> str:
        """The database's user in the guest, which Trove creates."""
        uid = (CONF[self._manager].database_service_uid
               or CONF.database_service_uid)
        return f'{uid}:{CONF[self._manager].database_service_gid or uid}'

    def _specification(self, record: records.MemberRecord
                       ) -> container.Specification:
        where = self._where
        image = CONF[self._manager].docker_image
        return container.Specification(
            image=f'{image}:{record.server_version}',
            user=self._owner,
            entrypoint=program.ENTRYPOINT,
            mounts=(
                container.Mount(where.data_dir, where.data_dir),
                container.Mount(where.transfer_dir, where.transfer_dir),
                container.Mount(where.config_dir, '/etc/mysql',
                                read_only=True),
                container.Mount(where.start_dir, program.START_DIR,
                                read_only=True),
                container.Mount(where.socket_dir, '/var/run/mysqld'),
                container.Mount(where.order_dir, program.ORDER_DIR,
                                required=False),
            ),
            stop_seconds=CONF.state_change_wait_time,
            isolated_network=(CONF.network_isolation
                              and container.isolated_network()))

    def _checked_image(self, record: records.MemberRecord,
                       specification: container.Specification
                       ) -> records.MemberRecord:
        """Check the server in the image; add its SST methods to the record."""
        try:
            said = self._container.run_helper(
                specification, program.VERSION)
        except exceptions.ServerStartFailed as failure:
            raise exceptions.ImageUnusable(str(failure)) from failure
        usable = images.usable_sst_methods(
            self._dialect(record), specification.image, said)
        return dataclasses.replace(record, sst_methods=usable)

    def _make_folders(self) -> None:
        where = self._where
        self._files.ensure_folders(
            files.Folder(where.data_dir, _OWN_FOLDER, self._owner),
            files.Folder(where.transfer_dir, _OWN_FOLDER, self._owner),
            files.Folder(where.config_dir, _ALL_ENTER, self._owner),
            files.Folder(where.include_dir, _ALL_ENTER, self._owner),
            files.Folder(where.socket_dir, _ALL_ENTER, self._owner),
            files.Folder(where.order_dir, _OWN_FOLDER, self._owner),
            files.Folder(where.start_dir, _ALL_ENTER))

    def _write_configuration(self, record: records.MemberRecord,
                             membership: Membership) -> None:
        dialect = self._dialect(record)
        self._trove.write_server_config(settings.server_config(
            dialect, membership.facts, data_dir=self._where.data_dir))
        self._configuration.write_membership(dialect, membership,
                                             record.sst_methods)
        self._trove.use_passwords(membership.secrets)

    def _was_ordered(self, order: str) -> bool:
        """Whether a server with this order runs since the last boot."""
        last = self._files.read(self._where.last_order_file) or ''
        return last.strip() == order and self._container.look().at_work

    def _start(self, record: records.MemberRecord, order: str,
               *needed: files.File) -> None:
        """Start the server with an order, and files that the order needs."""
        self._make_folders()
        self._files.remove(self._where.stopped_file, self._where.order_file)
        written = [*needed, files.File(
            self._where.last_order_file, f'{order}\n', _READABLE)]
        if order:
            written.append(files.File(
                self._where.order_file, f'{order}\n', _PRIVATE, self._owner))
        if record.started:   # the volume of the record may be full
            self._files.write_all(*written)
        else:
            self._records.write(record.at(records.Stage.STARTED), *written)
        self._container.ensure_created(self._specification(record))
        self._container.start()

    def _has_database(self) -> bool:
        return bool(self._files.present(f'{self._where.data_dir}/mysql'))

    def _position(self, record: records.MemberRecord) -> positions.Position:
        database_dir, view_file = (
            f'{self._where.data_dir}/{name}' for name in (
                'mysql', 'gvwstate.dat'))
        grastate = self._where.grastate_file
        present = self._files.present(database_dir, grastate, view_file)
        at_work = self._container.look().at_work
        spoiled = self._transfers.last_was_interrupted(
            self._dialect(record).sst_folders, at_work)
        evicted = self._transfers.one_is_needed()
        recovered = None
        if (database_dir in present and not spoiled and not evicted
                and not at_work):
            recovered = self._container.run_helper(
                self._specification(record), program.RECOVER)
        return dataclasses.replace(positions.combine(
            self._files.read(grastate) if grastate in present else None,
            recovered, spoiled, view_file in present), evicted=evicted)

    def _refuse_bootstrap_over_data(self, record: records.MemberRecord,
                                    membership: Membership) -> None:
        """Raise if the data directory may hold data of users.

        It is safe if empty, or initialised here and never in a cluster.
        """
        position = self._position(record)
        if position.sst_in_progress:
            reason = 'an interrupted state transfer'
        elif position.uuid is not None:
            reason = (f'the data of the cluster {position.uuid} at '
                      f'{position.seqno}')
        elif self._has_database() and not record.started:
            reason = 'a database that was not initialised on this guest'
        else:
            return
        raise exceptions.BootstrapRefused(
            f'the data directory of {membership.facts.member_name} contains '
            f'{reason}. A new cluster needs an empty directory. Ask an '
            'operator whose data it is, then delete and create this cluster '
            'again.')
