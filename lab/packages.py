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

"""Installs the Debian packages of programs that the machine lacks.

Imported by ``lab.up``. Existing programs are used as they are: no package is
upgraded or removed, and no service of the machine is started, stopped or
enabled.
"""

from collections.abc import Iterator
import contextlib
import os
from pathlib import Path
import re
import shutil
import subprocess

from lab import errors
from lab import home as lab_home
from lab import lock
from lab import report as lab_report
from lab import waiting

SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
POLICY = Path('/usr/sbin/policy-rc.d')
POLICY_KEPT = Path('/usr/sbin/policy-rc.d.kept-by-lab')
POLICY_TEXT = '#!/bin/sh\n# Of the lab, while apt-get runs.\nexit 101\n'

#: seconds to wait for a lock of apt or dpkg
PATIENCE = 900.0
#: seconds between two attempts
INTERVAL = 2.0
#: locked while a lab installs packages; apt and dpkg use other locks
DPKG = Path('/var/lib/dpkg')
HELD = re.compile(
    r'^E: Could not get lock (?P<file>\S+?)\.?(?:$|(?= ))'
    r'(?: It is held by process (?P<pid>\d+)(?: \((?P<name>.+)\))?)?',
    re.MULTILINE)

#: needed program or file -> the package that contains it
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
    """The packages that the lab needs and the machine lacks.

    :param python: the interpreter of the lab's venv
    """
    wanted = {package for program, package in PROGRAMS.items()
              if not _present(program)}
    if not _can_make_venv(python):
        wanted.add('python3-venv')
    return sorted(wanted)


def install(home: lab_home.Home, report: lab_report.Report,
            python: str) -> None:
    """Install missing packages without starting or enabling services.

    It waits for locks of apt and dpkg.

    :param python: the interpreter of the lab's venv
    :raises LabError: the installation fails; with what to do
    """
    if not missing(python):
        return
    with alone(report):
        names = missing(python)
        if not names:
            return
        before = _enabled_units()
        with report.step(f'Debian packages: {", ".join(names)}'):
            with _no_service_starts():
                apt_get(home, report, 'update', '-q')
                apt_get(home, report, 'install', '-q', '--yes',
                        '--no-remove', '--no-upgrade',
                        '--no-install-recommends', *names)
        _disable(_enabled_units() - before)
        known = set(home.settings().get('packages', []))
        home.set(packages=sorted(known | set(names)))


def restore_policy() -> None:
    """Restore the machine's policy-rc.d after a run that was killed."""
    with lock.alone(DPKG) as mine:
        if mine:
            _restore_policy()


def _restore_policy() -> None:
    if POLICY_KEPT.exists():
        POLICY_KEPT.replace(POLICY)
    elif POLICY.exists() and POLICY.read_text() == POLICY_TEXT:
        POLICY.unlink()


@contextlib.contextmanager
def alone(report: lab_report.Report) -> Iterator[None]:
    """Lock out the installation of packages by other labs."""
    told = False

    def entered() -> contextlib.ExitStack:
        nonlocal told
        with contextlib.ExitStack() as stack:
            if stack.enter_context(lock.alone(DPKG)):
                return stack.pop_all()
        if not told:
            told = True
            report.say('waiting for another lab that installs Debian '
                       'packages')
        raise waiting.NotYet('it is still installing')

    with waiting.until('another lab to install its Debian packages',
                       entered, PATIENCE, INTERVAL):
        yield


@contextlib.contextmanager
def _no_service_starts() -> Iterator[None]:
    _restore_policy()
    if POLICY.exists():
        POLICY.replace(POLICY_KEPT)
    POLICY.write_text(POLICY_TEXT)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        _restore_policy()


def apt_get(home: lab_home.Home, report: lab_report.Report,
            *arguments: str) -> None:
    """Run apt-get, with its output in a log.

    :raises LabError: it fails, or a lock of apt or dpkg is not released
    """
    log = home.logs / 'apt.log'
    told: set[str] = set()

    def done() -> bool:
        held = _try_apt_get(log, arguments)
        if held is None:
            return True
        if held not in told:
            told.add(held)
            report.say(f'waiting for {held}')
        raise waiting.NotYet(f'{held}; end it or wait, then run the '
                             f'command again')

    waiting.until('apt-get to get its locks', done, PATIENCE, INTERVAL)


def _try_apt_get(log: Path, arguments: tuple[str, ...]) -> str | None:
    """Run apt-get once; return the holder of a lock that it did not get.

    apt-get does not wait for all locks itself.

    :returns: None if apt-get has finished
    """
    with log.open('ab') as output:
        begin = output.tell()
        done = subprocess.run(
            ['apt-get', '-o', 'Dpkg::Options::=--force-confold', *arguments],
            stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive',
                 'NEEDRESTART_MODE': 'l', 'LC_ALL': 'C'})
    if not done.returncode:
        return None
    held = holder(log.read_bytes()[begin:].decode(errors='replace'))
    if held is None:
        raise errors.LabError(
            f'apt-get {arguments[0]} failed with {done.returncode}; '
            f'see the end of {log}, fix it and run the command again')
    return held


def holder(said: str) -> str | None:
    """The holder and the file of a lock, from the output of apt-get.

    :param said: the output, in English
    :returns: None if apt-get failed for another reason
    """
    found = HELD.search(said)
    if found is None:
        return None
    who = 'another process'
    if found['pid']:
        who = f'{found["name"] or "a program"} (process {found["pid"]})'
    return f'{who}, which has the lock {found["file"]}'


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
    # The lab needs the programs, but not the services.
    if units:
        subprocess.run(['systemctl', 'disable', *sorted(units)],
                       capture_output=True)
