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

"""One member of the cluster under test: its server and its status.

For the modules of this folder. Its server is reached through the socket in
its guest, with the option file that Trove's agent stores there: so a client
reaches the server in spite of any fault of the network, and no password is
needed here.
"""

import contextlib
import dataclasses
import datetime
from pathlib import Path
from typing import Any

import pymysql

from lab import errors
from lab.guest import boot
from lab.guest import control
from lab.guest import docker
from lab.guest import init
from lab.guest import spec as guest_spec
from lab import home as lab_home
from lab import sql
from tests.e2e import transfers

CONNECT_SECONDS = 5
#: Longer than Galera takes to declare a member that does not answer lost.
ANSWER_SECONDS = 20
#: For reading the status.
LOOK_SECONDS = 3
SERVING = ('Synced', 'Donor/Desynced')
DATA = '/var/lib/mysql/data'
#: Errors that a client may get when its server fails.
LOST = (pymysql.MySQLError, OSError, errors.LabError)


@dataclasses.dataclass(frozen=True)
class Place:
    """The component and state of a member; all empty without an answer."""

    state: str = ''
    component: str = ''
    size: int = 0
    uuid: str = ''
    ready: bool = False
    committed: int = 0
    uptime: int = 0

    @property
    def serves(self) -> bool:
        return (self.component == 'Primary' and self.ready
                and self.state in SERVING)

    def __str__(self) -> str:
        if not self.component:
            return 'no answer'
        return f'{self.component} {self.state} of {self.size}'


class Member:
    """A member by its name, in any state of its guest."""

    def __init__(self, home: lab_home.Home, name: str) -> None:
        self.home = home
        self.name = name
        self._server_id = control.find(home, name).server_id

    @property
    def folder(self) -> guest_spec.GuestFolder:
        return guest_spec.GuestFolder(self.home, self._server_id)

    @property
    def info(self) -> control.GuestInfo:
        return control.find(self.home, self._server_id)

    @property
    def instance_id(self) -> str:
        return self.folder.load().instance_id

    @property
    def root(self) -> Path:
        """The guest's file system: its disk if the power is off.

        The volume is part of it only while the guest runs.
        """
        pid = boot.init_pid(self.folder)
        return Path(f'/proc/{pid}/root') if pid else self.folder.disk

    @property
    def data(self) -> Path:
        """The server's data directory, of a running guest."""
        return Path(f'{self.root}{DATA}')

    def connect(self, seconds: float = ANSWER_SECONDS,
                autocommit: bool = False) -> Any:
        """A connection of PyMySQL to its server.

        :param seconds: after which an answer counts as lost
        :raises LOST: the server cannot be reached
        """
        root = self.root
        return pymysql.connect(
            unix_socket=f'{root}{sql.SOCKET}',
            read_default_file=f'{root}{sql.OPTION_FILE}',
            connect_timeout=CONNECT_SECONDS, read_timeout=seconds,
            write_timeout=seconds, charset='utf8mb4', autocommit=autocommit)

    def ask(self, statement: str, *values: object,
            seconds: float = ANSWER_SECONDS) -> list[tuple[object, ...]]:
        """The rows of one statement, on a separate connection."""
        # Without a primary component a server refuses even to commit.
        with contextlib.closing(
                self.connect(seconds, autocommit=True)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return list(cursor.fetchall())

    def place(self) -> Place:
        """Its current status; empty without an answer."""
        try:
            told = {str(name).lower(): str(value) for name, value in self.ask(
                "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'wsrep\\_%%' "
                "OR Variable_name = %s", 'Uptime', seconds=LOOK_SECONDS)}
        except LOST:
            return Place()
        return Place(
            state=told.get('wsrep_local_state_comment', ''),
            component=told.get('wsrep_cluster_status', ''),
            size=int(told.get('wsrep_cluster_size') or 0),
            uuid=told.get('wsrep_cluster_state_uuid', ''),
            ready=told.get('wsrep_ready') == 'ON',
            committed=int(told.get('wsrep_last_committed') or 0),
            uptime=int(told.get('uptime') or 0))

    def engine(self) -> docker.Engine:
        return docker.Engine(f'{self.root}{init.DOCKER_SOCKET}',
                             control.ENGINE_TIMEOUT)

    def server_log(self, since: datetime.datetime | None = None) -> list[str]:
        """The lines of the server's log, from a time (in UTC) on."""
        return transfers.server_log(self.folder, since)
