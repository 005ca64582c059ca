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
"""lab swift: faults of the object store, and its client.

Imported by ``lab.cli.main``.
"""

import argparse
from collections.abc import Callable

from lab.cli import command
from lab import errors
from lab import home as lab_home
from lab.swift import access
from lab.swift import control
from lab.swift import faults as swift_faults
from lab.swift import objects

GROUP = """\
The object store of the lab is a real Swift: a proxy, and a process with the
account, container and object server. It can be stopped, hang, be slow or full,
answer with errors, and have damaged objects. "lab swift heal" ends all this.
"""
CLIENT = """\
Runs the ordinary client "swift" on the controller, as a user of the object
store. For example:

  lab swift client list database_backups
  lab swift client --as other stat

The users are demo, other, admin and service. In a lab with Keystone they are
those of Keystone.
"""
SHOW = 'Shows the faults that are set, and the space on the disk.'
HEAL = """\
Ends all faults: starts and continues the processes, frees the disk, and ends
"fail" and "slow". Damaged objects stay, and so does the life of tokens.
"""
FAIL = """\
Makes a share of the requests fail, until "heal" or --share 0:

  lab swift fail --share 0.2                       a fifth of all requests
  lab swift fail --share 1 --kind 507 --method PUT
                                                   no upload succeeds
  lab swift fail --share 1 --kind lost --method PUT --times 1
                                                   one answer is lost
  lab swift fail --share 1 --kind cut --text backups
                                                   with "backups" in the path

With the kind "cut" the connection breaks when half of the body is transferred.
With "lost" the request is carried out, and the connection breaks before the
answer. The other kinds are codes of answers; the request is not carried out.
"""
SLOW = """\
Makes the proxy slow until "heal". All requests share the rate, for uploads and
downloads:

  lab swift slow --kib 512            512 KiB per second
  lab swift slow --delay 3            each request waits for 3 seconds first
"""
FULL = """\
Fills the disk of the object server until "heal", except so many MiB. Then the
object server refuses uploads with 507 (Insufficient Storage). Swift's proxy
gives its clients 503, because no object server is left.

  lab swift full
  lab swift full --room 100           full after 100 MiB of new objects
"""
CORRUPT = """\
Changes one byte on the disk in the middle of an object. The next download of
the whole object gets the damaged data; then the object server compares the
checksum, and removes the object. Of a large object, name a segment.
"""
LOSE = """\
Removes an object from the disk. The container still lists it; a download gets
404.
"""
TOKENS = """\
Sets how long tokens are valid. Without Keystone, tokens that exist and are
older are refused from now on, and the proxy is restarted. With Keystone, the
life of new tokens is set, and Keystone is restarted.

  lab swift tokens --seconds 20
  lab swift tokens --default
"""
#: name -> (summary, text of --help, function)
PROCESSES: dict[str, tuple[str, str, Callable[..., None]]] = {
    'stop': (
        'stop it',
        'Stops the processes: connections are refused, until "start".',
        control.stop),
    'start': ('start it', 'Starts the processes that "stop" has stopped.',
              control.start),
    'freeze': (
        'suspend it',
        'Suspends the processes with SIGSTOP: they accept connections and do '
        'not answer, until "thaw".', control.freeze),
    'thaw': ('continue it',
             'Continues the processes that "freeze" has suspended.',
             control.thaw),
}
BOTH = 'both'
KIB = 1024
LEAST_KIB = 8


def register(commands: command.Commands) -> None:
    group = command.add_group(
        commands, 'swift', 'faults of the object store; its client', GROUP)
    parser = command.add(
        group, 'client', 'the ordinary client "swift"', CLIENT, _client)
    _add_who(parser)
    parser.add_argument('arguments', nargs=argparse.REMAINDER,
                        metavar='...', help='arguments of the client')
    command.add(group, 'show', 'faults and space', SHOW, _show)
    for name, (summary, teaching, act) in PROCESSES.items():
        parser = command.add(group, name, summary, teaching, _process)
        parser.add_argument(
            '--part', choices=(*control.PARTS, BOTH), default=BOTH,
            help='the proxy, or the account, container and object server '
                 '(default: %(default)s)')
        parser.set_defaults(act=act)
    _add_faults(group)
    for name, summary, teaching, run in (
            ('corrupt', 'damage an object', CORRUPT, _corrupt),
            ('lose', 'remove an object from the disk', LOSE, _lose)):
        parser = command.add(group, name, summary, teaching, run)
        _add_who(parser)
        parser.add_argument('container', metavar='CONTAINER')
        parser.add_argument('object', metavar='OBJECT')
    parser = command.add(
        group, 'tokens', 'how long tokens are valid', TOKENS, _tokens)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument('--seconds', type=int, metavar='N',
                        help='at least 1')
    choice.add_argument('--default', action='store_true',
                        help='four hours')
    command.add(group, 'heal', 'end all faults', HEAL, _heal)


def _add_faults(group: command.Commands) -> None:
    parser = command.add(
        group, 'fail', 'make a share of the requests fail', FAIL, _fail)
    parser.add_argument('--share', type=float, metavar='SHARE',
                        required=True, help='from 0 (none) to 1 (all)')
    parser.add_argument(
        '--kind', action='append', choices=swift_faults.KINDS,
        help='how they fail; may be given several times, then each kind is '
             'equally likely (default: '
             f'{", ".join(swift_faults.DEFAULT_KINDS)})')
    parser.add_argument(
        '--method', action='append', choices=swift_faults.METHODS,
        help='of requests; may be given several times (default: all)')
    parser.add_argument('--text', default='', metavar='TEXT',
                        help='only requests with this text in their path')
    parser.add_argument('--times', type=int, default=0, metavar='N',
                        help='how many requests fail (default: no limit)')
    parser = command.add(group, 'slow', 'make it slow', SLOW, _slow)
    parser.add_argument('--kib', type=int, default=0, metavar='N',
                        help=f'KiB per second, at least {LEAST_KIB}')
    parser.add_argument('--delay', type=float, default=0, metavar='SECONDS',
                        help='before each request')
    parser = command.add(group, 'full', 'fill its disk', FULL, _full)
    parser.add_argument('--room', type=int, default=0, metavar='MIB',
                        help='space that is left (default: %(default)s)')


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--as', '--project', dest='who', default=lab_home.PROJECT,
        metavar='WHO', help='a project, or a user in a lab with Keystone '
                            '(default: %(default)s)')


def _client(home: lab_home.Home, options: argparse.Namespace) -> int:
    return access.client(home, options.who, options.arguments)


def _show(home: lab_home.Home, options: argparse.Namespace) -> int:
    print(control.in_words(home))
    return 0


def _process(home: lab_home.Home, options: argparse.Namespace) -> int:
    options.act(home, control.PARTS if options.part == BOTH
                else [options.part])
    return 0


def _fail(home: lab_home.Home, options: argparse.Namespace) -> int:
    if not 0 <= options.share <= 1:
        raise errors.LabError(
            f'--share must be from 0 to 1, not {options.share:g}')
    if options.times < 0:
        raise errors.LabError(f'--times must be 0 or more, not '
                              f'{options.times}')
    control.change_faults(
        home, share=options.share,
        kinds=tuple(options.kind or swift_faults.DEFAULT_KINDS),
        methods=tuple(options.method or ()), text=options.text,
        times=options.times)
    return _show(home, options)


def _slow(home: lab_home.Home, options: argparse.Namespace) -> int:
    if options.delay < 0 or (options.kib and options.kib < LEAST_KIB):
        raise errors.LabError(
            f'--delay must be 0 or more, and --kib at least {LEAST_KIB}')
    if not options.delay and not options.kib:
        raise errors.LabError('give --kib or --delay; "lab swift heal" ends '
                              'them')
    control.change_faults(home, delay=options.delay,
                          rate=options.kib * KIB)
    return _show(home, options)


def _full(home: lab_home.Home, options: argparse.Namespace) -> int:
    if options.room < 0:
        raise errors.LabError(f'--room must be 0 or more, not {options.room}')
    control.fill(home, options.room * control.MIB)
    return _show(home, options)


def _corrupt(home: lab_home.Home, options: argparse.Namespace) -> int:
    control.check(home)
    offset = objects.corrupt(
        home, access.account(home, options.who), options.container,
        options.object)
    print(f'byte {offset} of {options.container}/{options.object} is changed')
    return 0


def _lose(home: lab_home.Home, options: argparse.Namespace) -> int:
    control.check(home)
    objects.lose(home, access.account(home, options.who), options.container,
                 options.object)
    return 0


def _tokens(home: lab_home.Home, options: argparse.Namespace) -> int:
    if options.seconds is not None and options.seconds < 1:
        raise errors.LabError(
            f'--seconds must be 1 or more, not {options.seconds}')
    control.set_token_life(home, options.seconds)
    return _show(home, options)


def _heal(home: lab_home.Home, options: argparse.Namespace) -> int:
    control.heal(home)
    return _show(home, options)
