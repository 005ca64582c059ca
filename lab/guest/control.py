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

"""Faults of a guest (power, network, database), and access to it.

The command line and tests import it. It works on the guests directly, also
without the cloud's daemon. A guest is given by its server ID, instance ID,
name or address.
"""

from collections.abc import Callable, Iterator, Sequence
import dataclasses
import os
from pathlib import Path
import signal
import subprocess
from typing import Any

from lab import errors
from lab.guest import boot
from lab.guest import cgroups
from lab.guest import docker
from lab.guest import filler
from lab.guest import init
from lab.guest import network_faults
from lab.guest import spec as guest_spec
from lab import home as lab_home
from lab import process
from lab import waiting

CONTAINER = 'database'
SERVERS = ('mariadbd', 'mysqld')
ENGINE_TIMEOUT = 5.0
STOP_TIMEOUT = 120
KILL_TIMEOUT = 10.0
AGENT = 'trove-guestagent'
STOPPED_STATES = ('T', 't')


@dataclasses.dataclass(frozen=True)
class GuestInfo:
    """The current state of a guest.

    ``power`` is on or off. ``database`` is running, frozen, stopped,
    absent (no container), or unknown (its Docker engine does not answer).
    """

    server_id: str
    instance_id: str
    name: str
    ip: str
    power: str
    cut: bool
    pid: int | None
    root: str
    database: str


def guests(home: lab_home.Home) -> list[GuestInfo]:
    """All guests, in the order of their names."""
    cuts = network_faults.read(home)
    found = []
    for folder, spec in _specs(home):
        pid = boot.init_pid(folder)
        found.append(GuestInfo(
            server_id=spec.server_id, instance_id=spec.instance_id,
            name=spec.name, ip=spec.ip, power='on' if pid else 'off',
            cut=cuts.concerns(spec.server_id), pid=pid,
            root=f'/proc/{pid}/root' if pid else str(folder.disk),
            database=_database(folder, spec, pid)))
    return sorted(found, key=lambda guest: (guest.name, guest.server_id))


def find(home: lab_home.Home, who: str) -> GuestInfo:
    """The current state of one guest.

    :raises LabError: if there is none, or more than one with this name
    """
    server_id = _find(home, who)[1].server_id
    for guest in guests(home):
        if guest.server_id == server_id:
            return guest
    raise errors.LabError(f'guest {who} has just been deleted')


def power_off(home: lab_home.Home, who: str) -> None:
    """Cut the power; data that is not synced to its volume is lost."""
    _locked(home, who, boot.power_off)


def power_on(home: lab_home.Home, who: str) -> None:
    """Boot a guest, if it does not run."""
    _locked(home, who, boot.power_on)


def reboot(home: lab_home.Home, who: str, hard: bool = False) -> None:
    """Restart a guest, after a clean shutdown unless ``hard``."""
    _locked(home, who, lambda folder: boot.reboot(folder, hard))


def servers(home: lab_home.Home, who: str) -> dict[int, int]:
    """PID and start time of the database server; empty if it does not run.

    The start time is in clock ticks since the host's boot.
    """
    folder, spec = _find(home, who)
    found = {pid: process.start_time(pid)
             for pid in cgroups.processes(boot.cgroup(folder.home, spec))
             if _name(pid) in SERVERS}
    return {pid: started for pid, started in found.items()
            if started is not None}


def kill_database(home: lab_home.Home, who: str) -> None:
    """Send SIGKILL to the database server; Docker may start it again."""
    _running(home, who)
    _end(list(servers(home, who)), f'the database server in guest {who}')


def freeze_database(home: lab_home.Home, who: str) -> None:
    """Send SIGSTOP to all processes of the database container."""
    _signal(_processes(home, who), signal.SIGSTOP)


def thaw_database(home: lab_home.Home, who: str) -> None:
    """Continue a frozen database server."""
    _signal(_processes(home, who), signal.SIGCONT)


def stop_database(home: lab_home.Home, who: str) -> None:
    """Stop the database container cleanly; Docker does not restart it."""
    _, _, pid = _running(home, who)
    docker.Engine(_socket(pid)).stop(CONTAINER, STOP_TIMEOUT)


def start_database(home: lab_home.Home, who: str) -> None:
    """Start the database container, if it does not run."""
    _, _, pid = _running(home, who)
    docker.Engine(_socket(pid)).start(CONTAINER)


def agents(home: lab_home.Home, who: str) -> list[int]:
    """The host's PIDs of Trove's guest agent; empty if the power is off."""
    folder, spec = _find(home, who)
    return [pid for pid in cgroups.processes(boot.cgroup(folder.home, spec))
            if _is_agent(pid)]


def kill_agent(home: lab_home.Home, who: str) -> None:
    """Send SIGKILL to Trove's guest agent; the init starts it again."""
    _end(agents(home, who), f'the guest agent in guest {who}')


def fill_disk(home: lab_home.Home, who: str) -> None:
    """Fill a guest's volumes."""
    _, spec, pid = _running(home, who)
    mounts = boot.volume_mounts(pid, spec)
    if not mounts:
        raise errors.LabError(f'guest {spec.name} has no volume mounted')
    for mount_point in mounts:
        filler.fill(Path(mount_point))


def free_disk(home: lab_home.Home, who: str) -> None:
    """Undo what ``fill_disk`` did."""
    _, spec, pid = _running(home, who)
    for mount_point in boot.volume_mounts(pid, spec):
        filler.free(Path(mount_point))


def lose(home: lab_home.Home, who: str, percent: int) -> None:
    """Lose this percentage of a guest's packets at random."""
    network_faults.lose(home, _find(home, who)[1].server_id, percent)


def slow(home: lab_home.Home, who: str, kbit: int) -> None:
    """Limit the rate to so many kilobits per second in each direction."""
    network_faults.slow(home, _find(home, who)[1].server_id, kbit)


def cut(home: lab_home.Home, who: str,
        peers: Sequence[str] | None = None) -> None:
    """Drop all packets of a guest, or those between it and its peers."""
    network_faults.cut(
        home, _find(home, who)[1].server_id,
        [_find(home, peer)[1].server_id for peer in peers or ()])


def heal(home: lab_home.Home, who: str,
         peers: Sequence[str] | None = None) -> None:
    """Undo ``cut``, ``lose`` and ``slow``, or only cuts from peers."""
    network_faults.heal(
        home, _find(home, who)[1].server_id,
        [_find(home, peer)[1].server_id for peer in peers or ()])


def run(home: lab_home.Home, who: str, argv: Sequence[str],
        **options: Any) -> 'subprocess.CompletedProcess[str]':
    """Run a program in a guest, where the host's programs are available.

    :param options: for ``subprocess.run``, such as ``input`` and
        ``timeout``; output is captured as text
    :raises LabError: if the guest's power is off
    """
    _, spec, pid = _running(home, who)
    settings: dict[str, Any] = {'capture_output': True, 'text': True,
                                'env': _environment(), **options}
    return subprocess.run(_inside(pid, argv), **settings)


def stop_all(home: lab_home.Home) -> None:
    """Cut the power of all guests."""
    for folder, _ in _specs(home):
        with boot.locked(folder):
            if folder.spec_file.exists():
                boot.power_off(folder)


def _environment() -> dict[str, str]:
    return {'PATH': init.PATH, 'HOME': '/root', 'LANG': 'C.UTF-8',
            'TERM': os.environ.get('TERM', 'dumb')}


def _inside(pid: int, argv: Sequence[str]) -> list[str]:
    # With --root, because the root of this process may be another one.
    return ['/usr/bin/nsenter', f'--target={pid}', '--root', '--wd',
            '--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup',
            '--', *argv]


def _specs(home: lab_home.Home) -> Iterator[
        tuple[guest_spec.GuestFolder, guest_spec.GuestSpec]]:
    for path in sorted(home.guests.glob('*/spec.json')):
        folder = guest_spec.GuestFolder(home, path.parent.name)
        try:
            yield folder, folder.load()
        except FileNotFoundError:
            # Deleted meanwhile.
            continue


def _find(home: lab_home.Home, who: str) -> tuple[
        guest_spec.GuestFolder, guest_spec.GuestSpec]:
    there = list(_specs(home))
    for folder, spec in there:
        if who in (spec.server_id, spec.instance_id,
                   *(one.ip for one in spec.addresses)):
            return folder, spec
    named = [entry for entry in there if entry[1].name == who]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ', '.join(spec.instance_id for _, spec in named)
        raise errors.LabError(f'{len(named)} guests have the name {who}; '
                              f'give an instance ID: {ids}')
    names = ', '.join(spec.name for _, spec in there) or 'none'
    raise errors.LabError(f'there is no guest {who}; the guests are: {names}')


def _running(home: lab_home.Home, who: str) -> tuple[
        guest_spec.GuestFolder, guest_spec.GuestSpec, int]:
    folder, spec = _find(home, who)
    pid = boot.init_pid(folder)
    if pid is None:
        raise errors.LabError(_off(spec.name))
    return folder, spec, pid


def _off(name: str) -> str:
    return (f'the power of guest {name} is off; '
            f'"lab guest on {name}" switches it on')


def _locked(home: lab_home.Home, who: str,
            act: Callable[[guest_spec.GuestFolder], None]) -> None:
    folder, _ = _find(home, who)
    with boot.locked(folder):
        if not folder.spec_file.exists():
            raise errors.LabError(f'guest {who} has just been deleted')
        act(folder)


def _socket(pid: int) -> str:
    return f'/proc/{pid}/root{init.DOCKER_SOCKET}'


def _database(folder: guest_spec.GuestFolder, spec: guest_spec.GuestSpec,
              pid: int | None) -> str:
    if pid is None:
        return 'stopped'
    engine = docker.Engine(_socket(pid), ENGINE_TIMEOUT)
    try:
        state = engine.inspect(CONTAINER)
    except docker.NoSuchContainer:
        return 'absent'
    except docker.DockerError:
        return 'unknown'
    if not state['State']['Running']:
        return 'stopped'
    states = {_state(pid) for pid in _members(folder, spec, state['Id'])}
    return 'frozen' if states & set(STOPPED_STATES) else 'running'


def _processes(home: lab_home.Home, who: str) -> list[int]:
    """The host's PIDs of the processes in the database container."""
    folder, spec, pid = _running(home, who)
    try:
        container = docker.Engine(
            _socket(pid), ENGINE_TIMEOUT).inspect(CONTAINER)
    except docker.NoSuchContainer:
        raise errors.LabError(
            f'guest {spec.name} has no database container yet') from None
    found = _members(folder, spec, container['Id'])
    if not found:
        raise errors.LabError(
            f'the database container of guest {spec.name} is '
            f'{container["State"]["Status"]}')
    return found


def _members(folder: guest_spec.GuestFolder, spec: guest_spec.GuestSpec,
             container: str) -> list[int]:
    group = boot.cgroup(folder.home, spec)
    return [pid for pid, path in cgroups.processes(group).items()
            if container in path]


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        process.signal_process(pid, number)


def _name(pid: int) -> str:
    try:
        return Path(f'/proc/{pid}/comm').read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ''


def _end(pids: Sequence[int], what: str) -> None:
    """Send SIGKILL, and wait until the processes have ended."""
    if not pids:
        raise errors.LabError(
            f'{what} is not running; see "lab status"')
    started = {pid: process.start_time(pid) for pid in pids}
    _signal(pids, signal.SIGKILL)
    waiting.until(f'the end of {what}',
                  lambda: all(process.start_time(pid) != start
                              for pid, start in started.items()),
                  KILL_TIMEOUT, 0.01)


def _is_agent(pid: int) -> bool:
    try:
        words = Path(f'/proc/{pid}/cmdline').read_bytes().split(b'\0')
    except (FileNotFoundError, ProcessLookupError):
        return False
    return any(Path(word.decode(errors='replace')).name == AGENT
               for word in words[:2])


def _state(pid: int) -> str:
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ''
    return text.rpartition(')')[2].split()[0]
