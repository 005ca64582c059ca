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

"""What the kit's program accepts and refuses, before it creates a lab."""

import contextlib
import io
import os
import pathlib
import subprocess

import fixtures
import mock
import testtools

from tests.conformance import program

TOP = pathlib.Path(__file__).resolve().parents[4]
WORDS = ['pxc.tar', '--manager', 'pxc', '--version', '8.4']


class ProgramTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.user = self.useFixture(fixtures.MockPatchObject(
            os, 'geteuid', autospec=True, return_value=1000)).mock
        folder = self.useFixture(fixtures.TempDir()).path
        self.output = ['--output', f'{folder}/report.txt']

    def refused(self, *words: str) -> str:
        said = io.StringIO()
        with (contextlib.redirect_stderr(said),
              mock.patch.object(subprocess, 'run', autospec=True) as run):
            self.assertEqual(program.REFUSED,
                             program.main([*words, *self.output]))
        run.assert_not_called()
        self.assertRegex(said.getvalue(), r'\Aconformance: [^\n]+\n\Z')
        return said.getvalue()

    def test_other_users_than_root_are_refused(self) -> None:
        self.assertIn('run it as root', self.refused(*WORDS))

    def test_unknown_version_is_refused(self) -> None:
        self.assertIn("'9.1'", self.refused(
            'x.tar', '--manager', 'pxc', '--version', '9.1'))

    def test_unsupported_version_is_refused(self) -> None:
        self.assertIn('10.11.18', self.refused(
            'x.tar', '--manager', 'mariadb', '--version', '10.11.3'))

    def test_report_that_cannot_be_written_is_refused(self) -> None:
        self.output = ['--output', '/no-such-folder/report.txt']
        self.assertIn('cannot be written', self.refused(*WORDS))

    def test_lab_is_created_first(self) -> None:
        self.user.return_value = 0
        for name in ('LAB_HOME', 'LAB_API_PORT', program.ENTERED):
            self.useFixture(fixtures.EnvironmentVariable(name, None))
        with (mock.patch.object(subprocess, 'run', autospec=True) as run,
              mock.patch.object(os, 'execv', autospec=True,
                                side_effect=KeyboardInterrupt) as execv,
              contextlib.redirect_stderr(io.StringIO())):
            self.assertEqual(program.INTERRUPTED, program.main(
                [*WORDS, *self.output]))
        self.assertEqual([str(TOP / 'lab' / 'lab'), 'up'],
                         run.call_args.args[0])
        python, words = execv.call_args.args
        self.assertEqual(f'{program.HOME}/venv/bin/python', python)
        self.assertEqual([*WORDS, *self.output], words[2:])

    def test_both_ways_of_starting_it_have_a_help(self) -> None:
        for words in (['tests/conformance/run'],
                      ['python3', 'tests/conformance']):
            said = subprocess.run([*words, '--help'], cwd=TOP, check=True,
                                  capture_output=True, text=True).stdout
            self.assertIn('--manager pxc --version 8.4', said)


class OnlyTest(testtools.TestCase):

    def test_create_is_always_run(self) -> None:
        options = program.parser().parse_args([*WORDS, '--only', 'SST'])
        wanted = [name for name in (
            'create of three', 'image', 'SST by rsync', 'IST')
            if program.wanted(options, name)]
        self.assertEqual(['create of three', 'SST by rsync'], wanted)
