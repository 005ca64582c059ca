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

"""Where things of a member lie, seen from its guest.

Any module of guestagent may import it; it imports nothing of ours.
"""

import dataclasses

from trove.common import constants

#: on a member's volume; with less, a whole copy of the data would fail
ROOM_BYTES = 64 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Paths:
    """Paths of the guest's file system, as text.

    :ivar mount_point: the member's volume; its subfolders survive a rebuilt
        root disk.
    :ivar order_dir: in memory: what lies there does not survive a reboot.
    """

    mount_point: str = '/var/lib/mysql'
    config_dir: str = '/etc/mysql'
    socket_dir: str = constants.MYSQL_HOST_SOCKET_PATH
    start_dir: str = '/etc/trove-pxc'
    order_dir: str = '/run/trove-pxc'

    @property
    def data_dir(self) -> str:
        return f'{self.mount_point}/data'

    @property
    def transfer_dir(self) -> str:
        """The start program's notes of state transfers: beside the data.

        A state transfer clears the data directory.
        """
        return f'{self.mount_point}/transfer'

    @property
    def grastate_file(self) -> str:
        """Galera's own note of the position."""
        return f'{self.data_dir}/grastate.dat'

    @property
    def arriving_file(self) -> str:
        """Galera's scripts have it while a state transfer goes on."""
        return f'{self.data_dir}/sst_in_progress'

    @property
    def unsynced_file(self) -> str:
        """What a state transfer brought may not all be on the disk."""
        return f'{self.transfer_dir}/unsynced'

    @property
    def unsynced_since_boot_file(self) -> str:
        """Its twin: the page cache, at least, still has it."""
        return f'{self.order_dir}/unsynced'

    @property
    def evicted_file(self) -> str:
        """Its server was voted out; gone when a whole copy has come."""
        return f'{self.transfer_dir}/cast-out'

    @property
    def state_dir(self) -> str:
        """Trove's folder for what belongs to the instance, not the data."""
        return f'{self.mount_point}/conf.d'

    @property
    def record_file(self) -> str:
        return f'{self.state_dir}/galera-member.json'

    @property
    def memory_file(self) -> str:
        return f'{self.state_dir}/galera-seen.json'

    @property
    def server_file(self) -> str:
        return f'{self.config_dir}/my.cnf'

    @property
    def include_dir(self) -> str:
        return f'{self.config_dir}/conf.d'

    @property
    def cluster_file(self) -> str:
        """Sorts after Trove's files of overrides, and is none of them.

        Trove's manager of overrides reads every file named GROUP-NUMBER-ID
        and logs what it read.
        """
        return f'{self.include_dir}/90-galera.cnf'

    @property
    def restoring_file(self) -> str:
        """Has the next start of the server restore our accounts."""
        return f'{self.include_dir}/91-restore-accounts.cnf'

    @property
    def restoring_sql_file(self) -> str:
        """The statements that do it; of the same path in the container."""
        return f'{self.config_dir}/restore-accounts.sql'

    @property
    def certificate_dir(self) -> str:
        return f'{self.config_dir}/tls'

    @property
    def socket(self) -> str:
        return f'{self.socket_dir}/mysqld.sock'

    def start_file(self, name: str) -> str:
        """A file of the start program, or its settings."""
        return f'{self.start_dir}/{name}'

    @property
    def order_file(self) -> str:
        return f'{self.order_dir}/next-start'

    @property
    def last_order_file(self) -> str:
        """What was ordered last since the guest booted."""
        return f'{self.order_dir}/last-order'

    @property
    def initial_sql_file(self) -> str:
        return f'{self.order_dir}/initialise.sql'

    @property
    def stopped_file(self) -> str:
        """There while the server is to stay stopped: until the next boot."""
        return f'{self.order_dir}/stopped'
