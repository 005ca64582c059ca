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

"""The paths of a member's files and folders in its guest.

Any module of guestagent may import it; it imports no module of this package.
"""

import dataclasses

from trove.common import constants

#: free bytes that a volume needs: with less, a state transfer would fail
ROOM_BYTES = 64 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class Paths:
    """Paths of the guest's file system, as text.

    :ivar mount_point: of the member's volume, whose folders survive a
        rebuild of the guest.
    :ivar order_dir: in memory; a reboot removes its files.
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
        """The start program's marks of state transfers.

        Not in the data directory, which a state transfer clears.
        """
        return f'{self.mount_point}/transfer'

    @property
    def grastate_file(self) -> str:
        """The file in which Galera stores the position."""
        return f'{self.data_dir}/grastate.dat'

    @property
    def arriving_file(self) -> str:
        """Galera's scripts create it while a state transfer runs."""
        return f'{self.data_dir}/sst_in_progress'

    @property
    def unsynced_file(self) -> str:
        """Mark: data of a state transfer may not be on the disk yet."""
        return f'{self.transfer_dir}/unsynced'

    @property
    def unsynced_since_boot_file(self) -> str:
        """The same mark in memory: no reboot since the transfer began."""
        return f'{self.order_dir}/unsynced'

    @property
    def evicted_file(self) -> str:
        """Mark: the server was evicted, and has had no full copy since."""
        return f'{self.transfer_dir}/cast-out'

    @property
    def state_dir(self) -> str:
        """Trove's folder for files of the instance."""
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
        """It sorts after Trove's files of overrides.

        Its name differs from GROUP-NUMBER-ID: Trove's manager of overrides
        reads all files of such names and logs their contents.
        """
        return f'{self.include_dir}/90-galera.cnf'

    @property
    def restoring_file(self) -> str:
        """Makes the next start of the server restore the accounts."""
        return f'{self.include_dir}/91-restore-accounts.cnf'

    @property
    def restoring_sql_file(self) -> str:
        """The statements for this, at the same path in the container."""
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
        """The last order since the guest booted."""
        return f'{self.order_dir}/last-order'

    @property
    def initial_sql_file(self) -> str:
        return f'{self.order_dir}/initialise.sql'

    @property
    def backup_dir(self) -> str:
        """Files of the backup that runs, in memory."""
        return f'{self.order_dir}/backup'

    @property
    def desynced_file(self) -> str:
        """Mark: the agent has desynced the server for a backup."""
        return f'{self.order_dir}/desynced'

    @property
    def lineage_file(self) -> str:
        """Identifies the data directory; a state transfer removes it."""
        return f'{self.data_dir}/.trove-pxc-lineage'

    @property
    def increment_dir(self) -> str:
        """An incremental backup, until it is applied to the data."""
        return f'{self.mount_point}/increment'

    @property
    def restoring_data_file(self) -> str:
        """Mark: the data directory is being filled from a backup."""
        return f'{self.transfer_dir}/restoring'

    @property
    def restored_data_file(self) -> str:
        """Mark: the data directory holds a backup, and was never started."""
        return f'{self.transfer_dir}/restored'

    @property
    def stopped_file(self) -> str:
        """Exists while the server must stay stopped, until the next boot."""
        return f'{self.order_dir}/stopped'
