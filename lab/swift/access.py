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

"""The accounts of projects in Swift, and the ordinary client ``swift``.

Imported by ``lab.cli.swift`` and the end-to-end tests.
"""

from collections.abc import Sequence
import subprocess

from lab import errors
from lab import home as lab_home
from lab import identity
from lab import netns
from lab import process
from lab.swift import conf


def account(home: lab_home.Home, who: str) -> str:
    """The account of a project.

    :param who: a project; in a lab with Keystone a user of one
    """
    _check(home, who)
    project = identity.login(home, who).project_id \
        if home.with_keystone else who
    return f'{lab_home.SWIFT_PREFIX}{project}'


def environment(home: lab_home.Home, who: str) -> dict[str, str]:
    """The variables of the client, with a password or a token."""
    _check(home, who)
    if home.with_keystone:
        login = identity.login(home, who)
        return {'OS_AUTH_TOKEN': login.token,
                'OS_STORAGE_URL': f'{home.swift_url}{login.project_id}'}
    return {'ST_AUTH': home.swift_login_url, 'ST_USER': f'{who}:{who}',
            'ST_KEY': conf.password(home, who)}


def client(home: lab_home.Home, who: str, words: Sequence[str]) -> int:
    """Run the client on the controller; return its exit code."""
    if not netns.exists(home.controller):
        raise errors.LabError('the lab is not up; run "lab up" first')
    return subprocess.run(
        netns.inside(home.controller,
                     [str(home.venv / 'bin' / 'swift'), *words]),
        env={**process.environment(home), **environment(home, who)}
    ).returncode


def _check(home: lab_home.Home, who: str) -> None:
    if home.with_keystone:
        identity.account(who)
    elif who not in conf.PROJECTS:
        raise errors.LabError(
            f'the object store has no user {who}; it has '
            f'{", ".join(conf.PROJECTS)}')
