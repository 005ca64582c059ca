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

"""Which files survive a reboot or a rebuild: it depends on their paths."""

import dataclasses
import inspect
import os
import re

import testtools
from trove.common import constants
from trove.guestagent.common import configuration

from trove_pxc.guestagent import paths

WHERE = paths.Paths(mount_point='/volume', config_dir='/config',
                    socket_dir='/socket', start_dir='/start',
                    order_dir='/memory')
#: must survive a rebuild of the guest
ON_THE_VOLUME = {
    'data_dir': '/volume/data',
    'grastate_file': '/volume/data/grastate.dat',
    'arriving_file': '/volume/data/sst_in_progress',
    'transfer_dir': '/volume/transfer',
    'unsynced_file': '/volume/transfer/unsynced',
    'evicted_file': '/volume/transfer/cast-out',
    'lineage_file': '/volume/data/.trove-pxc-lineage',
    'increment_dir': '/volume/increment',
    'restoring_data_file': '/volume/transfer/restoring',
    'restored_data_file': '/volume/transfer/restored',
    'state_dir': '/volume/conf.d',
    'record_file': '/volume/conf.d/galera-member.json',
    'memory_file': '/volume/conf.d/galera-seen.json',
}
#: must not survive a reboot
IN_MEMORY = {
    'unsynced_since_boot_file': '/memory/unsynced',
    'order_file': '/memory/next-start',
    'last_order_file': '/memory/last-order',
    'initial_sql_file': '/memory/initialise.sql',
    'stopped_file': '/memory/stopped',
    'backup_dir': '/memory/backup',
    'desynced_file': '/memory/desynced',
}
#: are written again
ON_THE_ROOT_DISK = {
    'server_file': '/config/my.cnf',
    'include_dir': '/config/conf.d',
    'cluster_file': '/config/conf.d/90-galera.cnf',
    'restoring_file': '/config/conf.d/91-restore-accounts.cnf',
    'restoring_sql_file': '/config/restore-accounts.sql',
    'certificate_dir': '/config/tls',
    'socket': '/socket/mysqld.sock',
}


class PlacesTest(testtools.TestCase):

    def test_each_lies_where_it_must(self) -> None:
        found = {name: getattr(WHERE, name) for name, _ in
                 inspect.getmembers(paths.Paths,
                                    lambda kind: isinstance(kind, property))}
        self.assertEqual(
            {**ON_THE_VOLUME, **IN_MEMORY, **ON_THE_ROOT_DISK}, found)

    def test_files_of_the_start_program_are_on_the_root_disk(self) -> None:
        self.assertEqual('/start/watch.sh', WHERE.start_file('watch.sh'))

    def test_by_default(self) -> None:
        self.assertEqual(
            {'mount_point': '/var/lib/mysql', 'config_dir': '/etc/mysql',
             'socket_dir': constants.MYSQL_HOST_SOCKET_PATH,
             'start_dir': '/etc/trove-pxc', 'order_dir': '/run/trove-pxc'},
            dataclasses.asdict(paths.Paths()))

    def test_trove_takes_no_file_of_ours_for_an_override(self) -> None:
        """No file of Trove sorts after the one of this package."""
        trove = configuration.ImportOverrideStrategy.FILE_NAME_PATTERN
        name = os.path.basename(WHERE.cluster_file)
        self.assertIsNone(re.match(trove % ('.+', '.+', 'cnf'), name))
        last = configuration.ConfigurationManager.SYSTEM_POST_USER_GROUP
        self.assertGreater(name, f'{last}-999-z.cnf')

    def test_a_copy_of_the_data_leaves_room(self) -> None:
        self.assertEqual(64 * 1024 ** 2, paths.ROOM_BYTES)
