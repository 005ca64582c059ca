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
"""The folder of a run, and the configuration of Trove's services in it.

Imported by the other modules. It is a lab's folder with other contents: the
Python is the one that runs the benchmark, and the services run trove_pxc of
any source tree.
"""

import json
from pathlib import Path
import sys

from lab import home as lab_home
from lab import private
from lab.services import mariadb
from lab.services import rabbitmq
from lab.services import trove_conf
from lab.swift import conf as swift_conf

DEFAULT_ROOT = '/var/tmp/trove-pxc-scale'
TOP = Path(__file__).resolve().parents[3]
IMAGE_ID = '10880000-0000-4000-8000-0000000000ff'
#: whose parts of the tree the services import
PARTS = ('lab', 'tests')
GALERA_COMMON = 'galera_common'

#: the values of the installation guide and Trove's own defaults, not the
#: shorter ones of the lab
TROVE = """\
[DEFAULT]
debug = False
transport_url = {transport_url}
control_exchange = trove
bind_host = 127.0.0.1
bind_port = {port}
trove_api_workers = 1
trove_conductor_workers = 1
api_paste_config = {etc}/api-paste.ini
guest_config = {etc}/trove-guestagent.conf
cloudinit_location = {etc}/cloudinit
template_path = {etc}/templates/
{clients}{manager}network_driver = trove.network.neutron.NeutronDriver
network_label_regex = .*
default_datastore = mariadb
trove_volume_support = True
max_instances_per_tenant = 1000000
max_volumes_per_tenant = 1000000
max_ram_per_tenant = -1
agent_heartbeat_expiry = 180
clusters_page_size = 100
instances_page_size = 100
{rates}

[network]
enable_access_check = False
network_isolation = False

[oslo_messaging_notifications]
driver = log

[oslo_policy]
policy_file = {etc}/policy.yaml

[oslo_concurrency]
lock_path = {run}/locks
{datastores}
"""

SERVICE = """\
[DEFAULT]
host = {address}

[database]
connection = {connection}
max_pool_size = 64
"""


class Home(lab_home.Home):
    """The folder of a run.

    Its services import from a folder of links, because trove_pxc may be that
    of another checkout than the benchmark.
    """

    @property
    def venv(self) -> Path:
        return Path(sys.prefix)

    @property
    def library(self) -> Path:
        return self.root / 'library'

    def link(self, checkout: Path) -> None:
        """Make the services import trove_pxc of this source tree."""
        self.library.mkdir(parents=True, exist_ok=True)
        for name, folder in (
                *((part, TOP / part) for part in PARTS),
                ('trove_pxc', checkout / 'trove_pxc')):
            link = self.library / name
            link.unlink(missing_ok=True)
            link.symlink_to(folder)


def configure(home: Home, services: list[str], strategy: str,
              more: str = '') -> None:
    """Write all files of Trove's services.

    :param services: the names of those that use the database
    :param strategy: GALERA_COMMON, or another word for this project's
    :param more: further sections and options of trove.conf
    """
    for folder in (home.etc / 'cloudinit', home.etc / 'templates',
                   home.own_options):
        folder.mkdir(parents=True, exist_ok=True)
    ours = strategy != GALERA_COMMON
    private.write(home.etc / 'trove.conf', TROVE.format(
        transport_url=rabbitmq.transport_url(home, '127.0.0.1'),
        port=lab_home.TROVE_PORT, etc=home.etc, run=home.run,
        rates=trove_conf.RATES.replace('6000', '1000000'),
        manager=trove_conf.MANAGER if ours else '',
        datastores=trove_conf.DATASTORES if ours else '',
        clients=trove_conf.CLIENTS.format(swift_url=home.swift_url)))
    private.write(home.own_options / 'more.conf', more)
    private.write(home.etc / 'trove-guestagent.conf', '[DEFAULT]\n')
    paste = trove_conf.PASTE.format(
        etc=home.etc, key=swift_conf.token_key(home))
    private.write(home.etc / 'api-paste.ini',
                  trove_conf.with_filter(paste) if ours else paste)
    for number, name in enumerate(services):
        private.write(home.etc / f'{name}.conf', SERVICE.format(
            address=address(number), connection=mariadb.connection_url(
                home, 'trove').replace('//root@', f'//{name}@')))


def address(number: int) -> str:
    """By which Trove tells its services apart; nothing listens there."""
    return f'127.0.0.{number + 10}'


def add_image(home: Home) -> None:
    """The only image of the cloud."""
    folder = home.images / IMAGE_ID
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'image.json').write_text(json.dumps({
        'id': IMAGE_ID, 'name': 'simulated', 'manager': 'mariadb',
        'version': '10.11', 'reference': 'simulated', 'digest': '',
        'source': '', 'size': 1, 'created': '2026-01-01T00:00:00Z',
        'tags': ['trove', 'mariadb']}))
