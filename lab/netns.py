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

"""Creates, removes and enters network namespaces.

Every module of the lab may import it. It does not change the host's network
namespace, except for the names under /run/netns.
"""

from collections.abc import Iterator, Sequence
import contextlib
import ctypes
import itertools
import os
from pathlib import Path
import subprocess

from lab import errors
from lab import home as lab_home

FOLDER = Path('/run/netns')
CLONE_NEWNET = 0x40000000


def path(name: str) -> Path:
    """The file that keeps the namespace alive and opens it."""
    return FOLDER / name


def exists(name: str) -> bool:
    return path(name).exists()


def listed(prefix: str) -> list[str]:
    """The namespaces whose names begin with ``prefix``."""
    if not FOLDER.is_dir():
        return []
    return sorted(
        entry.name for entry in FOLDER.iterdir()
        if entry.name.startswith(prefix))


def create(name: str) -> None:
    """Create a namespace with its loopback up, if it does not exist."""
    if not exists(name):
        command(['ip', 'netns', 'add', name])
    command(['ip', '-n', name, 'link', 'set', 'lo', 'up'])


def delete(name: str) -> None:
    """Remove the namespace's name; it ends with its last process."""
    if exists(name):
        command(['ip', 'netns', 'delete', name])


def inside(name: str, argv: Sequence[str]) -> list[str]:
    """The command line that runs ``argv`` in the namespace.

    ``nsenter`` replaces itself with the program, so that the PID is that of
    the program. ``ip netns exec`` would remount /sys and hide the cgroups.
    """
    return ['nsenter', f'--net={path(name)}', '--', *argv]


def run(name: str, argv: Sequence[str],
        check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a short command in the namespace and return what it printed."""
    return command(inside(name, argv), check=check)


@contextlib.contextmanager
def entered(target: str | os.PathLike[str]) -> Iterator[None]:
    """Enter another network namespace in this thread, for the block.

    :param target: a namespace's file, such as ``path(name)`` or
        ``/proc/PID/ns/net``. Sockets that are created in it stay in it.
    """
    back = os.open('/proc/thread-self/ns/net', os.O_RDONLY)
    try:
        _setns(target)
        try:
            yield
        finally:
            _setns_descriptor(back)
    finally:
        os.close(back)


def enter(target: str | os.PathLike[str]) -> None:
    """Move this thread permanently into another network namespace."""
    _setns(target)


def create_controller(home: lab_home.Home) -> None:
    """Create the controller's namespace and the bridge of all guests."""
    name = home.controller
    create(name)
    if run(name, ['ip', 'link', 'show', home.bridge], check=False).returncode:
        run(name, ['ip', 'link', 'add', home.bridge, 'type', 'bridge',
                   'forward_delay', '0'])
        for address in itertools.chain(*lab_home.NETWORKS.values()):
            run(name, ['ip', 'address', 'add', address, 'dev', home.bridge,
                       *no_detection(address)])
    run(name, ['ip', 'link', 'set', home.bridge, 'up'])
    _let_frames_pass(name)


def no_detection(address: str) -> list[str]:
    """The arguments by which "ip address add" uses an IPv6 address at once.

    Duplicate address detection would take a second. It is not needed, because
    the cloud gives each address only once.
    """
    return ['nodad'] if ':' in address else []


def _let_frames_pass(name: str) -> None:
    # With br_netfilter loaded, iptables rules of Docker on the host filter
    # frames between guests. Each namespace has this switch.
    for family in ('iptables', 'ip6tables', 'arptables'):
        switch = f'/proc/sys/net/bridge/bridge-nf-call-{family}'
        run(name, ['sh', '-c', f'test ! -e {switch} || echo 0 > {switch}'])


def command(argv: Sequence[str],
            check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a short command; if it fails, its message is in the error."""
    done = subprocess.run(argv, capture_output=True, text=True)
    if check and done.returncode:
        said = (done.stderr or done.stdout).strip() or 'no message'
        raise errors.LabError(
            f'{" ".join(argv)} failed with {done.returncode}: {said}')
    return done


def _setns(target: str | os.PathLike[str]) -> None:
    try:
        descriptor = os.open(target, os.O_RDONLY)
    except FileNotFoundError:
        raise errors.LabError(
            f'the network namespace {target} does not exist; '
            f'"lab up" creates it') from None
    try:
        _setns_descriptor(descriptor)
    finally:
        os.close(descriptor)


def _setns_descriptor(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        code = ctypes.get_errno()
        raise OSError(code, f'setns: {os.strerror(code)}')
