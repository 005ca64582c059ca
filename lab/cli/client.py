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
Runs the ordinary "openstack" client against this lab's Trove; everything
after the word "openstack" is the client's. For example:

  lab openstack database cluster list
  lab openstack database cluster show products
  lab openstack help database cluster create

The network for new members has the id that "lab env" prints as LAB_NETWORK.
With "--as PROJECT" as its first words it is for another project than demo;
"--as-admin" is for the project "admin", who may do what an operator of Trove
may. In a lab with Keystone it is a user whom they name: admin, demo,
demo-reader, other or other-reader.
"""
ENV = """\
Prints what the "openstack" client needs as shell exports:

  eval "$(lab env)"
  openstack database cluster list

and the id of the network for new members as LAB_NETWORK, and that of the
latest guest image as LAB_IMAGE. In a lab with Keystone they name a clouds.yaml
that root alone may read, and a user in it; its password is not printed.
"""
SHELL = """\
Opens a shell on the controller, where Trove's services run: its network, its
configuration in /etc/trove and its programs, such as trove-manage and
trove-pxc-status. After the word "shell" comes what it is to run instead of
waiting for you:

  lab shell
  lab shell trove-pxc-status upgrade check

The client works there as well, and LAB_NETWORK and LAB_IMAGE are set.
"""
ADMIN = 'admin'
AS_ADMIN = '--as-admin'
AS = '--as'


def register(commands: command.Commands) -> None:
    parser = command.add(
        commands, 'openstack', "the ordinary client against this lab's Trove",
        OPENSTACK, _never, needs_root=False)
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        metavar='...', help="the client's own words")
    parser = command.add(
        commands, 'env', 'the same as shell exports, to eval', ENV, _env,
        needs_root=False)
    parser.add_argument(
        '--project', '--as', default=lab_home.PROJECT,
        help='or a user, in a lab with Keystone (default: %(default)s)')
    parser = command.add(
        commands, 'shell', 'a shell on the controller', SHELL, _shell)
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        metavar='...', help='a program and its words')


def for_the_client(arguments: Sequence[str]) -> list[str] | None:
    """The client's words if this is "lab openstack ...", or None.

    They are taken before any parser sees them, because they may begin with
    options. A lonely --help is ours.
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
    raise errors.LabError('give the words for the client')


def _env(home: lab_home.Home, options: argparse.Namespace) -> int:
    print(client.exports(home, options.project))
    return 0


def _shell(home: lab_home.Home, options: argparse.Namespace) -> int:
    return controller.shell(home, options.arguments or ['bash', '--norc'])
