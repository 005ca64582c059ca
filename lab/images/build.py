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

"""Builds the database image: MariaDB and Galera from Debian's packages.

The command line imports ``ensure_database_image``. It needs root, debootstrap
and a Debian mirror, but no Docker and no registry. The result is stored in the
lab's cache, named after the recipe, and built only once.

The suite of Debian decides the version: bookworm (Debian 12) has MariaDB
10.11, trixie (Debian 13) has 11.8 (packages.debian.org/mariadb-server).
"""

import datetime
import hashlib
import os
from pathlib import Path
import platform
import re
import shutil
import subprocess
import tempfile

from lab import errors
from lab import home as lab_home
from lab.images import archive
from lab import report as lab_report

SUITE = 'bookworm'
#: release of Debian -> its series of MariaDB
SUITES = {'bookworm': '10.11', 'trixie': '11.8'}
MIRROR = 'http://deb.debian.org/debian'
SECURITY_MIRROR = 'http://deb.debian.org/debian-security'
PACKAGES = ('mariadb-server', 'mariadb-client', 'mariadb-backup', 'galera-4',
            'socat', 'rsync', 'stunnel4', 'pigz', 'openssl')
REPOSITORY = 'trove-lab/mariadb'
DATABASE_UID = 1001
SCRIPTS = ('docker-entrypoint.sh', 'healthcheck.sh')
RECIPE_VERSION = 1
LOG_TAIL = 15
ARCHITECTURES = {'x86_64': 'amd64', 'aarch64': 'arm64'}
VERSION_FILE = 'usr/share/trove-lab/versions'

# Runs in the new root, with /proc and the network of the host.
INSTALL = '''
set -e
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
apt-get update -q
apt-get install -qy --no-install-recommends {packages}
mkdir -p /usr/share/trove-lab
dpkg-query -W -f '${{Package}} ${{Version}}\\n' {packages} > /{versions}
apt-get clean
rm -rf /var/lib/apt/lists/* /var/lib/mysql /var/log/mysql /run/mysqld
rm -rf /usr/share/doc /usr/share/man /usr/share/info /usr/share/locale
rm -rf /usr/share/mysql/mysql-test /var/cache/debconf/*-old
echo 'database:x:{uid}:{uid}::/var/lib/mysql:/usr/sbin/nologin' >> /etc/passwd
echo 'database:x:{uid}:' >> /etc/group
install -d -m 1777 -o mysql -g mysql /var/lib/mysql /run/mysqld
'''

DPKG_OPTIONS = '''force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
'''


def ensure_database_image(home: lab_home.Home, report: lab_report.Report,
                          suite: str = SUITE) -> Path:
    """The archive of the database image; build it if it does not exist.

    :param suite: the release of Debian for its packages
    :raises LabError: if a step fails, with the end of its output
    """
    target = home.cache / f'database-image-{recipe_key(suite)}.tar'
    if target.exists():
        return target
    home.cache.mkdir(parents=True, exist_ok=True)
    with report.step(f'building the database image from the packages of '
                     f'Debian {suite}'):
        with tempfile.TemporaryDirectory(
                dir=home.cache, prefix='build-') as scratch:
            tree = Path(scratch) / 'root'
            log = home.logs / 'database-image.log'
            _make_tree(suite, tree, log)
            archive.write(tree, target, _settings(tree))
    return target


def recipe_key(suite: str = SUITE) -> str:
    """A key that changes with everything that affects the image."""
    digest = hashlib.sha256()
    for part in (str(RECIPE_VERSION), suite, INSTALL, *PACKAGES,
                 platform.machine()):
        digest.update(part.encode())
    for name in SCRIPTS:
        digest.update((Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:12]


def _make_tree(suite: str, tree: Path, log: Path) -> None:
    _logged(log, [
        'debootstrap', '--variant=minbase',
        suite, str(tree), _mirror('LAB_DEBIAN_MIRROR', MIRROR)])
    _configure(suite, tree)
    script = INSTALL.format(packages=' '.join(PACKAGES), uid=DATABASE_UID,
                            versions=VERSION_FILE)
    _logged(log, [
        'unshare', '--mount', '--pid', '--fork', '--kill-child', '--ipc',
        '--propagation', 'private', 'sh', '-c',
        'mount -t proc proc "$1/proc" && exec chroot "$1" sh -c "$2"',
        'sh', str(tree), script])
    for name in SCRIPTS:
        path = tree / 'usr/local/bin' / name
        shutil.copyfile(Path(__file__).parent / name, path)
        path.chmod(0o755)
    for name in ('etc/resolv.conf', 'usr/sbin/policy-rc.d'):
        (tree / name).unlink()


def _configure(suite: str, tree: Path) -> None:
    mirror = _mirror('LAB_DEBIAN_MIRROR', MIRROR)
    security = _mirror('LAB_DEBIAN_SECURITY_MIRROR', SECURITY_MIRROR)
    (tree / 'etc/apt/sources.list').write_text(
        f'deb {mirror} {suite} main\n'
        f'deb {mirror} {suite}-updates main\n'
        f'deb {security} {suite}-security main\n')
    (tree / 'etc/dpkg/dpkg.cfg.d/lab').write_text(DPKG_OPTIONS)
    policy = tree / 'usr/sbin/policy-rc.d'
    policy.write_text('#!/bin/sh\nexit 101\n')
    policy.chmod(0o755)
    shutil.copyfile('/etc/resolv.conf', tree / 'etc/resolv.conf')


def _settings(tree: Path) -> archive.Settings:
    versions = dict(
        line.split() for line in
        (tree / VERSION_FILE).read_text().splitlines())
    server = _upstream(versions['mariadb-server'])
    return archive.Settings(
        tag=f'{REPOSITORY}:{server}',
        entrypoint=['docker-entrypoint.sh'],
        command=['mariadbd'],
        environment=['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:'
                     '/usr/bin:/sbin:/bin', 'LANG=C.UTF-8'],
        labels={f'trove-lab.{name}': version
                for name, version in versions.items()},
        architecture=ARCHITECTURES.get(
            platform.machine(), platform.machine()),
        created=datetime.datetime.now(datetime.UTC).isoformat())


def _upstream(package_version: str) -> str:
    """The version for a tag: '1:11.8.9+ds-0+deb13u1' is 11.8.9."""
    return re.split('[-+~]', package_version.partition(':')[2])[0]


def _mirror(variable: str, default: str) -> str:
    return os.environ.get(variable, default)


def _logged(log: Path, argv: list[str]) -> None:
    """Run a step with its output in a log; an error contains its end."""
    with log.open('ab') as output:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=output)
    if done.returncode:
        tail = log.read_text(errors='replace').splitlines()[-LOG_TAIL:]
        raise errors.LabError(
            f'building the database image: {argv[0]} failed with '
            f'{done.returncode}. Is the Debian mirror reachable? '
            f'See {log}. Its end:\n' + '\n'.join(tail))
