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
"""lab guest: faults and power of one guest.

Imported by ``lab.cli.main``.
"""

import argparse
from collections.abc import Callable

from lab.cli import command
from lab import errors
from lab.guest import control
from lab import home as lab_home

GROUP = """\
Simulates failures of a guest: its database dies, hangs or is stopped, its
power fails, its disk is full, its network is cut, loses packets or is slow.
Trove is not informed.
"""
#: name -> (summary, text of --help, function)
SIMPLE: dict[str, tuple[str, str, Callable[..., object]]] = {
    'kill-db': (
        'SIGKILL to the database server',
        'Kills the database server with SIGKILL, to simulate a crash. Docker '
        'starts the container again.', control.kill_database),
    'freeze-db': (
        'SIGSTOP to the database server',
        'Suspends the server with SIGSTOP: it keeps its connections and does '
        'not answer, until "thaw-db".',
        control.freeze_database),
    'thaw-db': (
        'continue a frozen database server',
        'Continues a server that "freeze-db" has suspended.',
        control.thaw_database),
    'stop-db': (
        'stop the database server cleanly',
        'Stops the database container with a clean shutdown of the server.',
        control.stop_database),
    'start-db': (
        'start the database server',
        'Starts the database container that "stop-db" has stopped, with the '
        'same command as before.', control.start_database),
    'kill-agent': (
        "SIGKILL to Trove's guest agent",
        "Kills Trove's guest agent with SIGKILL, to simulate a crash. The "
        "guest's init starts it again after a second.", control.kill_agent),
    'fill-disk': (
        'fill its volume',
        'Creates a file on the volume that takes all free blocks, so that '
        'the next write that needs one fails. "free-disk" removes it.',
        control.fill_disk),
    'free-disk': (
        'free the space that fill-disk took',
        'Removes the file that "fill-disk" has created on the volume.',
        control.free_disk),
    'off': (
        'cut the power',
        'Cuts the power: all processes end immediately, and data that is not '
        'on the disk yet is lost. The disk stays.', control.power_off),
    'on': (
        'switch the power on',
        'Boots the guest from its disk; its Docker engine and guest agent '
        'start as on a server.', control.power_on),
    'reboot': (
        'restart the guest',
        'Restarts the guest; memory is lost, the disk stays.',
        control.reboot),
}
CUT = """\
Drops all packets of the guest, or with --from only those between it and the
given members. The guest keeps running and keeps its address.
"""
HEAL = """\
Undoes "cut", "lose" and "slow"; with --from only a cut between the guest and
the given members.
"""
LOSE = """\
Loses random packets of the guest in both directions, like a bad cable or an
overloaded switch. 10 percent make all connections slow. From 40 percent on,
the other members may remove the member from the component and let it rejoin.
"""
SLOW = """\
Limits the rate in each direction to so many kilobits per second. Packets that
wait for more than 300 ms are lost. 1000 is a bad line between two sites, which
limits the write rate of a busy cluster.
"""


def register(commands: command.Commands) -> None:
    group = command.add_group(
        commands, 'guest', 'faults and power of one guest', GROUP)
    for name, (summary, teaching, act) in SIMPLE.items():
        parser = command.add(group, name, summary, teaching, _simple)
        command.add_member(parser)
        parser.set_defaults(act=act)
    for name, summary, teaching, act, quantity, unit, most in (
            ('lose', 'lose some of its packets', LOSE, control.lose,
             '--percent', 'of a hundred packets, 1 to 99', 99),
            ('slow', 'make its network slow', SLOW, control.slow,
             '--kbit', 'kilobits per second, at least 8', None)):
        parser = command.add(group, name, summary, teaching, _impair)
        command.add_member(parser)
        parser.add_argument(quantity, dest='quantity', type=int,
                            required=True, metavar='N', help=unit)
        parser.set_defaults(act=act, unit=unit, most=most,
                            least=1 if most else 8)
    for name, summary, teaching, act in (
            ('cut', 'cut its network', CUT, control.cut),
            ('heal', 'restore its network', HEAL, control.heal)):
        parser = command.add(group, name, summary, teaching, _network)
        command.add_member(parser)
        parser.add_argument(
            '--from', dest='peers', nargs='+', metavar='MEMBER', default=[],
            help='only between the guest and these members')
        parser.set_defaults(act=act)


def _simple(home: lab_home.Home, options: argparse.Namespace) -> int:
    guest = control.find(home, options.member)
    options.act(home, guest.instance_id)
    return 0


def _impair(home: lab_home.Home, options: argparse.Namespace) -> int:
    most = options.most or options.quantity
    if not options.least <= options.quantity <= most:
        raise errors.LabError(
            f'{options.quantity} is not {options.unit}')
    guest = control.find(home, options.member)
    options.act(home, guest.instance_id, options.quantity)
    return 0


def _network(home: lab_home.Home, options: argparse.Namespace) -> int:
    guest = control.find(home, options.member)
    peers = [control.find(home, peer).instance_id for peer in options.peers]
    options.act(home, guest.instance_id, peers or None)
    return 0
