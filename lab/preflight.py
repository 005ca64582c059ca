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
"""Checks whether this machine can run a lab, before anything is changed.

Imported by ``lab.up``. Standard library only. Each problem is one line
that says what is wrong and what to do.
"""

from collections.abc import Callable, Iterator, Mapping
import ctypes
import fcntl
import os
from pathlib import Path
import re
import shutil
import socket
import subprocess
import sys
import tempfile

from lab import errors
from lab import home as lab_home
from lab import place
from lab.services import all as all_services
from lab.services import forwarder
from lab import venv

GIB = 1024 ** 3
SPACE_FIRST = 6 * GIB
SPACE_LATER = 3 * GIB
MEMORY = 2.5 * GIB
SIOCBRADDBR = 0x89a0
CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
IPV6 = Path('/proc/net/if_inet6')


def check(home: lab_home.Home, ports: Mapping[str, int],
          trove_version: str | None = None) -> None:
    """Raise one error with all problems.

    :param ports: the ports on the loopback that the lab needs, by the names
        of the variables that set them
    :param trove_version: the release of Trove; None: as before
    """
    found = list(_fundamental(home))
    if not found:
        found = [*place.of_mounts(home), *place.of_checkout(home)]
    if not found:
        found = [problem for probe in PROBES for problem in probe(home)]
        if forwarder.Forwarder(home).pid is None:
            found += [problem for name, port in ports.items()
                      for problem in _port(name, port)]
        found += list(_trove(home, trove_version))
    if found:
        raise errors.LabError('\n'.join(found))


def _fundamental(home: lab_home.Home) -> Iterator[str]:
    if sys.platform != 'linux':
        yield f'the lab needs Linux; this is {sys.platform}'
        return
    if os.geteuid() != 0:
        yield ('the lab creates namespaces, mounts and loop devices: '
               'run it as root')
    if shutil.which('apt-get') is None:
        yield ('apt-get is not installed: the lab installs Debian packages, '
               'so run it on Debian 12 or a derivative')
    if shutil.which('unshare') is None or shutil.which('nsenter') is None:
        yield ('unshare and nsenter are not installed; '
               'run: apt-get install util-linux')
    yield from place.of_home(home)


def _namespaces(home: lab_home.Home) -> Iterator[str]:
    done = subprocess.run(
        ['unshare', '--mount', '--net', '--pid', '--fork', '--uts', '--ipc',
         'true'], capture_output=True, text=True)
    if done.returncode:
        yield (f'the kernel refuses namespaces ({done.stderr.strip()}): '
               f'run the lab on a machine or in a privileged container')


def _overlay(home: lab_home.Home) -> Iterator[str]:
    with tempfile.TemporaryDirectory(
            dir=place.nearest(home.root), prefix='.lab-probe-') as folder:
        for name in ('lower', 'upper', 'work', 'merged'):
            os.mkdir(f'{folder}/{name}')
        done = subprocess.run(
            ['unshare', '--mount', 'mount', '-t', 'overlay', 'overlay', '-o',
             f'lowerdir={folder}/lower,upperdir={folder}/upper,'
             f'workdir={folder}/work', f'{folder}/merged'],
            capture_output=True, text=True)
    if done.returncode:
        yield (f'overlay mounts do not work in {place.nearest(home.root)} '
               f'({" ".join(done.stderr.split())[:120]}): set LAB_HOME to '
               f'a folder on ext4 or xfs, or load the module "overlay"')


def _loop_devices(home: lab_home.Home) -> Iterator[str]:
    done = subprocess.run(
        ['losetup', '--find'], capture_output=True, text=True)
    if done.returncode:
        yield (f'there are no loop devices ({done.stderr.strip()}): '
               f'run: modprobe loop')


def _control_groups(home: lab_home.Home) -> Iterator[str]:
    kinds = {line.split()[2]: line.split()[3].split(',')
             for line in Path('/proc/mounts').read_text().splitlines()
             if line.split()[2] in ('cgroup', 'cgroup2')}
    if not kinds:
        yield ('no control groups are mounted on /sys/fs/cgroup, and Docker '
               'needs them: mount -t cgroup2 none /sys/fs/cgroup')
    elif all('ro' in options for options in kinds.values()):
        yield ('the control groups on /sys/fs/cgroup are read-only: run '
               'the lab on a machine or in a privileged container')


def _bridge(home: lab_home.Home) -> Iterator[str]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writer, _make_bridge().encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        problem = answer.read()
    os.waitpid(pid, 0)
    if problem:
        yield (f'the kernel cannot create a network bridge ({problem}): '
               f'run: modprobe bridge')


def _make_bridge() -> str:
    """Create a bridge in a network namespace that ends with this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), 'unshare')
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, SIOCBRADDBR, b'probe\0')
    except OSError as error:
        return str(error)
    return ''


def _ipv6(home: lab_home.Home) -> Iterator[str]:
    if not IPV6.exists():
        yield ("the kernel has no IPv6, which two of the lab's networks "
               'need: boot it without ipv6.disable=1')


def _space(home: lab_home.Home) -> Iterator[str]:
    needed = SPACE_LATER if venv.is_usable(home) else SPACE_FIRST
    free = shutil.disk_usage(place.nearest(home.root)).free
    if free < needed:
        yield (f'{place.nearest(home.root)} has {free / GIB:.1f} GiB free and '
               f'the lab needs {needed / GIB:.0f}: free space, or set '
               f'LAB_HOME to a folder on a larger disk')


def _memory(home: lab_home.Home) -> Iterator[str]:
    if forwarder.Forwarder(home).pid is not None:
        return
    free = free_memory()
    if free < MEMORY:
        yield (f'{free / GIB:.1f} GiB of memory are free; the services and '
               f'three members need about 4: free some, or add swap')


def free_memory(meminfo: str | None = None) -> int:
    """Bytes of memory and swap that are available to programs.

    :param meminfo: the text of /proc/meminfo; None: read it now
    """
    if meminfo is None:
        meminfo = Path('/proc/meminfo').read_text()
    told = dict(line.split(':') for line in meminfo.splitlines())
    return sum(int(told[name].split()[0]) * 1024
               for name in ('MemAvailable', 'SwapFree'))


def _port(name: str, port: int) -> Iterator[str]:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', port))
        except OSError as error:
            yield (f'port {port} on 127.0.0.1 is not free ({error.strerror})'
                   f': stop the program that uses it, or set {name} to '
                   f'another port')


def _trove(home: lab_home.Home, version: str | None) -> Iterator[str]:
    if version is None:
        return
    if not re.fullmatch(r'\d+\.\d+\.\d+', version):
        yield (f'--trove-version {version} is not a release of Trove: give '
               f'all three numbers, as in {venv.DEFAULT_TROVE}')
    elif version != venv.trove_version(home) and any(
            service.pid is not None
            for service in all_services.services(home).values()):
        yield (f'the lab in {home.root} runs Trove '
               f'{venv.trove_version(home)}: run "lab down" before you '
               f'change it to {version}')


PROBES: tuple[Callable[[lab_home.Home], Iterator[str]], ...] = (
    _namespaces, _overlay, _loop_devices, _control_groups, _bridge, _ipv6,
    _space, _memory)
