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

"""The versions of everything under test, for the head of the report."""

import os
from pathlib import Path
import platform
import subprocess
import time

from lab import home as lab_home
from lab import venv
from tests.conformance import check
from tests.conformance import subject as subjects

TOP = Path(__file__).resolve().parents[2]
#: PXC 8 has its backup program in a separate folder.
PROGRAMS = """
for program in mariadb-backup mariabackup innobackupex xtrabackup \
        /usr/bin/pxc_extra/pxb-*/bin/xtrabackup; do
    if command -v "$program" > /dev/null; then
        "$program" --version 2>&1 | grep -E 'version|based on' | tail -n 1
        break
    fi
done
command -v rsync > /dev/null && rsync --version | head -n 1
command -v socat > /dev/null && socat -V | grep 'socat version'
sed -n 's/^PRETTY_NAME=/image: /p' /etc/os-release | tr -d '"'
"""


def of_run(home: lab_home.Home, image: str, wanted: str) -> dict[str, str]:
    """What is known before there is a cluster."""
    return {
        'date': time.strftime('%Y-%m-%d', time.gmtime()),
        'command': wanted,
        'image': image,
        'plugin': commit(TOP),
        'Trove': venv.trove_version(home),
        'machine': f'{_system()}, {os.cpu_count()} cores, '
                   f'{_memory_gib():.0f} GiB',
        'kernel': f'{platform.system()} {platform.release()}',
    }


def of_subject(subject: subjects.Subject) -> dict[str, str]:
    """The versions that the servers report; empty without an answer."""
    try:
        first = subject.members[0]
        [(version, comment)] = first.ask(
            'SELECT VERSION(), @@version_comment')
        [(_, provider)] = first.ask(
            "SHOW GLOBAL STATUS LIKE 'wsrep_provider_version'")
        said = subject.inside(first, 'sh', '-c', PROGRAMS)
    except (check.Stopped, *subjects.EXPECTED):
        return {}
    tools = [' '.join(line.split()) for line in said.splitlines()
             if line.strip() and not line.startswith('image: ')]
    system = [line.removeprefix('image: ') for line in said.splitlines()
              if line.startswith('image: ')]
    return {'server': f'{version} ({comment})',
            'Galera provider': str(provider),
            'SST tools': '; '.join(tools),
            'system of the image': ''.join(system)}


def commit(top: Path) -> str:
    """The commit of the checkout, and whether it has local changes."""
    def git(*words: str) -> str:
        done = subprocess.run(
            ['git', '-c', 'safe.directory=*', '-C', str(top), *words],
            capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ''

    try:
        head = git('rev-parse', '--short=12', 'HEAD')
        changed = git('status', '--porcelain', '--untracked-files=no')
    except FileNotFoundError:
        return 'no git here'
    if not head:
        return 'no git checkout'
    return f'commit {head}' + (' and local changes' if changed else '')


def _system() -> str:
    try:
        return platform.freedesktop_os_release()['PRETTY_NAME']
    except (OSError, KeyError):
        return 'unknown system'


def _memory_gib() -> float:
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30
