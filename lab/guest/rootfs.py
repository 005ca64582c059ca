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

"""Builds the guest's root in its mount namespace.

Only for ``lab.guest.init``. Standard library only.
"""

from collections.abc import Mapping, Sequence
import os
from pathlib import Path
import stat

from lab.guest import kernel
from lab.guest import mounts

MERGED = ('/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32')
OLD_ROOT = f'{mounts.TOOLS}/host'
SUDO = '''#!/bin/sh
# All processes in a guest run as root.
while [ "${1#-}" != "$1" ]; do shift; done
exec env "$@"
'''
DEVICES = {
    'null': (1, 3), 'zero': (1, 5), 'full': (1, 7), 'random': (1, 8),
    'urandom': (1, 9), 'tty': (5, 0), 'kmsg': (1, 11)}
LINKS = {
    'ptmx': 'pts/ptmx', 'fd': '/proc/self/fd', 'stdin': '/proc/self/fd/0',
    'stdout': '/proc/self/fd/1', 'stderr': '/proc/self/fd/2'}


def build(root: Path, disk: Path, shown: Sequence[str]) -> None:
    """Mount the guest's root, except /proc and /sys.

    :param root: an empty folder
    :param disk: the guest's root disk
    :param shown: folders of the host that are mounted read-only at the same
        path: the Python installation and this lab's code
    """
    kernel.mount('none', '/', flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount('root', root, 'tmpfs', data='mode=755,size=16m')
    # A folder of the host may contain this root.
    kernel.mount('none', root, flags=kernel.MS_UNBINDABLE)
    for mount in mounts.plan(
            str(disk), [folder for folder in shown if os.path.isdir(folder)],
            _programs(root)):
        _mount(root, mount)
    kernel.mount('none', root, flags=kernel.MS_PRIVATE)
    (root / 'run/lock').mkdir(exist_ok=True)
    _tools(_at(root, mounts.TOOLS))
    _devices(root / 'dev')


def disks(dev: Path, devices: Mapping[str, int]) -> None:
    """Create the block device of each volume.

    :param devices: device name to the number of the host's loop device
    """
    for name, number in devices.items():
        node = dev / name
        node.unlink(missing_ok=True)
        os.mknod(node, 0o660 | stat.S_IFBLK, number)


def leave_host(root: Path) -> None:
    """Make ``root`` the root, with new /proc and /sys, without the host's."""
    for name in ('/proc', '/sys', OLD_ROOT):
        _at(root, name).mkdir()
    kernel.pivot_root(root, _at(root, OLD_ROOT))
    os.chdir('/')
    kernel.mount('proc', '/proc', 'proc', mounts.NO_EXEC)
    kernel.mount('sysfs', '/sys', 'sysfs', mounts.NO_EXEC)
    kernel.umount(OLD_ROOT, kernel.MNT_DETACH)
    os.rmdir(OLD_ROOT)


def _programs(root: Path) -> list[str]:
    """The host's folders with programs; create the host's links to them."""
    found = [mounts.PROGRAMS]
    for name in MERGED:
        if os.path.islink(name):
            _at(root, name).symlink_to(os.readlink(name))
        elif os.path.isdir(name):
            found.append(name)
    return found


def _mount(root: Path, mount: mounts.Mount) -> None:
    target = _at(root, mount.target)
    target.mkdir(parents=True, exist_ok=True)
    if mount.kind:
        kernel.mount(mount.source, target, mount.kind, mount.flags,
                     mount.data)
    else:
        kernel.bind(mount.source, target, mount.read_only)


def _at(root: Path, place: str) -> Path:
    return root / place.lstrip('/')


def _tools(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    sudo = folder / 'sudo'
    sudo.write_text(SUDO)
    sudo.chmod(0o755)


def _devices(dev: Path) -> None:
    for name, (major, minor) in DEVICES.items():
        os.mknod(dev / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        (dev / name).chmod(0o666)
    for name, target in LINKS.items():
        (dev / name).symlink_to(target)
