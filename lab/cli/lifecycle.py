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
"""lab up, demo and down.

Imported by ``lab.cli.main``.
"""

import argparse
import os

from lab.cli import command
from lab import demo
from lab import down
from lab import errors
from lab import home as lab_home
from lab import lock
from lab import preflight
from lab import report as lab_report
from lab import up
from lab import venv

UP = """\
Installs, builds and starts everything: missing Debian packages, a Python
environment with Trove and its clients, the database image, and the services.
It prints the time of each part. Parts that exist are not changed, so it can be
run at any time; it also starts a service that has died. The first run takes
some minutes, later runs take seconds.

With --keystone it also starts a real Keystone, which authenticates all
requests. "lab env" and "lab openstack" then log in as demo, or with --project
or --as as admin, demo-reader, other or other-reader.

With --plain it installs Trove without this project and without a datastore.
The documentation describes the next steps.
"""
DEMO = """\
Starts the lab and creates a cluster "products" of three MariaDB servers
through Trove's API. It prints the progress of each member until all are
Synced, shows the cluster with the ordinary client, writes a row through each
member, and reads all rows from each other member. The exit code is 0 only if
all of this succeeds. If a healthy cluster "products" exists, it is used.
"""
DOWN = """\
Stops all services and guests. This removes the clusters, their data and
Trove's tables with the datastores. The packages, the Python environment and
the images are kept, so that the next "lab up" takes seconds. It also cleans up
after a lab that was killed.
"""


def register(commands: command.Commands) -> None:
    up_parser = command.add(
        commands, 'up', 'install, build and start everything', UP, _up)
    demo_parser = command.add(
        commands, 'demo', 'up, then create and test a cluster', DEMO,
        _demo)
    for parser in (up_parser, demo_parser):
        parser.add_argument(
            '--debug', action=argparse.BooleanOptionalAction, default=None,
            help="log Trove's services and guest agents at debug level")
        parser.add_argument(
            '--keystone', action=argparse.BooleanOptionalAction,
            default=None,
            help='start a real Keystone with two projects and three roles; '
            'a running lab is not changed')
        if parser is up_parser:
            parser.add_argument(
                '--plain', action=argparse.BooleanOptionalAction,
                default=None,
                help='do not install this project in Trove; a running lab is '
                'not changed')
        parser.add_argument(
            '--trove-version', metavar='VERSION',
            help=f'the release of Trove, such as 25.0.0 (default: as before, '
                 f'at first {venv.DEFAULT_TROVE})')
    parser = command.add(
        commands, 'down', 'stop everything', DOWN, _down)
    parser.add_argument(
        '--purge', action='store_true',
        help='also remove LAB_HOME; only Debian packages are kept')


def _up(home: lab_home.Home, options: argparse.Namespace) -> int:
    _bring_up(home, options, lab_report.Report())
    return 0


def _demo(home: lab_home.Home, options: argparse.Namespace) -> int:
    report = lab_report.Report()
    _bring_up(home, options, report)
    demo.demo(home, report)
    report.say('the demo succeeded; look around with "lab status", '
               '"lab sql" and "lab openstack"')
    return 0


def _down(home: lab_home.Home, options: argparse.Namespace) -> int:
    report = lab_report.Report()
    if not home.root.exists():
        report.say(f'there is no lab in {home.root}')
        return 0
    with lock.held(home):
        if options.purge:
            down.purge(home, report)
        else:
            down.down(home, report)
    return 0


def _bring_up(home: lab_home.Home, options: argparse.Namespace,
              report: lab_report.Report) -> None:
    wanted = _wanted(home, options)
    preflight.check(home, {
        'LAB_API_PORT': wanted.api_port,
        **({'LAB_KEYSTONE_PORT': wanted.keystone_port}
           if wanted.keystone else {})}, wanted.trove_version)
    with lock.held(home):
        up.up(home, report, wanted)


def _wanted(home: lab_home.Home, options: argparse.Namespace) -> up.Wanted:
    """The requested configuration; a running lab must have it already."""
    runs = up.runs(home)
    port = _port('LAB_API_PORT', home.api_port)
    keystone = options.keystone
    if keystone is None:
        keystone = runs and home.with_keystone
    plain = getattr(options, 'plain', None)
    if plain is None:
        plain = runs and home.plain
    step = port - home.api_port
    asked = up.Wanted(
        port, keystone,
        _port('LAB_KEYSTONE_PORT', home.keystone_port + step),
        plain, options.debug, options.trove_version)
    if runs:
        is_so, is_to_be = _in_words(home), _in_words(asked)
        if is_so != is_to_be:
            raise errors.LabError(
                f'the lab in {home.root} runs with {is_so}: run "lab down" '
                f'before you change it to {is_to_be}')
    return asked


def _in_words(lab: lab_home.Home | up.Wanted) -> str:
    keystone = (lab.with_keystone if isinstance(lab, lab_home.Home)
                else lab.keystone)
    return f'port {lab.api_port} ' + (
        f"and Keystone's {lab.keystone_port}" if keystone
        else 'and without Keystone') + (
        ' and without this project' if lab.plain else '')


def _port(variable: str, default: int) -> int:
    wanted = os.environ.get(variable) or str(default)
    if not wanted.isdigit() or not 0 < int(wanted) < 65536:
        raise errors.LabError(
            f'{variable}={wanted} is not a port; give a number below 65536')
    return int(wanted)
