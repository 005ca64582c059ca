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
"""lab status and lab logs.

Imported by ``lab.cli.main``.
"""

import argparse
import json

from lab.cli import command
from lab import home as lab_home
from lab import logs
from lab import status

STATUS = """\
Shows which services are up. For each guest it shows the power, whether it is
cut off from the network, and the state of its database container. For each
cluster it shows the states of the members in Trove and in their servers
(state, component, size, last committed transaction).
"""
LOGS = """\
Shows the end of a log. WHO is a service (rabbitmq, mariadb, keystone,
swift-storage, swift-proxy, cloud, api, conductor, taskmanager, forwarder), a
guest like products-2 (its init, Docker engine and guest agent), or a name from
the list that "lab logs" prints without WHO.
"""


def register(commands: command.Commands) -> None:
    parser = command.add(
        commands, 'status', 'services, guests, clusters', STATUS, _status)
    command.add_json(parser)
    parser = command.add(commands, 'logs', 'the end of a log', LOGS, _logs,
                         needs_root=False)
    parser.add_argument('who', metavar='WHO', nargs='?',
                        help='a service or a guest; without: list the logs')
    parser.add_argument('-f', '--follow', action='store_true',
                        help='also print new lines')
    parser.add_argument('-n', '--lines', type=int, default=50,
                        help='number of lines (default: %(default)s)')


def _status(home: lab_home.Home, options: argparse.Namespace) -> int:
    state = status.collect(home)
    print(json.dumps(state, indent=2) if options.json
          else status.in_words(state))
    return 0


def _logs(home: lab_home.Home, options: argparse.Namespace) -> int:
    if options.who is None:
        print(logs.listed(home))
    else:
        logs.show(home, options.who, options.lines, options.follow)
    return 0
