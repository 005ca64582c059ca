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

"""lab cloud: failures of the cloud's API.

Imported by ``lab.cli.main``.
"""

import argparse

from lab.cli import command
from lab.cloud import failing
from lab import cloud_api
from lab import errors
from lab import home as lab_home

GROUP = """\
Makes the cloud of the lab's Trove fail.
"""
FAIL = """\
Makes a share of the cloud's answers fail until the share is set to 0, to test
how Trove and this package handle it:

  lab cloud fail --share 0.2                        a fifth of all answers
  lab cloud fail --share 0.5 --service nova         half of Nova's
  lab cloud fail --share 1 --service neutron --kind 503
                                                    Neutron is down
  lab cloud fail --share 0                          no failures any more
  lab cloud fail                                    shows the settings

With the kind "timeout" the cloud runs the request, for example it creates the
server, but does not answer in time. With all other kinds it does not run it.
"""


def register(commands: command.Commands) -> None:
    group = command.add_group(
        commands, 'cloud', 'make the cloud fail', GROUP)
    parser = command.add(
        group, 'fail', 'make a share of its answers fail', FAIL, _fail)
    parser.add_argument('--share', type=float, metavar='SHARE',
                        help='from 0 (none) to 1 (all)')
    parser.add_argument('--service', default=failing.ALL,
                        choices=(*failing.SERVICES, failing.ALL),
                        help='of which service (default: %(default)s)')
    parser.add_argument(
        '--kind', action='append', choices=failing.KINDS,
        help='how they fail; may be given several times, then each kind is '
             'equally likely (default: '
             f'{", ".join(failing.DEFAULT_KINDS)})')


def _fail(home: lab_home.Home, options: argparse.Namespace) -> int:
    if options.share is not None and not 0 <= options.share <= 1:
        raise errors.LabError(
            f'--share must be from 0 to 1, not {options.share:g}')
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
    """The settings of the cloud as text."""
    set_now = answer['failing']
    share, services, kinds = (
        set_now[key] for key in ('share', 'services', 'kinds'))
    if not share:
        return 'No answers of the cloud fail.'
    assert isinstance(services, list) and isinstance(kinds, list)
    named = [name for name, service in failing.SERVICES.items()
             if service in services]
    return (f'{share:.0%} of the answers of {", ".join(named)} fail: '
            f'{", ".join(kinds)}.')
