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

"""Real Trove in one process: its API, its taskmanager, its tables.

The tables are SQLite, messages go through oslo.messaging's fake transport,
the cloud is tests.functional.cloud, the guests are tests.functional.galera.
Time is that of tests.functional.clock: a wait costs nothing.
"""

import logging
import math
import os
import tempfile
from typing import Any
import uuid

import fixtures
import oslo_messaging as messaging
from oslo_messaging import conffixture
from oslo_messaging.notify import _impl_test as notifications
from oslo_serialization import jsonutils
import testtools
from trove.cluster import models as cluster_models
from trove.common import api as trove_api
from trove.common import cfg
from trove.common import context as trove_context
from trove.common import extensions
from trove.common import wsgi
from trove.datastore import models as datastore_models
from trove.db import get_db_api
from trove.db.sqlalchemy import session
from trove.guestagent import models as agent_models
from trove.instance import models as instance_models
from trove.quota import models as quota_models
from trove import rpc
import webob

from tests.functional import clock
from tests.functional import cloud as clouds
from tests.functional import galera
from tests.functional import tables
from tests.functional import transport
from trove_pxc.api import pipeline
from trove_pxc import faults
from trove_pxc.taskmanager.cloud import certificate_authority
from trove_pxc.taskmanager import manager as taskmanager
from trove_pxc import waiting

CONF = cfg.CONF
PROJECT = 'demo'
MANAGERS = ('pxc', 'mariadb')

_OPTIONS: dict[str | None, dict[str, Any]] = {
    None: {
        'remote_nova_client': 'tests.functional.cloud.nova',
        'remote_neutron_client': 'tests.functional.cloud.neutron',
        'remote_cinder_client': 'tests.functional.cloud.cinder',
        'remote_glance_client': 'tests.functional.cloud.glance',
        'usage_sleep_time': 1,
        'cluster_delete_time_out': 20,
        'online_volume_resize': False,
        'max_instances_per_tenant': 10,
        'max_volumes_per_tenant': 40,
        'max_ram_per_tenant': 20000,
    },
    'network': {'enable_access_check': False},
}
_STRATEGIES = {
    'api_strategy': 'trove_pxc.api.strategy.GaleraAPIStrategy',
    'taskmanager_strategy':
        'trove_pxc.taskmanager.strategy.GaleraTaskManagerStrategy',
    'guestagent_strategy':
        'trove_pxc.guestagent.strategy.GaleraGuestAgentStrategy',
    'root_controller': 'trove_pxc.api.root.GaleraRootController',
}
# A busy machine must not fail a test; tests of a timeout set it themselves.
_FAST = {
    'member_ready_timeout': 90, 'bootstrap_timeout': 90,
    'join_stall_timeout': 90, 'verify_timeout': 60, 'health_timeout': 90,
    'guest_silence_timeout': 60, 'member_call_timeout': 4,
    'self_recovery_timeout': 4, 'automatic_recovery_patience': 5,
    'member_stop_timeout': 60, 'server_resize_timeout': 60,
    'volume_resize_timeout': 60, 'status_call_timeout': 2,
    'member_start_timeout': 60, 'creation_settle_timeout': 2,
    'member_poll_interval': 0.05, 'database_poll_interval': 0.1,
    'cloud_poll_interval': 0.1,
}


# Seconds after which every running operation has polled its cluster again.
_LONGEST_PAUSE = 120
# Keys of the size that production uses take a second of each create.
_KEY_BITS = 1024


class _Process(fixtures.Fixture):
    """The setup of Trove that is possible only once in a process."""

    ready = False

    def _setUp(self) -> None:
        if _Process.ready:
            return
        CONF([], project='trove', default_config_files=[])
        # In memory where the machine has a file system for it, because Trove's
        # migrations open a connection of their own.
        memory = '/dev/shm' if os.path.isdir('/dev/shm') else None
        folder = tempfile.TemporaryDirectory(dir=memory)
        _Process.folder = folder
        CONF.set_override('connection', f'sqlite:///{folder.name}/trove.db',
                          'database')
        tables.connect()
        transport.install()
        messages = conffixture.ConfFixture(CONF)
        messages.setUp()
        messages.transport_url = 'fake://'
        CONF.set_override('driver', ['test'], 'oslo_messaging_notifications')
        logging.getLogger('alembic').setLevel(logging.WARNING)
        get_db_api().db_sync(CONF)
        session.configure_db()
        _Process.ready = True


class TroveTest(testtools.TestCase):
    """A test with a Trove, a cloud and a project of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(clock.TimeOfDay())
        self.useFixture(fixtures.FakeLogger())
        self.useFixture(_Process())
        rpc.init(CONF)
        # Casts that no service took disappear with the transport.
        self.addCleanup(rpc.cleanup)
        # Threads that this test started and left find that it is over.
        self.addCleanup(waiting.pause, _LONGEST_PAUSE)
        self._set_options()
        self.useFixture(fixtures.MonkeyPatch(
            f'{certificate_authority.__name__}._KEY_BITS', _KEY_BITS))
        tables.empty()
        notifications.reset()
        self.cloud = clouds.Cloud()
        clouds.use(self.cloud)
        self.galera = galera.FakeGalera()
        self.cloud.booted = self.galera.boot
        self.cloud.removed = self.galera.lose
        self.cloud.rebooted = self.galera.reboot
        self.cloud.mounted = self.galera.mounted
        self.addCleanup(self.galera.close)
        self.api = self.pipeline()
        self.add_datastore('mariadb', '10.11')
        self.listener: Any = None

    @staticmethod
    def pipeline() -> Any:
        """Trove's router, its extensions, and the filter in front of them."""
        return pipeline.factory({})(
            extensions.TroveExtensionMiddleware(trove_api.API()))

    def _set_options(self) -> None:
        for group, options in _OPTIONS.items():
            for name, value in options.items():
                self.override(name, value, group)
        for manager in MANAGERS:
            for name, value in _STRATEGIES.items():
                self.override(name, value, manager)
        from trove_pxc import conf
        conf.register(CONF)
        for manager in MANAGERS:
            for name, value in _FAST.items():
                self.override(name, value, manager)

    def override(self, name: str, value: Any,
                 group: str | None = None) -> None:
        CONF.set_override(name, value, group)
        self.addCleanup(CONF.clear_override, name, group)

    def add_datastore(self, manager: str, version: str,
                      image_id: str | None = clouds.IMAGE) -> None:
        datastore_models.update_datastore(manager, None)
        datastore_models.update_datastore_version(
            manager, version, manager, image_id, '', '', True,
            registry_ext=f'{manager}:trove_pxc.guestagent.manager.X')

    def start_taskmanager(self, manager: Any = None) -> None:
        """Take the casts of the API from now on."""
        self.rpc_manager = manager or taskmanager.Manager()
        server = rpc.get_server(
            messaging.Target(topic=CONF.taskmanager_queue, server='here',
                             version='1.0'),
            [self.rpc_manager], key=CONF.taskmanager_rpc_encr_key)
        server.start()
        self.listener = server
        self.addCleanup(self.stop_taskmanager)
        self.addCleanup(self._abandon_all)

    def _abandon_all(self) -> None:
        """Make threads that a test left running find that it is over."""
        for model in (cluster_models.DBCluster, instance_models.DBInstance):
            for row in model.find_all(deleted=False).all():
                row.update(deleted=True)
        self.cloud.servers.clear()

    def stop_taskmanager(self) -> None:
        """Wait until the running operations end, and take no more casts."""
        if self.listener is not None:
            self.listener.stop()
            self.listener.wait()
            self.listener = None
            if isinstance(self.rpc_manager, taskmanager.Manager):
                waiting.until('the operations to end', self._idle, math.inf,
                              0.1)

    def _idle(self) -> None:
        if self.rpc_manager._admission.busy:
            raise waiting.NotYet('requests run or wait')

    def context(self, project: str = PROJECT, role: str = 'member') -> Any:
        return trove_context.TroveContext(
            user_id='someone', project_id=project, roles=[role],
            is_admin=role == 'admin', auth_token='none')

    def request(self, method: str, path: str, body: Any = None,
                project: str = PROJECT,
                role: str = 'member') -> webob.Response:
        """Send a request through Trove's router, as its pipeline would."""
        request = wsgi.Request.blank(
            f'/{project}{path}', method=method,
            headers={'Content-Type': 'application/json'},
            body=b'' if body is None else jsonutils.dump_as_bytes(body))
        context = self.context(project, role)
        context.limit = request.GET.get('limit')
        context.marker = request.GET.get('marker')
        request.environ[wsgi.CONTEXT_KEY] = context
        return request.get_response(self.api)

    def create(self, name: str = 'products', number: int = 3,
               **changes: Any) -> webob.Response:
        """Ask for a cluster of equal members."""
        instance = {'flavorRef': '1', 'volume': {'size': 1},
                    'nics': [{'network_id': clouds.NETWORK}]}
        body = {'name': name,
                'datastore': {'type': 'mariadb', 'version': '10.11'},
                'instances': [dict(instance) for _ in range(number)]}
        body.update(changes)
        return self.request('POST', '/clusters', {'cluster': body})

    def show(self, cluster_id: str) -> Any:
        response = self.request('GET', f'/clusters/{cluster_id}')
        self.assertEqual(200, response.status_int, response.text)
        return response.json['cluster']

    def wait_for_task(self, cluster_id: str, task: str = 'NONE') -> Any:
        def probe() -> Any:
            row = self.cluster_row(cluster_id)
            if row.deleted or row.task_status.name != task:
                raise waiting.NotYet(
                    f'{row.task_status.name}, deleted: {row.deleted}')
            return row
        return waiting.until(f'task {task}', probe, 120, 0.1)

    def settle(self) -> None:
        """Wait until Trove's own creation of each instance has ended, too.

        It polls the instance, and writes to its row when the guest is ready.
        This can happen long after the cluster is complete.
        """
        waiting.pause(2 * CONF.usage_sleep_time)

    def wait_deleted(self, cluster_id: str) -> None:
        def probe() -> None:
            row = self.cluster_row(cluster_id)
            if not row.deleted:
                raise waiting.NotYet(row.task_status.name)
        waiting.until('the cluster to be deleted', probe, 120, 0.1)

    def wait_for_event(self, event: str) -> None:
        """Wait until a guest has done this, for example "join products-2"."""
        def probe() -> None:
            if event not in self.galera.events:
                raise waiting.NotYet(str(self.galera.events))
        waiting.until(event, probe, 120, 0.05)

    def wait_for_call(self, call: str) -> None:
        """Wait for this call of Trove to the cloud, as "servers.delete"."""
        def probe() -> None:
            if call not in self.cloud.calls:
                raise waiting.NotYet('other calls')
        waiting.until(call, probe, 120, 0.05)

    def cluster_row(self, cluster_id: str) -> Any:
        return cluster_models.DBCluster.get_by(id=cluster_id)

    def instance_rows(self, cluster_id: str) -> list[Any]:
        rows = instance_models.DBInstance.find_all(
            cluster_id=cluster_id, deleted=False).all()
        return sorted(rows, key=lambda row: row.name)

    def fault(self, instance_id: str) -> str:
        """The message of an instance's fault, as "instance show" prints it."""
        row = instance_models.DBInstanceFault.get_by(instance_id=instance_id)
        return '' if row is None else ' '.join(
            faults.whole(instance_id, row.message).split())

    def notified(self, event: str) -> list[Any]:
        """The payloads of all notifications of this kind."""
        return [message['payload']
                for _, message, _, _ in notifications.NOTIFICATIONS
                if message['event_type'] == event]

    def wait_notified(self, event: str) -> Any:
        def probe() -> Any:
            found = self.notified(event)
            if not found:
                raise waiting.NotYet('other notifications')
            return found[0]
        return waiting.until(f'notification {event}', probe, 120, 0.1)

    def used(self) -> dict[str, int]:
        """The usage that counts against the project's quota."""
        usages = quota_models.QuotaUsage.find_all(tenant_id=PROJECT).all()
        return {usage.resource: usage.in_use + usage.reserved
                for usage in usages if usage.in_use + usage.reserved}

    def assert_nothing_left(self) -> None:
        """No row, no quota and no resource in the cloud is left."""
        self.assertEqual([], self.cloud.left())
        self.assertEqual({}, self.used())
        self.assertEqual([], instance_models.DBInstance.find_all(
            deleted=False).all())
        self.assertEqual([], cluster_models.DBCluster.find_all(
            deleted=False).all())
        self.assertEqual([], agent_models.AgentHeartBeat.find_all().all())

    @staticmethod
    def unknown_id() -> str:
        return str(uuid.uuid4())
