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

"""The certificate that expires first, and when the warning appears."""

import datetime
import itertools

import testtools

from trove_pxc.galera import expiry
from trove_pxc.galera import view

NOW = datetime.datetime(2026, 11, 30, 8, 0, tzinfo=datetime.timezone.utc)
SECOND = datetime.timedelta(seconds=1)


def report(left: datetime.timedelta | None) -> view.MemberReport:
    """The report of a member whose certificate is valid for this time."""
    return view.MemberReport(
        server=view.ServerState.RUNNING, view=None, data_bytes=0,
        started=True, exit_code=None, error='',
        certificate_ends=None if left is None else NOW + left)


def warning(**left: datetime.timedelta | None) -> str:
    return expiry.warning(
        {name: report(each) for name, each in left.items()}, NOW)


class EndsTest(testtools.TestCase):

    def test_only_members_that_told_it(self) -> None:
        day = datetime.timedelta(days=1)
        self.assertEqual({'a': NOW + day}, expiry.ends(
            {'a': report(day), 'b': report(None), 'c': None}))


class WarningTest(testtools.TestCase):

    def test_nothing_is_known(self) -> None:
        self.assertEqual('', expiry.warning({}, NOW))
        self.assertEqual('', expiry.warning({'a': None}, NOW))
        self.assertEqual('', warning(a=None))

    def test_thirty_days_before_the_end(self) -> None:
        limit = datetime.timedelta(days=30)
        self.assertEqual('The certificate of a expires on 2026-12-30.',
                         warning(a=limit))
        self.assertEqual('', warning(a=limit + SECOND))

    def test_the_end_itself(self) -> None:
        expired = ('The certificate of a expired on 2026-11-30: a member '
                   'that stops cannot rejoin.')
        self.assertEqual(expired, warning(a=0 * SECOND))
        self.assertEqual('The certificate of a expires on 2026-11-30.',
                         warning(a=SECOND))

    def test_the_first_is_named_wherever_it_stands(self) -> None:
        days = {'a': 20, 'b': 3, 'c': 400}
        for order in itertools.permutations(days):
            self.assertEqual(
                'The certificate of b expires on 2026-12-03.',
                warning(**{name: datetime.timedelta(days=days[name])
                           for name in order}))
