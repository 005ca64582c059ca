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

"""Debian packages: installing the programs that the machine lacks.

Imported by ``lab.up``. A program that is there already, wherever it came
from, is used as it is: no package is upgraded or removed, and no service of
the machine is started, stopped or enabled.
"""

from collections.abc import Iterator, Sequence
import contextlib
import os
from pathlib import Path
import shutil
import subprocess

from lab import errors
from lab import home as lab_home
from lab import report as lab_report

SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
POLICY = Path('/usr/sbin/policy-rc.d')
POLICY_KEPT = Path('/usr/sbin/policy-rc.d.kept-by-lab')
POLICY_TEXT = '#!/bin/sh\n# Of the lab, while apt-get runs.\nexit 101\n'

#: what has to be there -> the package that brings it
PROGRAMS = {
    'dockerd': 'docker.io',
    'containerd': 'containerd',
    'runc': 'runc',
    '/usr/lib/rabbitmq/bin/rabbitmq-server': 'rabbitmq-server',
    'mariadbd': 'mariadb-server-core',
    'mariadb-install-db': 'mariadb-server-core',
    'mariadb': 'mariadb-client-core',
    'debootstrap': 'debootstrap',
    'iptables': 'iptables',
    'nft': 'nftables',
    'ip': 'iproute2',
    'mkfs.ext4': 'e2fsprogs',
    'losetup': 'mount',
    'ps': 'procps',
    'useradd': 'passwd',
    'openssl': 'openssl',
    '/etc/ssl/certs/ca-certificates.crt': 'ca-certificates',
}
DEBIAN_PYTHON = '/usr/bin/python3'
#: units that the packages above would start at the machine's next boot
UNITS = ('docker.service', 'docker.socket', 'containerd.service',
         'rabbitmq-server.service', 'epmd.service', 'epmd.socket')


def missing(python: str) -> list[str]:
    """The packages to install so that the lab finds all it needs.

    :param python: the interpreter that the lab's venv is made with
    """
    wanted = {package for program, package in PROGRAMS.items()
              if not _present(program)}
    if not _can_make_venv(python):
        wanted.add('python3-venv')
    return sorted(wanted)


def install(home: lab_home.Home, report: lab_report.Report,
            names: Sequence[str]) -> None:
    """Install packages without starting or enabling their services."""
    if not names:
        return
    before = _enabled_units()
    with report.step(f'Debian packages: {", ".join(names)}'):
        with _no_service_starts():
            _apt_get(home, 'update', '-q')
            _apt_get(home, 'install', '-q', '--yes', '--no-remove',
                     '--no-upgrade', '--no-install-recommends', *names)
    _disable(_enabled_units() - before)
    known = set(home.settings().get('packages', []))
    home.set(packages=sorted(known | set(names)))


def restore_policy() -> None:
    """Put back the machine's policy-rc.d if a killed run left ours."""
    if POLICY_KEPT.exists():
        POLICY_KEPT.replace(POLICY)
    elif POLICY.exists() and POLICY.read_text() == POLICY_TEXT:
        POLICY.unlink()


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    restore_policy()
    if POLICY.exists():
        POLICY.replace(POLICY_KEPT)
    POLICY.write_text(POLICY_TEXT)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        restore_policy()


def _apt_get(home: lab_home.Home, *arguments: str) -> None:
    log = home.logs / 'apt.log'
    with log.open('ab') as output:
        done = subprocess.run(
            ['apt-get', '-o', 'DPkg::Lock::Timeout=120',
             '-o', 'Dpkg::Options::=--force-confold', *arguments],
            stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive',
                 'NEEDRESTART_MODE': 'l'})
    if done.returncode:
        raise errors.LabError(
            f'apt-get {arguments[0]} failed with {done.returncode}; '
            f'see the end of {log}, put it right and run the command again')


def _present(program: str) -> bool:
    if program.startswith('/'):
        return Path(program).exists()
    return shutil.which(program, path=SEARCH_PATH) is not None


def _can_make_venv(python: str) -> bool:
    done = subprocess.run(
        [python, '-c', 'import ensurepip, venv'], capture_output=True)
    return done.returncode == 0


def _enabled_units() -> set[str]:
    if shutil.which('systemctl') is None:
        return set()
    return {unit for unit in UNITS if _is_enabled(unit)}


def _is_enabled(unit: str) -> bool:
    done = subprocess.run(
        ['systemctl', 'is-enabled', unit], capture_output=True, text=True)
    return done.stdout.strip() == 'enabled'


def _disable(units: set[str]) -> None:
    # The lab needs the programs; the machine did not ask for the services.
    if units:
        subprocess.run(['systemctl', 'disable', *sorted(units)],
                       capture_output=True)
