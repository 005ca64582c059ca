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

"""Fakes for the tests of the guest: a guest in a temporary folder."""

import datetime
import os
import pathlib
import tempfile
from typing import Any

import docker
from docker.models import containers
from docker.models import images
import fixtures
import mock
from oslo_config import cfg as oslo_cfg
import testtools
from trove.common import cfg

from tests.unit import specs
from trove_pxc import conf
from trove_pxc.galera import certificates
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import restart_policy
from trove_pxc.guestagent import service
from trove_pxc import waiting

CONF = cfg.CONF
conf.register(CONF)
if 'network_isolation' not in CONF:
    # As the agent's own command registers it, which also patches threads.
    CONF.register_opt(oslo_cfg.BoolOpt(
        'network_isolation',
        help='whether to plug user defined port to database container'))

VERSION = '10.11'
IMAGE = f'mariadb:{VERSION}'
SAID = ('mariadbd  Ver 10.11.19-MariaDB\n'
        'SST method mariabackup: lacks\nSST method rsync: lacks\n')
PASSWORDS = ('admin-Pass-1', 'root-Pass-2', 'sst-Pass-3')
MEMBERS = (('c-1', '10.0.0.1'), ('c-2', '10.0.0.2'), ('c-3', '10.0.0.3'))


def facts(number: int = 1) -> settings.MemberFacts:
    return settings.MemberFacts(
        cluster_id='c', cluster_name='c' * 32,
        member_name=MEMBERS[number - 1][0],
        member_address=MEMBERS[number - 1][1], members=MEMBERS,
        instance_id=f'instance-{number}', memory_mb=1024, volume_gb=2)


def secrets() -> settings.ClusterSecrets:
    return settings.ClusterSecrets(*map(secret.Secret, PASSWORDS))


def certificate() -> certificates.Certificate:
    return certificates.Certificate(
        'certificate\n', secret.Secret('private key\n'), 'authority\n',
        datetime.datetime(2036, 1, 1, tzinfo=datetime.timezone.utc))


def membership() -> Membership:
    return Membership(facts(), secrets(), certificate())


class Container:
    """A container of the Docker engine: its attributes, without a process."""

    def __init__(self, status: str = 'created', exit_code: int = 0,
                 restarts: int = 0, error: str = '', log: str = '',
                 started_at: str = '2026-01-01T00:00:00.123456789Z',
                 labels: dict[str, str] | None = None) -> None:
        self.spec = mock.create_autospec(
            containers.Container, instance=True)
        self.spec.labels = labels or {}
        self.spec.logs.return_value = log.encode()
        self.spec.attrs = {'State': {
            'Status': status, 'ExitCode': exit_code, 'Error': error,
            'StartedAt': started_at}, 'RestartCount': restarts}


class Engine:
    """A Docker engine with given containers.

    :ivar client: the client for the code under test.
    """

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.client = specs.spec(docker.DockerClient)
        self.client.containers = specs.spec(containers.ContainerCollection)
        self.client.containers.get.side_effect = self._get
        self.client.images = specs.spec(images.ImageCollection)
        self.client.images.get.return_value.id = 'sha256:1'
        self.client.api = specs.spec(docker.APIClient)
        self.client.api.create_container.side_effect = self._create
        self.helper_prints(SAID)

    def holds(self, **state: Any) -> Any:
        """Set the state of the database's container."""
        self.known['database'] = Container(**state).spec
        return self.known['database']

    def helper_prints(self, text: str, code: int = 0) -> None:
        helper = self.client.containers.create.return_value
        helper.wait.return_value = {'StatusCode': code}
        helper.logs.return_value = text.encode()

    @property
    def created(self) -> dict[str, Any]:
        """How the database's container was created last."""
        return dict(self.client.api.create_container.call_args.kwargs)

    def _get(self, name: str) -> Any:
        if name not in self.known:
            raise docker.errors.NotFound(f'no container {name}')
        return self.known[name]

    def _create(self, image: str, **kwargs: Any) -> None:
        self.known[kwargs['name']] = Container(
            labels=kwargs.get('labels')).spec


class GuestTestCase(testtools.TestCase):
    """A guest whose whole file system is in one temporary folder."""

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.where = paths.Paths(
            mount_point=f'{self.root}/volume',
            config_dir=f'{self.root}/etc/mysql',
            socket_dir=f'{self.root}/socket',
            start_dir=f'{self.root}/etc/trove-pxc',
            order_dir=f'{self.root}/run')
        (self.root / 'volume').mkdir()
        self.files = files.HostFiles(as_root=False, durable=False)
        self.config = self.useFixture(Options())
        self.config.config(database_service_uid=str(os.getuid()),
                           state_change_wait_time=120)
        self.config.config(group='mariadb', docker_image='mariadb',
                           database_service_gid=str(os.getgid()))

    def text(self, path: str) -> str:
        return pathlib.Path(path).read_text()

    def mode(self, path: str) -> int:
        return os.stat(path).st_mode & 0o777


class Options(fixtures.Fixture):
    """Options of one test; oslo's fixture would reset those of all others."""

    def config(self, group: str | None = None, **values: Any) -> None:
        for name, value in values.items():
            CONF.set_override(name, value, group)
            self.addCleanup(CONF.clear_override, name, group)


class MemberTestCase(GuestTestCase):
    """A guest with a member's service and a fake Docker engine."""

    def setUp(self) -> None:
        super().setUp()
        self.engine = Engine()
        self.trove = mock.create_autospec(service.TroveSide, instance=True)
        self.member = self.new_agent()

    def new_agent(self, manager: str = 'mariadb'
                  ) -> restart_policy.MemberService:
        """The service of an agent that has just started."""
        return restart_policy.MemberService(
            manager, self.engine.client, self.trove, where=self.where,
            host_files=self.files)

    def prepared(self) -> None:
        self.member.prepare(VERSION, '[mysqld]\n', None)

    def configured(self) -> None:
        self.prepared()
        self.member.configure(facts(), secrets())

    def database_files(self, **contents: str) -> None:
        """Create a data directory with a database and these state files."""
        data = pathlib.Path(self.where.data_dir)
        (data / 'mysql').mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            (data / name.replace('__', '.')).write_text(text)


def until_shell_waits(pid: int) -> None:
    """Wait until a shell is in "wait": its trap for TERM is set then."""
    def probe() -> None:
        where = pathlib.Path(f'/proc/{pid}/wchan').read_text()
        if not where.startswith(('sigsuspend', 'do_wait')):
            raise waiting.NotYet(where)
    waiting.until('the shell to wait for the server', probe, 60, 0.01)
