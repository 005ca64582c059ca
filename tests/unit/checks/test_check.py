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

"""Running checks, and their results."""

from collections.abc import Iterator

import testtools

from trove_pxc.checks import check


def right(place: str) -> Iterator[check.Fault]:
    return iter(())


def wrong(place: str) -> Iterator[check.Fault]:
    yield check.Fault(f'{place} is wrong.')


def doubtful(place: str) -> Iterator[check.Fault]:
    yield check.Fault('It could be better.', fatal=False)
    yield check.Fault('And quicker.', fatal=False)


def unasked(place: str) -> Iterator[check.Fault]:
    raise AssertionError('it needs what is wrong')


def half_unseen(place: str) -> Iterator[check.Finding]:
    yield check.Fault('It could be better.', fatal=False)
    yield check.NotChecked('the rest is elsewhere.')


class AskTest(testtools.TestCase):

    def ask(self, *checks: check.Check) -> list[check.Outcome]:
        return check.ask(checks, 'trove.conf')

    def test_each_in_its_order(self) -> None:
        outcomes = self.ask(check.Check('a', right, 'A is right.'),
                            check.Check('b', wrong, 'B is right.'),
                            check.Check('c', doubtful, 'C is right.'))
        self.assertEqual(
            ['A is right.', 'trove.conf is wrong.',
             'It could be better. And quicker.'],
            [outcome.text for outcome in outcomes])
        self.assertEqual([False, True, False],
                         [outcome.is_fatal for outcome in outcomes])

    def test_what_could_not_be_looked_at(self) -> None:
        outcome, following = self.ask(
            check.Check('a', half_unseen, 'A is right.'),
            check.Check('b', right, 'B is right.', ('a',)))
        self.assertEqual(
            'It could be better. Not checked: the rest is elsewhere.',
            outcome.text)
        self.assertFalse(outcome.is_complete)
        self.assertTrue(following.is_complete)

    def test_what_needs_a_wrong_one_is_not_asked(self) -> None:
        outcomes = self.ask(
            check.Check('a', wrong, 'A is right.'),
            check.Check('b', unasked, 'B is right.', ('a',)),
            check.Check('c', unasked, 'C is right.', ('b',)))
        self.assertEqual([True, False, False],
                         [outcome.is_complete for outcome in outcomes])
        self.assertEqual(['a', 'b'], [outcome.blocked_by
                                      for outcome in outcomes[1:]])
        self.assertEqual('Not checked until "b" succeeds.',
                         outcomes[2].text)

    def test_what_needs_a_doubtful_one_is_asked(self) -> None:
        outcomes = self.ask(
            check.Check('a', doubtful, 'A is right.'),
            check.Check('b', right, 'B is right.', ('a',)))
        self.assertEqual('B is right.', outcomes[1].text)
