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
"""The ordinary ``openstack`` client, configured for the lab's Trove.

Imported by the command line and ``lab.demo``.
"""

from collections.abc import Sequence
import os
import subprocess

from lab.cloud import seed
from lab import errors
from lab import home as lab_home
from lab import identity
from lab.images import datastore


def environment(home: lab_home.Home, project: str) -> dict[str, str]:
    """The environment variables of the client; no secret.

    :param project: with Keystone a user, whose name is that of its project
        unless it is a reader
    """
    if home.with_keystone:
        return {'OS_CLIENT_CONFIG_FILE': identity.clouds_file(home),
                'OS_CLOUD': identity.account(project).name}
    return {
        'OS_AUTH_TYPE': 'none',
        'OS_ENDPOINT':
            f'http://127.0.0.1:{home.api_port}/v1.0/{project}',
    }


def inside(home: lab_home.Home, more: dict[str, str]) -> dict[str, str]:
    """The whole environment of a program on the controller.

    :param more: the variables of the lab's programs
    """
    access = environment(home, lab_home.PROJECT)
    if not home.with_keystone:
        access['OS_ENDPOINT'] = (f'http://127.0.0.1:{lab_home.TROVE_PORT}'
                                 f'/v1.0/{lab_home.PROJECT}')
    return {**_inherited(), **more, **access, **_places(home)}


def exports(home: lab_home.Home, project: str) -> str:
    """The same as lines for a shell to evaluate."""
    unset = [name for name in sorted(os.environ)
             if name.startswith('OS_')
             and name not in environment(home, project)]
    lines = [f'unset {name}' for name in unset]
    lines += [f"export {name}='{value}'"
              for name, value in environment(home, project).items()]
    lines += [f"export {name}='{value}'"
              for name, value in _places(home).items()]
    lines.append(f"export PATH='{home.venv}/bin':\"$PATH\"")
    return '\n'.join(lines)


def _places(home: lab_home.Home) -> dict[str, str]:
    """The IDs of the network and the image for new clusters."""
    found = datastore.images(home)
    return {'LAB_NETWORK': seed.NETWORK_ID,
            'LAB_NETWORK_IPV6': seed.IPV6_NETWORK_ID,
            'LAB_NETWORK_DUAL': seed.DUAL_NETWORK_ID,
            'LAB_IMAGE': found[-1].id if found else ''}


def run(home: lab_home.Home, arguments: Sequence[str],
        project: str = lab_home.PROJECT) -> int:
    """Run the client with this process's output; returns its exit code."""
    return subprocess.run(_argv(home, arguments),
                          env=_whole_environment(home, project)).returncode


def output(home: lab_home.Home, arguments: Sequence[str],
           project: str = lab_home.PROJECT) -> str:
    """The output of the client.

    :raises LabError: it fails; with its message
    """
    done = subprocess.run(
        _argv(home, arguments), env=_whole_environment(home, project),
        capture_output=True, text=True)
    if done.returncode:
        raise errors.LabError(
            f'openstack {" ".join(arguments[:3])}: '
            f'{(done.stderr or done.stdout).strip()}')
    return done.stdout


def _argv(home: lab_home.Home, arguments: Sequence[str]) -> list[str]:
    program = home.venv / 'bin' / 'openstack'
    if not program.exists():
        raise errors.LabError(
            f'the client is not installed in {home.venv}; run "lab up" first')
    return [str(program), *arguments]


def _whole_environment(home: lab_home.Home, project: str) -> dict[str, str]:
    access = environment(home, project)
    if home.with_keystone and os.geteuid() != 0:
        raise errors.LabError(
            f'{identity.clouds_file(home)} contains passwords and is '
            f'readable only by root: run the command as root')
    return {**_inherited(), **access}


def _inherited() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items()
                 if not name.startswith('OS_') and name != 'PYTHONPATH'}
    # The client must not use a proxy of the machine for the loopback.
    return {**inherited, 'NO_PROXY': '127.0.0.1', 'no_proxy': '127.0.0.1'}
