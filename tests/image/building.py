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

"""Builds the guest image with the commands of its documentation.

They are those of elements/trove-pxc-guest/README.rst for Debian, with
additions for this machine: programs that replace the device mapper, which
diskimage-builder uses for partitions and not every kernel has, and the
sources of pip and of Debian's security updates.
"""

import os
import pathlib
import re
import subprocess
import textwrap

from lab.images import build as database_image

TOP = pathlib.Path(__file__).resolve().parents[2]
README = TOP / 'elements/trove-pxc-guest/README.rst'
PREPARATION = 'What the building host needs'
DISTRIBUTION = 'Debian'
IMAGE = 'trove-guest-pxc.qcow2'
#: The database image of the lab's trove-guestagent.conf and version.
DATABASE = f'{database_image.REPOSITORY}:10.11'

# sudo searches /usr/local/sbin first; only the build sees these programs.
# The element this-machine is not part of the image.
BEFORE = """\
set -eu
apt-get() { :; }
disk-image-create() {
    unshare --mount --propagation private \\
        sh -c 'mount --bind "$0" /usr/local/sbin && exec "$@"' \\
        trove-pxc/tests/image/bin "$(type -P disk-image-create)" \\
        --no-tmpfs --image-cache "$PWD/cache" "$@" this-machine
}
"""
BETWEEN = """\
export ELEMENTS_PATH=$ELEMENTS_PATH:$PWD/trove-pxc/tests/image/elements
export DIB_DEBIAN_SECURITY_MIRROR=http://deb.debian.org/debian-security
export DIB_TROVE_PXC_DATABASE_IMAGES={images}
"""


class BuildFailed(Exception):
    """The text is the end of the output of the builder."""


def build(folder: pathlib.Path, database: pathlib.Path) -> pathlib.Path:
    """Build an image; return its path.

    :param folder: an empty folder with 10 GB of free space
    :param database: an archive of the database image
    """
    checkout = folder / 'trove-pxc'
    if not checkout.is_symlink():
        checkout.symlink_to(TOP)
    script = '\n'.join([
        BEFORE, documented(PREPARATION),
        BETWEEN.format(images=f'{database}={DATABASE}'),
        documented(DISTRIBUTION)])
    log = folder / 'build.log'
    with log.open('wb') as output:
        done = subprocess.run(
            ['bash', '-c', script], env={**os.environ, 'TMPDIR': str(folder)},
            cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT)
    if done.returncode:
        raise BuildFailed('\n'.join(
            log.read_text(errors='replace').splitlines()[-60:]))
    return folder / IMAGE


def documented(section: str) -> str:
    """The commands in a section of the README."""
    _, *parts = re.split(r'^(.+)\n=+\n', README.read_text(),
                         flags=re.MULTILINE)
    text = dict(zip(parts[::2], parts[1::2]))[section]
    return '\n'.join(textwrap.dedent(line[0]) for line in re.finditer(
        r'(?:^  .*\n)+', text, flags=re.MULTILINE))
