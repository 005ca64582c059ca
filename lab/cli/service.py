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
"""lab service: faults of the services.

Imported by ``lab.cli.main``.
"""

import argparse

from lab.cli import command
from lab import errors
from lab import home as lab_home
from lab.services import all as all_services

GROUP = """\
Kills, starts or restarts one service of the controller, to test how the others
handle it. "lab up" starts all services that are down.
"""
KILL = 'Kills a service with SIGKILL, to simulate a crash.'
START = 'Starts a service that is down, and waits until it answers.'
RESTART = 'Stops a service cleanly, and starts it again.'


def register(commands: command.Commands) -> None:
    group = command.add_group(
        commands, 'service', 'kill, start or restart one service', GROUP)
    for name, teaching, run in (('kill', KILL, _kill),
                                ('start', START, _start),
                                ('restart', RESTART, _restart)):
        parser = command.add(group, name, teaching, teaching, run)
        parser.add_argument('name', metavar='NAME',
                            choices=all_services.NAMES,
                            help=', '.join(all_services.NAMES))


def _kill(home: lab_home.Home, options: argparse.Namespace) -> int:
    service = all_services.service(home, options.name)
    if not service.kill():
        raise errors.LabError(f'{options.name} is not running')
    return 0


def _start(home: lab_home.Home, options: argparse.Namespace) -> int:
    if not home.exists:
        raise errors.LabError('there is no lab yet; run "lab up"')
    service = all_services.service(home, options.name)
    service.configure()
    service.start()
    service.wait_up()
    return 0


def _restart(home: lab_home.Home, options: argparse.Namespace) -> int:
    all_services.service(home, options.name).stop()
    return _start(home, options)
