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

"""The mounts of a guest's root, in their order.

For ``lab.guest.rootfs``, which creates them, and for ``lab.place``. It changes
nothing. Standard library only, because the guest's init imports it.
"""

from collections.abc import Iterable, Iterator
import dataclasses
from pathlib import PurePosixPath

from lab.guest import kernel

#: on the guest's disk
PRIVATE = ('/etc', '/var', '/root', '/home', '/srv', '/mnt', '/opt')
PROGRAMS = '/usr'
# Names of mounts, not temporary files.
TEMPORARY, SHARED = '/tmp', '/dev/shm'  # nosec B108
#: first in PATH: it contains the replacement of sudo
TOOLS = '/run/lab-tools'
#: folders that a guest needs with its own contents
NEEDED = ('/etc/trove/conf.d', '/etc/docker', f'/var{TEMPORARY}', '/var/log',
          '/var/lib/cloud', '/var/lib/docker', '/var/lib/mysql', '/root',
          '/opt/trove-guestagent', TOOLS, '/run/lock', TEMPORARY, '/dev/pts',
          SHARED, '/dev/mqueue', '/proc', '/sys')
#: mounted or used after the others
LATER = (TOOLS, '/proc', '/sys', '/var/lib/docker', '/var/lib/mysql')
NO_EXEC = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC


@dataclasses.dataclass(frozen=True)
class Mount:
    """One mount of a guest.

    :ivar target: the path in the guest
    :ivar source: a folder of the host, or the name of a new file system
    :ivar kind: the type of the new file system; empty for a folder of the host
    :ivar read_only: whether the guest may not write to the folder
    """

    target: str
    source: str
    kind: str = ''
    flags: int = 0
    data: str = ''
    read_only: bool = False


def plan(disk: str, shown: Iterable[str],
         programs: Iterable[str] = (PROGRAMS,)) -> list[Mount]:
    """All mounts below the root, each after the one that contains it.

    :param disk: the guest's root disk
    :param shown: folders that are mounted read-only at the same path;
        ``conflict`` must return None for each
    :param programs: the host's top-level folders with programs
    """
    mounts = {mount.target: mount for mount in (*_own(disk), *_shown(
        [*programs, *shown]))}
    return sorted(mounts.values(),
                  key=lambda mount: len(PurePosixPath(mount.target).parts))


def conflict(folder: str) -> str | None:
    """The folder of the guest with which this mount would conflict.

    None if the folder can be mounted.
    """
    for own in NEEDED:
        if _is_in(own, folder):
            return own
    for own in LATER:
        if _is_in(folder, own):
            return own
    return None


def _own(disk: str) -> Iterator[Mount]:
    for place in PRIVATE:
        yield Mount(place, f'{disk}{place}')
    yield Mount('/run', 'run', 'tmpfs', kernel.MS_NOSUID, 'mode=755')
    yield Mount(TEMPORARY, 'tmp', 'tmpfs', kernel.MS_NOSUID, 'mode=1777')
    yield Mount('/dev', 'dev', 'tmpfs', kernel.MS_NOSUID, 'mode=755')
    yield Mount('/dev/pts', 'devpts', 'devpts',
                kernel.MS_NOSUID | kernel.MS_NOEXEC,
                'newinstance,ptmxmode=0666,mode=0620,gid=5')
    yield Mount(SHARED, 'shm', 'tmpfs',
                kernel.MS_NOSUID | kernel.MS_NODEV, 'mode=1777')
    yield Mount('/dev/mqueue', 'mqueue', 'mqueue', NO_EXEC)


def _shown(folders: list[str]) -> Iterator[Mount]:
    """Mounts of the outermost folders, which include the others."""
    for folder in folders:
        if not any(other != folder and _is_in(folder, other)
                   for other in folders):
            yield Mount(folder, folder, read_only=True)


def _is_in(folder: str, other: str) -> bool:
    return PurePosixPath(folder).is_relative_to(other)
