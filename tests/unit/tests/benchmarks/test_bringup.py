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

"""The programs from outside: their help, and refusals in one line."""

import os
import pathlib
import subprocess
import sys

import fixtures
import testtools

from tests.unit.tests.benchmarks import loading

PROGRAMS = ('bringup', 'encryption', 'listing', 'settings')
OF_A_LAB = ('bringup', 'encryption', 'settings')


class ProgramTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def run_program(self, name: str,
                    *words: str) -> 'subprocess.CompletedProcess[str]':
        return subprocess.run(
            [sys.executable, str(loading.FOLDER / name), *words],
            capture_output=True, text=True, cwd=self.folder, timeout=60,
            env={**os.environ, 'LAB_HOME': str(self.folder / 'none'),
                 'COLUMNS': '80'})

    def test_help_explains_the_program(self) -> None:
        for name in PROGRAMS:
            done = self.run_program(name, '--help')
            self.assertEqual((0, ''), (done.returncode, done.stderr))
            for words in ('examples:', f'tests/benchmarks/{name}',
                          '--output FILE', 'how busy the machine was'):
                self.assertIn(words, done.stdout)
            self.assertEqual([], [line for line in done.stdout.splitlines()
                                  if len(line) > 79])

    def test_without_a_lab_it_names_the_command(self) -> None:
        for name in OF_A_LAB:
            done = self.run_program(name)
            self.assertEqual((1, ''), (done.returncode, done.stdout))
            (told,) = done.stderr.splitlines()
            self.assertIn(
                './lab/lab up' if os.geteuid() == 0 else 'sudo', told)

    def test_file_that_cannot_be_written_is_refused_at_once(self) -> None:
        for name in PROGRAMS:
            done = self.run_program(name, '--output', 'none/x.json')
            self.assertEqual(1, done.returncode)
            (told,) = done.stderr.splitlines()
            self.assertIn('there is no folder', told)

    def test_invalid_numbers_are_refused(self) -> None:
        for name, option in (('bringup', '--members'),
                             ('encryption', '--clients'),
                             ('listing', '--rounds'),
                             ('settings', '--rounds')):
            done = self.run_program(name, option, '0')
            self.assertEqual(2, done.returncode)
            self.assertIn('0 is not valid', done.stderr)

    def test_refused_run_leaves_no_file(self) -> None:
        for name in OF_A_LAB:
            self.run_program(name)
        self.assertEqual([], list(self.folder.iterdir()))
