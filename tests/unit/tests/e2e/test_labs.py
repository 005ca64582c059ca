# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

import io
import pathlib
import re
import subprocess

import fixtures
import mock
import testtools
import yaml

from lab import waiting
from tests.e2e import labs

FOLDER = labs.TOP / 'tests' / 'e2e'
#: Modules that separate environments run.
ELSEWHERE = {'test_installation', 'test_tenants'}


class LabsTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.useFixture(fixtures.MonkeyPatch('sys.stdout', io.StringIO()))
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.first, self.second = self.root / 'home', self.root / 'home-2'
        for home in (self.first, self.second):
            home.mkdir()

    def environ(self, number='2'):
        return {'LAB_HOME': str(self.first), 'LAB_API_PORT': '8780',
                'LAB_SIDE_BY_SIDE': number}

    def test_second_lab_is_named_after_the_first(self):
        self.assertEqual(
            [(self.first, 8780), (self.second, 8785)],
            labs.Labs(self.environ()).all)

    def test_each_process_has_a_different_lab(self):
        one, other = self.environ(), self.environ()
        first, second = labs.Labs(one), labs.Labs(other)
        first.claim(0)
        second.claim(0)
        second.claim(0)
        self.assertEqual(
            {'LAB_HOME': str(self.first), 'LAB_API_PORT': '8780'}, one)
        self.assertEqual(
            {'LAB_HOME': str(self.second), 'LAB_API_PORT': '8785'}, other)

    def test_additional_process_waits(self):
        first = labs.Labs(self.environ('1'))
        first.claim(0)
        environ = self.environ('1')
        self.assertRaises(waiting.WaitTimeout,
                          labs.Labs(environ).claim, 0)
        self.assertIn('LAB_SIDE_BY_SIDE', environ)
        first.release()
        labs.Labs(environ).claim(0)
        self.assertEqual(str(self.first), environ['LAB_HOME'])

    def test_without_a_number_no_lab_is_claimed(self):
        environ = {'LAB_HOME': str(self.first)}
        labs.Labs(environ).claim(0)
        self.assertEqual({'LAB_HOME': str(self.first)}, environ)
        self.assertEqual([], list(self.first.iterdir()))

    def run_labs(self, action):
        """The commands that an action runs: the home and the words."""
        with mock.patch.object(subprocess, 'run', autospec=True) as run:
            getattr(labs.Labs(self.environ()), action)()
        return [(call.kwargs['env']['LAB_HOME'],
                 call.kwargs['env']['LAB_API_PORT'], call.args[0][1:])
                for call in run.call_args_list]

    def test_all_labs_are_cleared_before_one_is_started(self):
        first, second = ((str(self.first), '8780'),
                         (str(self.second), '8785'))
        self.assertEqual(
            [(*first, ['down']), (*second, ['down']),
             (*first, ['up']), (*second, ['up'])], self.run_labs('up'))
        self.assertEqual(self.first / 'venv',
                         (self.second / 'venv').readlink())
        self.assertEqual(
            [(*first, ['down']), (*second, ['down'])],
            self.run_labs('down'))

    def test_failure_of_a_command_is_the_exit_code(self):
        self.useFixture(fixtures.MockPatch(
            'subprocess.run', autospec=True,
            side_effect=subprocess.CalledProcessError(7, 'lab')))
        for name, value in self.environ().items():
            self.useFixture(fixtures.EnvironmentVariable(name, value))
        self.assertEqual(7, labs.main(['up']))


class ShareTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.first, self.second = self.root / 'home', self.root / 'home-2'
        (self.first / 'venv').mkdir(parents=True)

    def share(self):
        labs.share(self.first, self.second)
        return self.second / 'venv'

    def test_images_of_the_first_lab_are_used(self):
        self.assertEqual(self.first / 'venv', self.share().readlink())

    def test_sharing_twice_changes_nothing(self):
        self.share()
        self.assertEqual(self.first / 'venv', self.share().readlink())

    def test_another_first_lab_replaces_the_link(self):
        labs.share(self.root / 'gone', self.second)
        self.assertEqual(self.first / 'venv', self.share().readlink())

    def test_own_images_are_kept(self):
        own = self.second / 'venv' / 'bin'
        own.mkdir(parents=True)
        self.assertFalse(self.share().is_symlink())
        self.assertTrue(own.is_dir())


class WorkersTest(testtools.TestCase):
    """A module that no process of "tox -e e2e" runs would be forgotten."""

    def modules(self):
        """Each module with tests, as the start of their names."""
        for path in FOLDER.rglob('test_*.py'):
            if path.stem in ELSEWHERE or path.parent.name == 'long':
                continue
            parts = path.relative_to(labs.TOP).with_suffix('').parts
            yield f'{".".join(parts)}.'

    def test_each_module_has_one_process(self):
        workers = yaml.safe_load((FOLDER / 'workers.yaml').read_text())
        words = [(number, word) for number, worker in enumerate(workers)
                 for word in worker['worker']]
        modules = list(self.modules())
        for module in modules:
            found = [number for number, word in words
                     if re.search(word, module)]
            self.assertEqual(1, len(found), f'{module} {found}')
        for _, word in words:
            self.assertTrue(any(re.search(word, module)
                                for module in modules), word)

    def test_long_tests_are_not_run(self):
        workers = yaml.safe_load((FOLDER / 'workers.yaml').read_text())
        for path in (FOLDER / 'long').glob('test_*.py'):
            for worker in workers:
                for word in worker['worker']:
                    self.assertIsNone(re.search(
                        word, f'tests.e2e.long.{path.stem}.'))
