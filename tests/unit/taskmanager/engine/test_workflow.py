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

"""How steps run, and the failure of a step."""

from collections.abc import Sequence
import dataclasses
import types
from typing import Any

import fixtures
from novaclient import exceptions as nova_exceptions
from oslo_db import exception as db_exceptions
import testtools
from trove.common import cfg

from tests.unit import clock
from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import workflow

CONF = cfg.CONF
conf.register(CONF)
BUSY = nova_exceptions.ClientException(503, 'busy')


class Journal:
    """An operation that records its steps."""

    name = 'create'
    remedy = 'delete the cluster'
    cluster_id = 'some-cluster'

    def __init__(self) -> None:
        self.at: Any = None
        self.subject: Any = None
        self.lines: list[str] = []
        self.finished: set[str] = set()
        self.members = [
            types.SimpleNamespace(
                name=f'c-{number}', id=f'id-{number}',
                options=CONF.get('mariadb'))
            for number in (1, 2, 3)]
        self.found = Found((), ())
        self.begin: Any = lambda: None

    def check(self) -> None:
        self.lines.append('check')


def step(name: str, error: Exception | None = None) -> Any:
    def done(journal: Journal, member: Any) -> bool:
        return f'{name} {member.name}' in journal.finished

    def do(journal: Journal, member: Any) -> None:
        journal.lines.append(f'{name} {member.name}')
        if error is not None:
            raise error
        journal.finished.add(f'{name} {member.name}')
    return workflow.Step(name, 'to be so', 'verify_timeout', done, do)


def all_of(journal: Journal) -> Sequence[Any]:
    return journal.members


def first_of(journal: Journal) -> Sequence[Any]:
    return journal.members[:1]


class RunTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.journal = Journal()
        self.phases = (
            workflow.Each(first_of, (step('a'), step('b'))),
            workflow.Each(all_of, (step('c'), step('d'))))

    def done(self) -> list[str]:
        return [line for line in self.journal.lines if line != 'check']

    def test_each_member_goes_through_its_steps(self) -> None:
        workflow.run(self.journal, self.phases)
        self.assertEqual(
            ['a c-1', 'b c-1', 'c c-1', 'd c-1', 'c c-2', 'd c-2',
             'c c-3', 'd c-3'], self.done())

    def test_what_is_done_is_not_done_again(self) -> None:
        self.journal.finished = {'a c-1', 'c c-1', 'd c-1', 'c c-2'}
        workflow.run(self.journal, self.phases)
        self.assertEqual(['b c-1', 'd c-2', 'c c-3', 'd c-3'], self.done())

    def test_what_is_to_be_taken_anew_in_each_run_is(self) -> None:
        one = dataclasses.replace(step('a'), done=workflow.never)
        workflow.run(self.journal, [workflow.Each(first_of, (one, one))])
        self.assertEqual(['check', 'a c-1'] * 2, self.journal.lines)

    def test_before_each_step_it_looks_whether_to_go_on(self) -> None:
        workflow.run(self.journal, self.phases)
        self.assertEqual(['check'] * 8, self.journal.lines[::2])

    def test_an_error_ends_it_where_it_stands(self) -> None:
        broken = workflow.Each(all_of, (step('e', KeyError('x')),))
        self.assertRaises(KeyError, workflow.run, self.journal,
                          (self.phases[0], broken, self.phases[1]))
        self.assertEqual(['a c-1', 'b c-1', 'e c-1'], self.done())
        self.assertEqual('e', self.journal.at.name)
        self.assertEqual('c-1', self.journal.subject.name)


class FoundTest(testtools.TestCase):
    """The result of a step is the knowledge of the next one."""

    def setUp(self) -> None:
        super().setUp()
        self.journal = Journal()
        self.before = self.journal.found

    def step(self, history: str | None,
             error: Exception | None = None) -> Any:
        """A step that returns this; None: no new knowledge."""
        def do(journal: Journal, member: Any) -> Found | None:
            journal.lines.append(f'knows {journal.found.history!r}')
            if error is not None:
                raise error
            return history and dataclasses.replace(
                journal.found, history=history)
        return workflow.Step('look', 'to be so', 'verify_timeout',
                             workflow.never, do)

    def run_steps(self, *steps: Any) -> list[str]:
        workflow.run(self.journal, [workflow.Each(first_of, steps)])
        return [line for line in self.journal.lines if line != 'check']

    def test_it_is_known_to_the_next_step(self) -> None:
        self.assertEqual(
            ["knows ''", "knows 'a'", "knows 'b'"],
            self.run_steps(self.step('a'), self.step('b'), self.step('c')))
        self.assertEqual('c', self.journal.found.history)
        self.assertEqual('', self.before.history)

    def test_nothing_new_takes_nothing_away(self) -> None:
        self.assertEqual(["knows ''", "knows 'a'", "knows 'a'"],
                         self.run_steps(self.step('a'), self.step(None),
                                        self.step(None)))

    def test_a_step_that_is_done_already_finds_nothing(self) -> None:
        self.run_steps(dataclasses.replace(
            self.step('a'), done=lambda journal, member: True))
        self.assertIs(self.before, self.journal.found)

    def test_a_step_that_fails_leaves_what_was_known(self) -> None:
        self.assertRaises(KeyError, self.run_steps, self.step('a'),
                          self.step('b', KeyError('x')))
        self.assertEqual('a', self.journal.found.history)

    def test_the_look_before_the_first_step(self) -> None:
        """The check before the first step uses what begin() found."""
        self.journal.begin = lambda: dataclasses.replace(
            self.journal.found, history='a')
        self.journal.check = lambda: self.journal.lines.append(
            self.journal.found.history)
        workflow.begin(self.journal)
        self.assertEqual(['a'], self.journal.lines)


class RepeatTest(testtools.TestCase):
    """Temporary errors of direct calls of a step to the cloud."""

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.clock = self.useFixture(clock.Clock())
        self.journal = Journal()

    def run_with(self, *errors: Exception | None) -> None:
        left = list(errors)

        def do(journal: Journal, member: Any) -> None:
            journal.lines.append('do')
            error = left.pop(0)
            if error is not None:
                raise error
        workflow.run(self.journal, (workflow.Each(first_of, (workflow.Step(
            'join', 'to be so', 'verify_timeout',
            lambda journal, member: False, do),)),))

    def test_the_step_is_taken_again(self) -> None:
        self.run_with(BUSY, BUSY, None)
        self.assertEqual(['check', 'do'] * 3, self.journal.lines)
        self.assertIn('Nova answers 503', self.log.output)

    def test_until_its_time_is_over(self) -> None:
        late = self.assertRaises(exceptions.DeadlineExceeded, self.run_with,
                                 *[BUSY] * 1000)
        self.assertEqual(60, self.clock.now)
        failed = workflow.failure(self.journal, late)
        self.assertEqual((), failed.blamed)
        self.assertIn('Nova answers 503: busy', failed.cause)
        self.assertEqual('when the named service answers again: '
                         'delete the cluster', failed.next_action)

    def test_the_time_begins_with_the_first_error(self) -> None:
        """The time that it waited before does not count."""
        self.clock.advance(3600)
        self.run_with(BUSY, None)

    def test_what_stays_ends_it(self) -> None:
        self.assertRaises(nova_exceptions.Forbidden, self.run_with,
                          nova_exceptions.Forbidden(403))
        self.assertEqual(0, self.clock.now)

    def test_the_look_before_the_first_step(self) -> None:
        begins = [BUSY, db_exceptions.DBConnectionError(Exception('lost'))]

        def begin() -> None:
            if begins:
                raise begins.pop()
        self.journal.begin = begin
        workflow.begin(self.journal)
        self.assertEqual(1.0, self.clock.now)
        self.journal.members = []
        workflow.begin(self.journal)


class FailureTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.journal = Journal()
        self.journal.at = step('join')
        self.journal.subject = self.journal.members[1]

    def failure(self, error: Exception) -> exceptions.StepFailed:
        return workflow.failure(self.journal, error)

    def test_the_member_of_the_step_is_blamed(self) -> None:
        failed = self.failure(KeyError('x'))
        self.assertEqual(('id-2',), failed.blamed)
        self.assertEqual('join of c-2', failed.step)

    def test_the_member_that_an_error_names_is_blamed(self) -> None:
        failed = self.failure(
            exceptions.MemberFailed('c-3', 'id-3', 'no disk.'))
        self.assertEqual(('id-3',), failed.blamed)
        self.assertEqual('c-3: no disk', failed.cause)
        failed = self.failure(
            exceptions.MemberFailed('c-1', 'id-1', 'no disk.'))
        self.assertEqual(('id-1',), failed.blamed)
        self.assertEqual('c-1: no disk', failed.cause)

    def test_its_own_member_is_not_named_twice(self) -> None:
        failed = self.failure(
            exceptions.MemberFailed('c-2', 'id-2', 'no disk'))
        self.assertEqual('no disk', failed.cause)

    def test_an_error_with_advice_names_the_next_action(self) -> None:
        for error, blamed in (
                (exceptions.ServerGone('c-3', 'id-3', 'gone', 'Grow.'),
                 ('id-3',)),
                (exceptions.PortGone('c-3 has no port', 'Grow.'), ())):
            failed = self.failure(error)
            self.assertEqual(('Grow', blamed),
                             (failed.next_action, failed.blamed))

    def test_nobody_is_blamed_for_a_refused_bootstrap(self) -> None:
        failed = self.failure(exceptions.BootstrapRefused('c-3 holds data'))
        self.assertEqual((), failed.blamed)
        self.assertIn('check the data', failed.next_action)

    def test_nobody_is_blamed_where_members_do_not_agree(self) -> None:
        failed = self.failure(exceptions.ClusterInconsistent('two sizes'))
        self.assertEqual((), failed.blamed)

    def test_a_refused_recovery_has_its_own_advice(self) -> None:
        failed = self.failure(exceptions.RecoveryRefused(
            'c-2 is silent', 'Start c-2.', ('id-2', 'id-3')))
        self.assertEqual('c-2 is silent', failed.cause)
        self.assertEqual('Start c-2', failed.next_action)
        self.assertEqual(('id-2', 'id-3'), failed.blamed)

    def test_a_refused_recovery_without_advice(self) -> None:
        failed = self.failure(
            exceptions.RecoveryRefused('c-2 is silent', '', ()))
        self.assertEqual(self.journal.remedy, failed.next_action)

    def test_a_time_out_names_its_option(self) -> None:
        failed = self.failure(exceptions.DeadlineExceeded('it', 3, 'none'))
        self.assertIn('verify_timeout', failed.next_action)

    def test_what_is_no_time_out_names_no_option(self) -> None:
        failed = self.failure(KeyError('x'))
        self.assertIn(self.journal.remedy, failed.next_action)
        self.assertNotIn('verify_timeout', failed.next_action)

    def test_a_time_out_before_the_first_step(self) -> None:
        self.journal.at = self.journal.subject = None
        failed = self.failure(exceptions.DeadlineExceeded('it', 3, 'none'))
        self.assertIn(self.journal.remedy, failed.next_action)
        self.assertEqual((), failed.blamed)

    def test_an_error_without_words_has_a_name(self) -> None:
        self.assertEqual('KeyError', self.failure(KeyError()).cause)

    def test_before_the_first_step(self) -> None:
        self.journal.at = self.journal.subject = None
        failed = self.failure(
            exceptions.MemberFailed('c-1', 'id-1', 'no disk'))
        self.assertEqual('creation of the members', failed.step)
        self.assertEqual('c-1: no disk', failed.cause)
