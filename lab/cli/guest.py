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
Does to a guest what befalls servers: its database dies, hangs or is stopped,
its power goes, its disk is full, its network is cut, loses packets or gets
slow. Trove is not told.
"""
#: name -> (summary, what --help teaches, what does it)
SIMPLE: dict[str, tuple[str, str, Callable[..., object]]] = {
    'kill-db': (
        'SIGKILL to the database server',
        'Kills the database server as a crash would. Docker starts the '
        'container again.', control.kill_database),
    'freeze-db': (
        'SIGSTOP to the database server',
        'Stops the server from running, without ending it: it holds its '
        'connections and answers nothing, until "thaw-db".',
        control.freeze_database),
    'thaw-db': (
        'let a frozen database server go on',
        'Lets a server go on that "freeze-db" has stopped.',
        control.thaw_database),
    'stop-db': (
        'stop the database server cleanly',
        'Stops the database container as an orderly shutdown would.',
        control.stop_database),
    'start-db': (
        'start the database server',
        'Starts the database container again that "stop-db" has stopped, '
        'with the command that it was made with.', control.start_database),
    'kill-agent': (
        "SIGKILL to Trove's guest agent",
        "Kills Trove's guest agent as a crash would. The guest's init starts "
        'another one after a second.', control.kill_agent),
    'fill-disk': (
        'leave no space on its volume',
        'Puts a file on the volume that takes every free block, so that the '
        'next write that needs one fails. "free-disk" removes it.',
        control.fill_disk),
    'free-disk': (
        'give the space back that fill-disk took',
        'Removes the file that "fill-disk" has put on the volume.',
        control.free_disk),
    'off': (
        'cut the power',
        'Cuts the power: every process ends at once and what was not yet '
        'written to disk is lost. The disk stays.', control.power_off),
    'on': (
        'switch the power on',
        'Boots the guest from its disk; its Docker engine and guest agent '
        'start as on a server.', control.power_on),
    'reboot': (
        'restart the guest',
        'Restarts the guest; memory is lost and the disk stays.',
        control.reboot),
}
CUT = """\
Drops every packet of the guest, or with --from only those between it and the
members named. The guest keeps running and its address stays.
"""
HEAL = """\
Ends what "cut", "lose" and "slow" did; with --from only a cut between the
guest and the members named.
"""
LOSE = """\
Loses packets of the guest, each by chance, in both directions: as a bad cable
or a crowded switch does. 10 percent make every connection slow; from 40 on
the others may count the member as gone, and let it in again.
"""
SLOW = """\
Lets no more through than so many kilobits a second, in each direction; what
waits for more than 300 ms is lost. 1000 is a bad line between two sites, and
holds a busy cluster back to what it can pass.
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
             '--kbit', 'kilobits a second, from 8 on', None)):
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
            help='only between the guest and these')
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
