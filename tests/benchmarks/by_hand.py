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

"""The same number of servers without Trove: docker run, one by one.

Imported by the bringup program. Servers and volumes are in the same cloud as
Trove's; these guests have no guest agent.
"""

from collections.abc import Iterable, Iterator
import contextlib
import dataclasses
from pathlib import Path
import time
from typing import Any

import pymysql

from lab.cloud import clients
from lab.cloud import seed
from lab import datastores
from lab.guest import boot
from lab.guest import control
from lab.guest import docker
from lab.guest import spec as guest_spec
from lab import home as lab_home
from lab import netns
from lab import parallel
from lab import report as lab_report
from lab import waiting
from tests.benchmarks import by_trove

IMAGE = f'trove-lab/mariadb:{datastores.DEFAULT_VERSION}'
PROVIDER = '/usr/lib/galera/libgalera_smm.so'
CONTAINER = 'by-hand'
#: Of the names of its servers and volumes.
PREFIX = 'byhand-'
TIMEOUT = 300
POLL = 0.1
INITIALISE = (
    'mariadb-install-db --no-defaults --datadir=/var/lib/mysql/data --force '
    '--skip-name-resolve --skip-test-db '
    '--auth-root-authentication-method=normal >/dev/null && exec "$@"')


class _Context:
    """The part of Trove's context that the cloud's clients use."""

    project_id = lab_home.PROJECT
    tenant = lab_home.PROJECT
    auth_token = None
    user = 'bringup'


@dataclasses.dataclass
class Guest:
    """One guest of this run."""

    name: str
    volume_id: str
    server_id: str = ''
    ip: str = ''


class Clock:
    """Divides the run into phases, and reports each when it is over."""

    def __init__(self, report: lab_report.Report) -> None:
        self._report = report
        self._last = time.monotonic()
        self.phases: list[dict[str, Any]] = []

    def mark(self, name: str) -> None:
        now = time.monotonic()
        self.phases.append({'name': name, 'seconds': now - self._last})
        self._report.say(f'  {name} took {now - self._last:.1f} s')
        self._last = now

    @property
    def seconds(self) -> float:
        return float(sum(phase['seconds'] for phase in self.phases))


class Hand:
    """The steps of an experienced operator, without pauses."""

    def __init__(self, home: lab_home.Home, image: str) -> None:
        self._home = home
        self._image = image
        self._inside = netns.path(home.controller)
        with netns.entered(self._inside):
            self._nova = clients.nova(_Context())
            self._cinder = clients.cinder(_Context())

    @contextlib.contextmanager
    def guests(self, members: int,
               report: lab_report.Report) -> Iterator[list[Guest]]:
        """Servers with a volume each, all requested at once."""
        try:
            with netns.entered(self._inside):
                made = [self._ask_volume(f'{PREFIX}{number}')
                        for number in range(1, members + 1)]
                for guest in made:
                    self._ask_server(guest)
            yield made
        finally:
            with report.step('removing the guests that were made by hand'):
                self.clear()

    def clear(self) -> None:
        """Remove all servers and volumes of this kind.

        By their names, because an interrupted run does not know all that it
        has created, and a run that was killed has left all.
        """
        with netns.entered(self._inside):
            servers = self._ours(self._nova.servers.list())
            for server in servers:
                self._nova.servers.delete(server.id)
            if servers:
                waiting.until(
                    'the end of the guests that were made by hand',
                    lambda: not self._ours(self._nova.servers.list()),
                    TIMEOUT, POLL)
            for volume in self._ours(self._cinder.volumes.list()):
                self._remove_volume(volume.id)

    def _ours(self, things: Iterable[Any]) -> list[Any]:
        return [thing for thing in things
                if str(thing.name).startswith(PREFIX)]

    def wait_booted(self, guest: Guest) -> None:
        """Wait until its Docker engine answers."""
        engine = docker.Engine(self._root(guest) / 'run/docker.sock')
        waiting.until(f'the boot of {guest.name}', engine.answers, TIMEOUT,
                      POLL)
        guest.ip = self._spec(guest).ip

    def mount_volume(self, guest: Guest) -> None:
        self._in_guest(guest, [
            'sh', '-ec',
            'mkfs.ext4 -q -F -m 0 /dev/vdb; mount /dev/vdb /var/lib/mysql; '
            'install -d -m 0777 /var/lib/mysql/data /run/mysqld'])

    def start(self, guest: Guest, guests: list[Guest],
              first: bool = False) -> None:
        """docker run of the server; the first one bootstraps."""
        server = [
            'mariadbd', '--no-defaults', '--datadir=/var/lib/mysql/data',
            '--socket=/run/mysqld/mysqld.sock', '--bind-address=0.0.0.0',
            '--binlog-format=ROW', '--innodb-autoinc-lock-mode=2',
            '--wsrep-on=ON', f'--wsrep-provider={PROVIDER}',
            '--wsrep-cluster-name=byhand', '--wsrep-sst-method=rsync',
            f'--wsrep-node-name={guest.name}',
            f'--wsrep-node-address={guest.ip}',
            '--wsrep-cluster-address=gcomm://'
            + ','.join(other.ip for other in guests)]
        if first:
            server = ['sh', '-c', INITIALISE, 'sh', *server,
                      '--wsrep-new-cluster']
        self._in_guest(guest, [
            'docker', 'run', '--detach', '--name', CONTAINER, '--network',
            'host', '--user', 'mysql', '--volume',
            '/var/lib/mysql:/var/lib/mysql', '--volume',
            '/run/mysqld:/run/mysqld', '--entrypoint', server[0], IMAGE,
            *server[1:]])

    def wait_synced(self, guest: Guest, size: int) -> None:
        socket = str(self._root(guest) / 'run/mysqld/mysqld.sock')

        def synced() -> bool:
            try:
                told = _status(socket)
            except pymysql.err.OperationalError as error:
                raise waiting.NotYet(str(error)) from error
            if told != ('Primary', str(size), 'Synced'):
                raise waiting.NotYet(str(told))
            return True

        waiting.until(f'{guest.name} to be Synced', synced, TIMEOUT, POLL)

    def _ask_volume(self, name: str) -> Guest:
        volume = self._cinder.volumes.create(
            by_trove.VOLUME_GB, name=name, volume_type=seed.VOLUME_TYPE)
        return Guest(name, volume.id)

    def _ask_server(self, guest: Guest) -> None:
        waiting.until(
            f'the volume of {guest.name}',
            lambda: self._cinder.volumes.get(
                guest.volume_id).status == 'available', TIMEOUT, POLL)
        server = self._nova.servers.create(
            guest.name, self._image, by_trove.FLAVOR,
            nics=[{'net-id': seed.NETWORK_ID}],
            block_device_mapping_v2=[{
                'uuid': guest.volume_id, 'source_type': 'volume',
                'destination_type': 'volume', 'device_name': '/dev/vdb',
                'boot_index': -1, 'delete_on_termination': False}])
        guest.server_id = server.id

    def _remove_volume(self, volume_id: str) -> None:
        waiting.until(
            f'the volume {volume_id} to be free',
            lambda: self._cinder.volumes.get(
                volume_id).status == 'available', TIMEOUT, POLL)
        self._cinder.volumes.delete(volume_id)

    def _folder(self, guest: Guest) -> guest_spec.GuestFolder:
        return guest_spec.GuestFolder(self._home, guest.server_id)

    def _spec(self, guest: Guest) -> guest_spec.GuestSpec:
        return self._folder(guest).load()

    def _root(self, guest: Guest) -> Path:
        """The guest's root as the host reaches it, once it boots."""
        pid = waiting.until(
            f'the init of {guest.name}',
            lambda: boot.init_pid(self._folder(guest)), TIMEOUT, POLL)
        return Path(f'/proc/{pid}/root')

    def _in_guest(self, guest: Guest, argv: list[str]) -> None:
        done = control.run(self._home, guest.server_id, argv)
        if done.returncode:
            raise AssertionError(f'{guest.name}: {argv}: {done.stderr}')


def clear_left(home: lab_home.Home, report: lab_report.Report) -> None:
    """Remove the guests of a run that was killed."""
    if any(guest.name.startswith(PREFIX) for guest in control.guests(home)):
        with report.step('removing the guests of a run that was killed'):
            Hand(home, image='').clear()


def bring_up(home: lab_home.Home, members: int, image: str,
             report: lab_report.Report) -> dict[str, Any]:
    """Boot guests, form a cluster of them, measure, and remove them.

    :param image: the ID of the guest image in the cloud
    """
    hand = Hand(home, image)
    clock = Clock(report)
    with hand.guests(members, report) as guests:
        for guest in guests:
            hand.wait_booted(guest)
        clock.mark('guest boot')
        parallel.each(hand.mount_volume, guests)
        clock.mark('file systems on the volumes')
        for size, guest in enumerate(guests, start=1):
            hand.start(guest, guests, first=size == 1)
            hand.wait_synced(guest, size)
            clock.mark(f'{"bootstrap" if size == 1 else "join"} of '
                       f'{guest.name}')
        for guest in guests:
            hand.wait_synced(guest, members)
        clock.mark('all agree')
        report.say(f'  all servers are Synced, after {clock.seconds:.1f} s')
    return {'seconds': clock.seconds, 'phases': clock.phases}


def _status(socket: str) -> tuple[str, str, str]:
    """Component, size and state, as the server reports them."""
    connection = pymysql.connect(
        unix_socket=socket, user='root', connect_timeout=2, read_timeout=2)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'wsrep_%'")
        told = dict(cursor.fetchall())
    return (told['wsrep_cluster_status'], told['wsrep_cluster_size'],
            told['wsrep_local_state_comment'])
