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
"""Starts and stops what the benchmark measures.

Imported by the program. RabbitMQ, MariaDB and Trove's services are those of
the lab, in a network namespace of their own, so that no port of the machine
is used. Each service of Trove is another user of MariaDB, whose statistics
tell the services apart.
"""

from collections.abc import Iterator, Sequence
import contextlib
import dataclasses
import json
import os
from pathlib import Path
import shutil

from lab import cleanup
from lab import home as lab_home
from lab import netns
from lab import packages
from lab import report as lab_report
from lab.services import base
from lab.services import mariadb
from lab.services import rabbitmq
from lab.services import trove
from tests.benchmarks import program
from tests.benchmarks.scaling import durations as times
from tests.benchmarks.scaling import place

DATABASE = 'trove'
PROGRAMS = {'mariadbd': 'mariadb-server', 'ip': 'iproute2',
            rabbitmq.SERVER: 'rabbitmq-server'}
MORE_OF_MARIADB = """\
userstat = 1
max-connections = 2000
innodb-buffer-pool-size = 256M
"""
#: marks the folder of a run
MINE = 'scale'
API, CONDUCTOR, WORLD = 'api', 'conductor', 'world'


class MariaDB(mariadb.MariaDB):
    """With statistics for each user."""

    def configure(self) -> None:
        super().configure()
        with self._configuration_file.open('a') as file:
            file.write(MORE_OF_MARIADB)

    def add_users(self, names: Sequence[str]) -> None:
        """Users without a password: only root reaches the socket."""
        netns.command([
            'mariadb', f'--socket={mariadb.socket_file(self.home)}',
            '--user=root', '-e', ' '.join(
                f"CREATE OR REPLACE USER '{name}'@'localhost'; "
                f"GRANT ALL ON `{DATABASE}`.* TO '{name}'@'localhost';"
                for name in names)])


class Api(trove.Api):
    def argv(self) -> Sequence[str]:
        return command(self.home, 'trove-api', self.name)


class Conductor(trove.Conductor):
    def argv(self) -> Sequence[str]:
        return command(self.home, self.program, self.name)


class Taskmanager(trove.Taskmanager):
    """One of several."""

    def __init__(self, home: lab_home.Home, number: int) -> None:
        super().__init__(home)
        self.name = f'taskmanager-{number + 1}'
        # The numbers of the other services are lower.
        self.queue = f'taskmanager.{place.address(number + 2)}'

    def argv(self) -> Sequence[str]:
        return command(self.home, self.program, self.name)


class World(base.Service):
    """The cloud and the guests."""

    name = WORLD

    def __init__(self, home: lab_home.Home, arguments: list[str]) -> None:
        super().__init__(home)
        self._arguments = arguments

    def argv(self) -> Sequence[str]:
        return [str(self.home.venv / 'bin' / 'python'), '-P', '-m',
                'tests.benchmarks.scaling.world', '--home',
                str(self.home.root), *self._arguments]

    def answers(self) -> bool:
        return base.answers_http(
            self.home, f'{self.home.cloud_url}/healthcheck')


def command(home: lab_home.Home, named: str, service: str) -> list[str]:
    """A program of Trove with the configuration of one service."""
    return [*trove.command(home, named)[:3],
            '--config-file', str(home.etc / f'{service}.conf'),
            '--config-dir', str(home.own_options)]


class Site:
    """All processes of a run."""

    def __init__(self, home: place.Home, report: lab_report.Report,
                 taskmanagers: int) -> None:
        self.home = home
        self.report = report
        self.mariadb = MariaDB(home)
        self.rabbitmq = rabbitmq.RabbitMQ(home)
        self.taskmanagers = [Taskmanager(home, number)
                             for number in range(taskmanagers)]
        self.trove: list[base.Service] = [
            Api(home), Conductor(home), *self.taskmanagers]

    @property
    def names(self) -> list[str]:
        """The services that use the database."""
        return [service.name for service in self.trove]

    def start(self, checkout: Path, strategy: str, boot: float,
              durations: times.Durations, more: str = '') -> None:
        """Start everything, with one version of a datastore.

        :param checkout: whose trove_pxc the services run
        """
        self.home.set(**{MINE: True})
        self.home.make()
        self.home.link(checkout)
        place.add_image(self.home)
        names = [*self.names, WORLD]
        place.configure(self.home, names, strategy, more)
        netns.create(self.home.controller)
        with self.report.step('MariaDB, RabbitMQ'):
            self._start(self.mariadb, self.rabbitmq)
        with self.report.step("Trove's tables"):
            self.mariadb.make_database(DATABASE)
            self.mariadb.add_users(names)
            self._manage('db_sync')
            self._manage('datastore_update', 'mariadb', '')
            self._manage('datastore_version_update', 'mariadb', '10.11',
                         'mariadb', place.IMAGE_ID, '', '1')
            self._manage('datastore_update', 'mariadb', '10.11')
        with self.report.step(', '.join(names)):
            self._start(World(self.home, world_arguments(boot, durations)))
            self._start(*self.trove)

    def _start(self, *services: base.Service) -> None:
        for service in services:
            service.configure()
            service.start()
        for service in services:
            service.wait_up()

    def _manage(self, *words: str) -> None:
        trove.run(self.home, [
            *command(self.home, 'trove-manage', API), *words])

    def restart_broker(self) -> None:
        self.rabbitmq.stop()
        self._start(self.rabbitmq)


def world_arguments(boot: float, durations: times.Durations) -> list[str]:
    return ['--boot', str(boot), '--durations',
            json.dumps(dataclasses.asdict(durations))]


def check() -> None:
    """Refuse to run where something is missing.

    :raises Refused: with what to do
    """
    if os.geteuid() != 0:
        raise program.Refused(
            'the services run in a network namespace: run it as root')
    lacking = sorted(
        package for name, package in PROGRAMS.items()
        if not (Path(name).exists() if name.startswith('/') else
                shutil.which(name, path=packages.SEARCH_PATH)))
    if lacking:
        raise program.Refused(
            f'programs are missing; type: apt-get install '
            f'{" ".join(lacking)}')


def check_home(home: place.Home) -> None:
    """Refuse a folder that no run created: all in it is removed.

    :raises Refused: with what to do
    """
    if (home.root.exists() and any(home.root.iterdir())
            and not home.settings().get(MINE)):
        raise program.Refused(
            f'{home.root} is not empty and not of this program; name '
            f'another folder with --home')


@contextlib.contextmanager
def cleared(home: place.Home, report: lab_report.Report,
            logs: Path | None = None) -> Iterator[None]:
    """Remove everything of the run at the end, and of one that was killed.

    :param logs: a folder for the logs
    """
    if home.root.exists():
        clear(home, report)
    try:
        yield
    finally:
        if logs is not None and home.logs.exists():
            shutil.copytree(home.logs, logs, dirs_exist_ok=True)
        clear(home, report)


def clear(home: place.Home, report: lab_report.Report) -> None:
    """End the processes of a run and remove its folder."""
    with report.step(f'removing {home.root}'):
        cleanup.clear(home)
        if home.root.exists():
            shutil.rmtree(home.root)
