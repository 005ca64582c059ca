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

"""The command for a cloud that answers badly.

Imported by ``lab.cli.main``.
"""

import argparse

from lab.cli import command
from lab.cloud import failing
from lab import cloud_api
from lab import errors
from lab import home as lab_home

GROUP = """\
Has the cloud under the lab's Trove misbehave.
"""
FAIL = """\
Has a share of the cloud's answers fail, from now on until it is set to 0, to
see what Trove and this package make of it:

  lab cloud fail --share 0.2                        a fifth of all answers
  lab cloud fail --share 0.5 --service nova         half of Nova's
  lab cloud fail --share 1 --service neutron --kind 503
                                                    Neutron is away
  lab cloud fail --share 0                          all is well again
  lab cloud fail                                    shows what is set

Of an answer of the kind "timeout" the request was carried out: the server is
made, and nobody is told. Of all others it was not.
"""


def register(commands: command.Commands) -> None:
    group = command.add_group(
        commands, 'cloud', 'have the cloud answer badly', GROUP)
    parser = command.add(
        group, 'fail', 'have a share of its answers fail', FAIL, _fail)
    parser.add_argument('--share', type=float, metavar='SHARE',
                        help='from 0 (none) to 1 (all)')
    parser.add_argument('--service', default=failing.ALL,
                        choices=(*failing.SERVICES, failing.ALL),
                        help='whose answers (default: %(default)s)')
    parser.add_argument(
        '--kind', action='append', choices=failing.KINDS,
        help='how they fail; may be given several times, and then each is '
             f'as likely (default: {", ".join(failing.DEFAULT_KINDS)})')


def _fail(home: lab_home.Home, options: argparse.Namespace) -> int:
    if options.share is not None and not 0 <= options.share <= 1:
        raise errors.LabError(
            f'--share is from 0 to 1, not {options.share:g}')
    if not home.exists:
        raise errors.LabError('there is no lab yet; run "lab up"')
    if options.share is None:
        print(in_words(cloud_api.request(home, 'GET', '/lab/failing')))
    else:
        print(in_words(cloud_api.request(home, 'PUT', '/lab/failing', {
            'share': options.share, 'service': options.service,
            'kinds': options.kind})))
    return 0


def in_words(answer: dict[str, dict[str, object]]) -> str:
    """What the cloud says of it, for people."""
    set_now = answer['failing']
    share, services, kinds = (
        set_now[key] for key in ('share', 'services', 'kinds'))
    if not share:
        return 'The cloud answers as it should.'
    assert isinstance(services, list) and isinstance(kinds, list)
    named = [name for name, service in failing.SERVICES.items()
             if service in services]
    return (f'{share:.0%} of the answers of {", ".join(named)} fail: '
            f'{", ".join(kinds)}.')
