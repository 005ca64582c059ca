# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""MariaDB for Trove's tables, from Debian's package.

Imported by ``lab.services.all``. It listens only on a socket of the lab.
"""

from collections.abc import Sequence
from pathlib import Path
import shutil
import socket

from lab import home as lab_home
from lab import netns
from lab import process
from lab.services import base

SERVER = '/usr/sbin/mariadbd'
INSTALL = '/usr/bin/mariadb-install-db'

CONFIGURATION = """\
[mariadbd]
user = root
datadir = {data}
socket = {socket}
pid-file = {root}/mariadbd.pid
tmpdir = {root}
skip-networking
skip-log-bin
skip-name-resolve
performance-schema = off
innodb-buffer-pool-size = 64M
innodb-log-file-size = 32M
# Trove's tables in the lab may be lost when the machine crashes.
innodb-flush-log-at-trx-commit = 2
character-set-server = utf8mb3
"""


class MariaDB(base.Service):
    name = 'mariadb'

    def configure(self) -> None:
        root = self.home.mariadb
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._configuration_file.write_text(CONFIGURATION.format(
            root=root, data=self._data, socket=socket_file(self.home)))
        if not self._data.exists():
            self._initialise()

    def argv(self) -> Sequence[str]:
        return [SERVER, f'--defaults-file={self._configuration_file}']

    def answers(self) -> bool:
        """Whether the server sends its greeting to a new connection."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(socket_file(self.home)))
                return bool(connection.recv(4))
        except OSError:
            return False

    def make_database(self, name: str) -> None:
        """Create an empty database if it does not exist."""
        netns.command([
            'mariadb', f'--defaults-file={self._configuration_file}',
            f'--socket={socket_file(self.home)}', '--user=root', '-e',
            f'CREATE DATABASE IF NOT EXISTS `{name}` '
            f'CHARACTER SET utf8mb3'])

    def _initialise(self) -> None:
        fresh = self.home.mariadb / 'data.new'
        if fresh.exists():
            shutil.rmtree(fresh)
        netns.command([
            INSTALL, f'--defaults-file={self._configuration_file}',
            f'--datadir={fresh}', '--force', '--skip-name-resolve',
            '--skip-test-db', '--auth-root-authentication-method=socket',
            '--auth-root-socket-user=root'])
        fresh.rename(self._data)

    @property
    def _configuration_file(self) -> Path:
        return self.home.mariadb / 'my.cnf'

    @property
    def _data(self) -> Path:
        return self.home.mariadb / 'data'

    def stop(self) -> None:
        process.stop(self.home, self.name, timeout=30)


def socket_file(home: lab_home.Home) -> Path:
    return home.mariadb / 'mariadb.sock'


def connection_url(home: lab_home.Home, database: str) -> str:
    """The URL for SQLAlchemy; root logs in without a password."""
    return (f'mysql+pymysql://root@localhost/{database}'
            f'?unix_socket={socket_file(home)}&charset=utf8mb3')
