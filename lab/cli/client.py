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
"""lab openstack and lab env.

Imported by ``lab.cli.main``.
"""

import argparse
from collections.abc import Sequence

from lab.cli import command
from lab import client
from lab import controller
from lab import errors
from lab import home as lab_home

OPENSTACK = """\
Runs the ordinary "openstack" client with this lab's Trove. All arguments
after the word "openstack" are passed to the client. For example:

  lab openstack database cluster list
  lab openstack database cluster show products
  lab openstack help database cluster create

"lab env" prints the ID of the network for new members as LAB_NETWORK. The
first arguments may be "--as PROJECT" for another project than demo, or
"--as-admin" for the project "admin", which has the rights of an operator of
Trove. In a lab with Keystone they name a user: admin, demo, demo-reader,
other or other-reader.
"""
ENV = """\
Prints the variables for the "openstack" client as shell exports:

  eval "$(lab env)"
  openstack database cluster list

and the ID of the network for new members as LAB_NETWORK, and that of the
latest guest image as LAB_IMAGE. In a lab with Keystone the variables name a
clouds.yaml that only root may read, and a user in it; the password is not
printed.
"""
SHELL = """\
Opens a shell on the controller, where Trove's services run. It has their
network, their configuration in /etc/trove and their programs, such as
trove-manage and trove-pxc-status. With arguments after the word "shell", it
runs that program instead:

  lab shell
  lab shell trove-pxc-status upgrade check

The client works there, too, and LAB_NETWORK and LAB_IMAGE are set.
"""
ADMIN = 'admin'
AS_ADMIN = '--as-admin'
AS = '--as'


def register(commands: command.Commands) -> None:
    parser = command.add(
        commands, 'openstack', "the ordinary client with this lab's Trove",
        OPENSTACK, _never, needs_root=False)
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        metavar='...', help='arguments of the client')
    parser = command.add(
        commands, 'env', 'its variables as shell exports', ENV, _env,
        needs_root=False)
    parser.add_argument(
        '--project', '--as', default=lab_home.PROJECT,
        help='or a user, in a lab with Keystone (default: %(default)s)')
    parser = command.add(
        commands, 'shell', 'a shell on the controller', SHELL, _shell)
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        metavar='...', help='a program and its arguments')


def for_the_client(arguments: Sequence[str]) -> list[str] | None:
    """The client's arguments if this is "lab openstack ...", or None.

    They are not parsed, because they may begin with options. A single --help
    is for the lab.
    """
    if not arguments or arguments[0] != 'openstack':
        return None
    words = list(arguments[1:])
    return None if words in (['--help'], ['-h']) else words


def openstack(home: lab_home.Home, words: list[str]) -> int:
    """Run the client; returns its exit code."""
    if words[:1] == [AS_ADMIN]:
        return client.run(home, words[1:], ADMIN)
    if words[:1] == [AS] and len(words) > 1:
        return client.run(home, words[2:], words[1])
    return client.run(home, words)


def _never(home: lab_home.Home, options: argparse.Namespace) -> int:
    raise errors.LabError('give the arguments for the client')


def _env(home: lab_home.Home, options: argparse.Namespace) -> int:
    print(client.exports(home, options.project))
    return 0


def _shell(home: lab_home.Home, options: argparse.Namespace) -> int:
    return controller.shell(home, options.arguments or ['bash', '--norc'])
