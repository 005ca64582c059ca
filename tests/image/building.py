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

"""Builds the guest image from Debian's packages and Trove's own elements.

There is no device mapper on every machine, which diskimage-builder needs for
partitions; so the image is one file system, and the machine that boots it is
given its kernel. The elements are the same.
"""

import os
import pathlib
import subprocess
import sys
import tarfile

TOP = pathlib.Path(__file__).resolve().parents[2]
TROVE = '26.0.0'
BINARIES = pathlib.Path(sys.executable).parent
USER = 'debian'
MIRROR = 'http://deb.debian.org'
ONE_FILE_SYSTEM = """\
- local_loop:
    name: image0
- mkfs:
    name: mkfs_root
    base: image0
    type: ext4
    label: cloudimg-rootfs
    mount:
      mount_point: /
      fstab:
        options: "rw,relatime"
        fsck-passno: 1
"""
ELEMENTS = ('base', 'debian-minimal', 'cloud-init-datasources',
            'guest-agent', 'trove-pxc-debian', 'trove-pxc-guest')
#: brings this machine's certificates, and is no part of the image
OF_THIS_MACHINE = 'this-machine'


class BuildFailed(Exception):
    """The text is the end of what the builder said."""


def build(folder: pathlib.Path, database: pathlib.Path) -> pathlib.Path:
    """Build an image; the path of the raw file.

    :param folder: an empty one, with 10 GB behind it
    :param database: an archive of the database image
    """
    source = _source_of_trove(folder)
    image = folder / 'guest.raw'
    log = folder / 'build.log'
    with log.open('wb') as output:
        done = subprocess.run(
            [BINARIES / 'disk-image-create', '-x', '-a', 'amd64', '-t', 'raw',
             '-o', str(image), '--image-size', '5', '--no-tmpfs',
             '--image-cache', str(folder / 'cache'), *ELEMENTS,
             OF_THIS_MACHINE],
            env=_environment(folder, source, database), cwd=folder,
            stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT)
    if done.returncode:
        raise BuildFailed('\n'.join(
            log.read_text(errors='replace').splitlines()[-60:]))
    return image


def _source_of_trove(folder: pathlib.Path) -> pathlib.Path:
    """Trove as it is released, with its image's elements."""
    subprocess.run(
        [sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps',
         '--no-binary', 'trove', '--dest', str(folder), f'trove=={TROVE}'],
        check=True)
    with tarfile.open(folder / f'trove-{TROVE}.tar.gz') as archive:
        archive.extractall(folder, filter='data')
    return folder / f'trove-{TROVE}'


def _environment(folder: pathlib.Path, source: pathlib.Path,
                 database: pathlib.Path) -> dict[str, str]:
    constraints = folder / 'upper-constraints.txt'
    constraints.write_text('')
    elements = (source / 'integration/scripts/files/elements',
                TOP / 'elements', TOP / 'tests/image/elements')
    return {
        **os.environ,
        'PATH': f'{BINARIES}:{os.environ["PATH"]}',
        'TMPDIR': str(folder),
        'ELEMENTS_PATH': ':'.join(str(path) for path in elements),
        'DIB_RELEASE': 'bookworm', 'DIB_PYTHON_VERSION': '3',
        'DIB_DEBOOTSTRAP_CACHE': '1', 'DIB_DEBIAN_USE_DEBOOTSTRAP_CACHE': '1',
        'DIB_DISTRIBUTION_MIRROR': f'{MIRROR}/debian',
        'DIB_DEBIAN_SECURITY_MIRROR': f'{MIRROR}/debian-security',
        'DIB_BLOCK_DEVICE_CONFIG': ONE_FILE_SYSTEM,
        'DIB_CLOUD_INIT_ETC_HOSTS': 'localhost',
        'DIB_CLOUD_INIT_DATASOURCES': 'ConfigDrive, OpenStack',
        'DIB_REPOTYPE_guest_agent': 'tar',
        'DIB_REPOREF_guest_agent': '*',
        'DIB_REPOLOCATION_guest_agent':
            f'file://{folder}/trove-{TROVE}.tar.gz',
        'DIB_REPOLOCATION_upper_constraints': f'file://{constraints}',
        'DIB_TROVE_PXC_SOURCE': str(TOP),
        'DIB_TROVE_PXC_DATABASE_IMAGES': str(database),
        'DEV_MODE': 'false', 'SYNC_LOG_TO_CONTROLLER': 'False',
        'GUEST_USERNAME': USER,
    }
