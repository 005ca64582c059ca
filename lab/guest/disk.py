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

"""The root disk of a guest: a folder with the contents of a cloud image.

For ``lab.guest`` and the cloud's compute service. It contains the guest's
/etc, /var, /root and /home. Programs are those of the host, read-only.
"""

from collections.abc import Iterable
import os
from pathlib import Path
import shutil
import subprocess

from lab.guest import spec as guest_spec
from lab import home as lab_home

DOCKER = 'var/lib/docker'
FOLDERS = {
    'etc': 0o755, 'root': 0o700, 'home': 0o755, 'srv': 0o755, 'mnt': 0o755,
    'opt': 0o755, 'var': 0o755, 'var/lib': 0o755, 'var/log': 0o755,
    'var/cache': 0o755, 'var/spool': 0o755, 'var/tmp': 0o1777,
    # Private: cloud-init writes the broker's password there, world-readable.
    'etc/trove': 0o755, 'etc/trove/conf.d': 0o700, 'etc/docker': 0o755,
    'var/lib/cloud': 0o755, 'var/lib/mysql': 0o755,
    # Trove's agent writes here and does not create the folder.
    'opt/trove-guestagent': 0o755,
}
# Files in /etc that programs of the host need, without those about services of
# the host.
HOST_FILES = (
    'alternatives', 'ca-certificates', 'debian_version', 'gai.conf',
    'host.conf', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'localtime',
    'login.defs', 'magic', 'mime.types', 'mke2fs.conf', 'nsswitch.conf',
    'os-release', 'protocols', 'python3', 'python3.11', 'python3.12',
    'python3.13', 'rpc', 'services', 'ssl', 'timezone', 'xattr.conf')
FIRST_USER_ID = 1000
NOBODY_ID = 65534
LAST_ID_COLUMN = 2


def create(folder: guest_spec.GuestFolder,
           spec: guest_spec.GuestSpec, image: Path) -> None:
    """Create the root disk from a guest image.

    :param image: the folder of the image, with its Docker data-root
    """
    disk = folder.disk
    disk.mkdir(parents=True)
    for name, mode in FOLDERS.items():
        (disk / name).mkdir(exist_ok=True)
        (disk / name).chmod(mode)
    (disk / 'var/run').symlink_to('/run')
    (disk / 'var/lock').symlink_to('/run/lock')
    _copy_from_host(disk / 'etc')
    _accounts(disk / 'etc')
    _identity(disk / 'etc', spec)
    source = image / 'docker'
    if source.is_dir():
        copy_docker_root(source, disk / DOCKER)


def copy_docker_root(source: Path, target: Path) -> None:
    """Copy a Docker data-root whose engine does not run.

    The contents of image layers never change, so they are hard links.
    Everything else is copied, because the engine changes its databases in
    place.
    """
    subprocess.run(['cp', '--archive', '--link', str(source), str(target)],
                   check=True)
    for path in _not_in_layers(target):
        if path.is_symlink() or not path.is_file():
            continue
        fresh = path.with_name(f'{path.name}.copy')
        shutil.copy2(path, fresh)
        os.chown(fresh, path.stat().st_uid, path.stat().st_gid)
        fresh.replace(path)


def _not_in_layers(root: Path) -> Iterable[Path]:
    layers = root / 'overlay2'
    for folder, folders, files in os.walk(root):
        if Path(folder).parent == layers and 'diff' in folders:
            folders.remove('diff')
        for name in files:
            yield Path(folder) / name


def _copy_from_host(etc: Path) -> None:
    present = [f'/etc/{name}' for name in HOST_FILES
               if os.path.lexists(f'/etc/{name}')]
    subprocess.run(['cp', '--archive', '--target-directory', str(etc),
                    *present], check=True)


def _accounts(etc: Path) -> None:
    """Write the system's users; the first ordinary IDs are for Trove."""
    for name in ('passwd', 'group'):
        lines = [line for line in
                 Path(f'/etc/{name}').read_text().splitlines()
                 if _is_system(line)]
        (etc / name).write_text('\n'.join(lines) + '\n')
    for name, source, rest in (('shadow', 'passwd', '*:19000:0:99999:7:::'),
                               ('gshadow', 'group', '*::')):
        users = [line.split(':')[0] for line in
                 (etc / source).read_text().splitlines()]
        path = etc / name
        path.touch(0o640)
        path.write_text(''.join(f'{user}:{rest}\n' for user in users))


def _is_system(line: str) -> bool:
    fields = line.split(':')
    if len(fields) <= LAST_ID_COLUMN or not fields[LAST_ID_COLUMN].isdigit():
        return False
    number = int(fields[LAST_ID_COLUMN])
    return number < FIRST_USER_ID or number == NOBODY_ID


def _identity(etc: Path, spec: guest_spec.GuestSpec) -> None:
    (etc / 'hostname').write_text(f'{spec.hostname}\n')
    # The cloud has no name server.
    (etc / 'hosts').write_text(
        '127.0.0.1 localhost\n::1 localhost ip6-localhost\n'
        + ''.join(f'{one.ip} {spec.hostname}\n' for one in spec.addresses)
        + ''.join(f'{one} {lab_home.CONTROLLER_NAME}\n'
                  for one in lab_home.CONTROLLER_ADDRESSES))
    (etc / 'resolv.conf').write_text('')
    (etc / 'fstab').write_text('')
    (etc / 'machine-id').write_text(spec.server_id.replace('-', '') + '\n')
    (etc / 'mtab').symlink_to('../proc/self/mounts')
