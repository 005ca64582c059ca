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

"""The selection of mutants, the runs of tests, and the score."""

import os
import pathlib
import types
from typing import Any

import fixtures
import testtools

from tests.unit.tools import loading

TOP = loading.TOP

mutation = loading.tool('mutation')

SOURCE = '''\
@dataclass(slots=True)
class Thing:
    size: int | None = 1


def double(size: int | None) -> int | None:
    return 2 * size
'''


def spec(operator: str, occurrence: int, start: tuple[int, int]) -> Any:
    return types.SimpleNamespace(operator_name=f'core/{operator}',
                                 occurrence=occurrence, start_pos=start)


class ChoiceTest(testtools.TestCase):

    def chosen(self, *specs: Any, sample: int | None = None,
               seed: int = 0) -> list[Any]:
        return list(mutation.chosen(specs, SOURCE, sample, seed))

    def test_types_and_decorators_are_left_as_they_are(self) -> None:
        value = spec('NumberReplacer', 0, (3, 23))
        factor = spec('NumberReplacer', 1, (7, 11))
        self.assertEqual([value, factor], self.chosen(
            spec('ReplaceTrueWithFalse', 0, (1, 17)), value,
            spec('ReplaceBinaryOperator_BitOr_BitAnd', 0, (3, 14)),
            spec('ReplaceBinaryOperator_BitOr_BitAnd', 1, (6, 21)),
            spec('ReplaceBinaryOperator_BitOr_BitAnd', 2, (6, 35)),
            factor))

    def test_a_decorator_may_be_removed(self) -> None:
        removal = spec('RemoveDecorator', 0, (1, 0))
        self.assertEqual([removal], self.chosen(removal))

    def test_one_replacement_of_an_arithmetic_operator_is_enough(
            self) -> None:
        for new, tells in (('Div', True), ('Add', False), ('Pow', False)):
            self.assertIs(tells, mutation.tells(
                f'core/ReplaceBinaryOperator_Mul_{new}'))

    def test_identity_is_not_compared_with_order(self) -> None:
        for name, tells in (('Is_IsNot', True), ('IsNot_Is', True),
                            ('Lt_GtE', True), ('Eq_NotEq', True),
                            ('Is_Lt', False), ('Eq_Is', False),
                            ('NotEq_IsNot', False), ('IsNot_NotEq', False)):
            self.assertIs(tells, mutation.tells(
                f'core/ReplaceComparisonOperator_{name}'), name)

    def test_a_seed_draws_the_same_sample_again(self) -> None:
        specs = [spec('NumberReplacer', number, (7, 11))
                 for number in range(100)]
        first = self.chosen(*specs, sample=10, seed=1)
        self.assertEqual(10, len(first))
        self.assertEqual(first, self.chosen(*reversed(specs), sample=10,
                                            seed=1))
        self.assertNotEqual(first, self.chosen(*specs, sample=10, seed=2))
        self.assertEqual(specs, self.chosen(*specs, sample=100))


class PossibleTest(testtools.TestCase):

    def test_what_cannot_be_made_is_left_out(self) -> None:
        def make(spec: str) -> str:
            return {'a': 'b'}[spec] if spec != 'tuple' else spec.value
        self.assertEqual(
            ['a'], list(mutation.possible(['tuple', 'a'], make)))


class TestModulesTest(testtools.TestCase):

    def mirrors_of(self, module: str) -> list[str]:
        return list(mutation.test_modules(module, TOP))

    def test_all_that_mirror_a_module(self) -> None:
        self.assertEqual(
            ['tests.unit.galera.test_plan',
             'tests.unit.galera.test_plan_stories'],
            self.mirrors_of('trove_pxc/galera/plan.py'))

    def test_who_else_tests_a_module(self) -> None:
        self.assertEqual(
            ['tests.unit.galera.test_history',
             'tests.unit.galera.test_plan'],
            self.mirrors_of('trove_pxc/galera/history.py'))
        for module, tests in mutation.ALSO.items():
            for test in (module, *(f'{name.replace(".", "/")}.py'
                                   for name in tests)):
                self.assertTrue((TOP / test).is_file(), test)

    def test_not_those_of_a_module_whose_name_goes_on(self) -> None:
        top = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        code, unit = top / 'trove_pxc', top / 'tests' / 'unit'
        for folder in (code, unit):
            folder.mkdir(parents=True)
        for name in ('plan', 'plan_b'):
            (code / f'{name}.py').touch()
        for name in ('plan', 'plan_b', 'plan_stories', 'planet'):
            (unit / f'test_{name}.py').touch()
        self.assertEqual(
            ['tests.unit.test_plan', 'tests.unit.test_plan_stories'],
            mutation.test_modules('trove_pxc/plan.py', top))

    def test_each_module_with_a_goal_is_run_by_default(self) -> None:
        self.assertEqual(set(), set(mutation.GOALS)
                         - set(mutation.modules_by_default()))
        for module in mutation.GOALS:
            self.assertNotEqual([], self.mirrors_of(module), module)


class ProofTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.module = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'plan.py')
        self.module.write_text(SOURCE)

    def prove(self, *fates: str) -> None:
        verdicts = iter(fates)

        def judge(timeout: float) -> Any:
            return mutation.Verdict(next(verdicts), 'what it printed')
        mutation.prove(judge, self.module)

    def test_tests_that_see_a_module_that_cannot_be_loaded(self) -> None:
        self.prove(mutation.SURVIVED, mutation.KILLED)
        self.assertEqual(SOURCE, self.module.read_text())

    def test_tests_that_fail_anyway_are_no_judge(self) -> None:
        unfit = self.assertRaises(mutation.Unfit, self.prove,
                                  mutation.KILLED)
        self.assertIn('what it printed', str(unfit))

    def test_tests_that_see_nothing_are_no_judge(self) -> None:
        self.assertRaises(mutation.Unfit, self.prove, mutation.SURVIVED,
                          mutation.SURVIVED)
        self.assertEqual(SOURCE, self.module.read_text())


class JudgeTest(testtools.TestCase):
    """Tests that run in a fork."""

    def judge(self, code: str, timeout: float = 60) -> Any:
        folder = self.useFixture(fixtures.TempDir()).path
        self.useFixture(fixtures.PythonPathEntry(folder))
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)
        pathlib.Path(folder, 'judging.py').write_text(
            'import threading\nimport unittest\n\n\n'
            'class CodeTest(unittest.TestCase):\n\n'
            f'    def test_it(self):\n        {code}\n')
        return mutation.UnitTests(['judging'])(timeout)

    def test_they_pass(self) -> None:
        self.assertEqual(mutation.SURVIVED,
                         self.judge('self.assertTrue(True)').fate)

    def test_they_fail(self) -> None:
        verdict = self.judge('self.assertTrue(False)')
        self.assertEqual(mutation.KILLED, verdict.fate)
        self.assertIn('False is not true', verdict.output)

    def test_they_never_end(self) -> None:
        verdict = self.judge('threading.Event().wait()', timeout=0.3)
        self.assertEqual(mutation.TIMEOUT, verdict.fate)

    def test_they_cannot_be_loaded(self) -> None:
        self.assertEqual(mutation.KILLED, self.judge('(').fate)


class ScoreTest(testtools.TestCase):

    def score(self, module: str, mutants: int, survived: int) -> Any:
        return mutation.Score(module, mutants, survived, 0, 1.0)

    def test_a_timeout_is_a_kill(self) -> None:
        self.assertEqual(90.0, mutation.Score('x', 10, 1, 4, 1.0).percent)

    def test_a_module_without_mutants(self) -> None:
        self.assertEqual(100.0, self.score('x', 0, 0).percent)

    def test_who_misses_a_goal(self) -> None:
        plan, view = 'trove_pxc/galera/plan.py', 'trove_pxc/galera/view.py'
        (sentence,) = mutation.below([
            self.score(plan, 1000, 101), self.score(view, 1000, 100),
            self.score('trove_pxc/galera/roles.py', 1000, 1000)])
        self.assertIn(plan, sentence)
        self.assertIn('89.9', sentence)

    def test_a_change_is_shown_line_by_line(self) -> None:
        self.assertEqual(
            '-    return 2 * size\n+    return 2 / size',
            mutation.change(SOURCE, SOURCE.replace('*', '/')))
