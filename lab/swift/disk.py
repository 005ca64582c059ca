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

"""The disk of the object server: a file with ext4, as a loop device.

Imported by ``lab.services.swift``, ``lab.swift.control`` and
``lab.swift.objects``. On a disk of its own the store can be full while the
machine is not, and objects can have extended attributes on each machine.

It is mounted only for the process with the object server. A mount on the
machine would be copied by each program with mounts of its own, such as another
Docker engine, and the device would stay in use after the lab.
"""

from collections.abc import Sequence
import os
from pathlib import Path

from lab import errors
from lab import home as lab_home
from lab import netns
from lab import process
from lab.swift import conf

GIB = 1024 ** 3
#: the file has holes, so that it takes only the space of the objects
SIZE = 10 * GIB
FILLER = '.lab-filler'
#: the object server refuses objects when less is free: fallocate_reserve
RESERVE = 0.01
#: large inodes, because Swift keeps an object's metadata in its attributes
MKFS = ('mkfs.ext4', '-q', '-F', '-m', '0', '-I', '1024', '-i', '65536',
        '-J', 'size=16', '-E', 'lazy_itable_init=1,nodiscard')
MOUNT = ('mount -t ext4 -o loop,noatime,discard,noinit_itable "$1" "$2" && '
         'shift 2 && exec "$@"')
#: the service that has it mounted
OWNER = 'swift-storage'


def make(home: lab_home.Home) -> None:
    """Create the disk, if that is not done yet."""
    _mount_point(home).mkdir(parents=True, exist_ok=True)
    if _image(home).exists():
        return
    fresh = _image(home).with_suffix('.new')
    with fresh.open('wb') as file:
        file.truncate(SIZE)
    netns.command([*MKFS, str(fresh)])
    fresh.rename(_image(home))


def mounted(home: lab_home.Home, argv: Sequence[str]) -> list[str]:
    """The command line that mounts the disk and becomes ``argv``."""
    return ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', MOUNT,
            'sh', str(_image(home)), str(_mount_point(home)), *argv]


def folder(home: lab_home.Home) -> Path:
    """The folder of the disk, as the object server has it mounted.

    :raises LabError: it does not run
    """
    pid = process.find(home, OWNER)
    if pid is None:
        raise errors.LabError(f'{OWNER} does not run, so its disk is not '
                              f'mounted; run "lab swift start" first')
    return Path(f'/proc/{pid}/root{_mount_point(home)}')


def fill(home: lab_home.Home, room: int = 0) -> None:
    """Leave so many bytes for new objects; then PUT fails with 507.

    :raises LabError: it is not mounted, or has less space
    """
    free(home)
    size = space(home) - room
    if size < 0:
        raise errors.LabError(
            f'the object store has only {space(home)} bytes left')
    with (folder(home) / FILLER).open('wb') as file:
        if size:
            os.posix_fallocate(file.fileno(), 0, size)


def free(home: lab_home.Home) -> None:
    """Undo ``fill``."""
    (folder(home) / FILLER).unlink(missing_ok=True)


def is_filled(home: lab_home.Home) -> bool:
    return (folder(home) / FILLER).exists()


def space(home: lab_home.Home) -> int:
    """The bytes that new objects may take."""
    state = os.statvfs(folder(home))
    return max(0, int(state.f_frsize * (
        state.f_bavail - state.f_blocks * RESERVE)))


def _image(home: lab_home.Home) -> Path:
    return home.swift / 'objects.img'


def _mount_point(home: lab_home.Home) -> Path:
    return conf.folder_of_devices(home) / conf.DEVICES['object']
