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

"""Building the guest's root from inside its mount namespace.

For ``lab.guest.init`` alone. Standard library only.
"""

from collections.abc import Mapping, Sequence
import os
from pathlib import Path
import stat

from lab.guest import kernel

PRIVATE = ('etc', 'var', 'root', 'home', 'srv', 'mnt', 'opt')
MERGED = ('bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32')
OLD_ROOT = 'oldroot'
# Goes before the host's folders in PATH; it holds the stand-in for sudo.
TOOLS = '/lab/bin'
SUDO = '''#!/bin/sh
# Everything in a guest runs as root already.
while [ "${1#-}" != "$1" ]; do shift; done
exec env "$@"
'''
DEVICES = {
    'null': (1, 3), 'zero': (1, 5), 'full': (1, 7), 'random': (1, 8),
    'urandom': (1, 9), 'tty': (5, 0), 'kmsg': (1, 11)}
NO_EXEC = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC


def build(root: Path, disk: Path, shown: Sequence[str]) -> None:
    """Mount everything of the guest's root but /proc and /sys.

    :param root: an empty folder
    :param disk: the guest's root disk
    :param shown: folders of the host that the guest sees read-only at the
        same place: the Python installation and this lab's code
    """
    kernel.mount('none', '/', flags=kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount('root', root, 'tmpfs', data='mode=755,size=16m')
    for name in PRIVATE:
        (root / name).mkdir()
        kernel.bind(disk / name, root / name)
    _show(root, '/usr')
    for name in MERGED:
        host = Path('/') / name
        if host.is_symlink():
            (root / name).symlink_to(os.readlink(host))
        elif host.is_dir():
            _show(root, f'/{name}')
    for folder in shown:
        if os.path.isdir(folder):
            _show(root, folder)
    for name in ('run', 'tmp'):
        (root / name).mkdir()
    kernel.mount('run', root / 'run', 'tmpfs', kernel.MS_NOSUID,
                 'mode=755')
    kernel.mount('tmp', root / 'tmp', 'tmpfs', kernel.MS_NOSUID,
                 'mode=1777')
    (root / 'run/lock').mkdir()
    _tools(root)
    _dev(root / 'dev')


def disks(dev: Path, devices: Mapping[str, int]) -> None:
    """Make the block device of each volume.

    :param devices: device name to the number of the host's loop device
    """
    for name, number in devices.items():
        node = dev / name
        node.unlink(missing_ok=True)
        os.mknod(node, 0o660 | stat.S_IFBLK, number)


def leave_host(root: Path) -> None:
    """Make ``root`` the root, with fresh /proc and /sys and no host."""
    for name in ('proc', 'sys', OLD_ROOT):
        (root / name).mkdir()
    kernel.pivot_root(root, root / OLD_ROOT)
    os.chdir('/')
    kernel.mount('proc', '/proc', 'proc', NO_EXEC)
    kernel.mount('sysfs', '/sys', 'sysfs', NO_EXEC)
    kernel.umount(f'/{OLD_ROOT}', kernel.MNT_DETACH)
    os.rmdir(f'/{OLD_ROOT}')


def _show(root: Path, folder: str) -> None:
    target = root / folder.lstrip('/')
    target.mkdir(parents=True, exist_ok=True)
    kernel.bind(folder, target, read_only=True)


def _tools(root: Path) -> None:
    folder = root / TOOLS.lstrip('/')
    folder.mkdir(parents=True)
    sudo = folder / 'sudo'
    sudo.write_text(SUDO)
    sudo.chmod(0o755)


def _dev(dev: Path) -> None:
    dev.mkdir()
    kernel.mount('dev', dev, 'tmpfs', kernel.MS_NOSUID, 'mode=755')
    for name, (major, minor) in DEVICES.items():
        os.mknod(dev / name, 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        (dev / name).chmod(0o666)
    for name in ('pts', 'shm', 'mqueue'):
        (dev / name).mkdir()
    kernel.mount('devpts', dev / 'pts', 'devpts',
                 kernel.MS_NOSUID | kernel.MS_NOEXEC,
                 'newinstance,ptmxmode=0666,mode=0620,gid=5')
    kernel.mount('shm', dev / 'shm', 'tmpfs',
                 kernel.MS_NOSUID | kernel.MS_NODEV, 'mode=1777')
    kernel.mount('mqueue', dev / 'mqueue', 'mqueue', NO_EXEC)
    for name, target in (('ptmx', 'pts/ptmx'), ('fd', '/proc/self/fd'),
                         ('stdin', '/proc/self/fd/0'),
                         ('stdout', '/proc/self/fd/1'),
                         ('stderr', '/proc/self/fd/2')):
        (dev / name).symlink_to(target)
