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

"""The errors of commands: one line, and no traceback."""

import contextlib
import io
import os
import pathlib
import shutil
import subprocess

import fixtures
import mock
import testtools

from lab.cli import main

TOP = pathlib.Path(__file__).parents[4]
#: one of each group; the rest are declared in the same way
NEED_ROOT = (
    ['up'], ['demo'], ['down'], ['down', '--purge'], ['status'],
    ['status', '--json'], ['shell'], ['sql', 'products-1', 'SELECT 1'],
    ['guest', 'off', 'products-1'], ['guest', 'cut', 'products-1'],
    ['guest', 'lose', 'products-1', '--percent', '1'],
    ['cloud', 'fail', '--share', '0.2'],
    ['service', 'kill', 'api'], ['service', 'start', 'api'],
    ['datastore', 'add', '--manager', 'pxc', '--datastore', 'pxc',
     '--version', '8.0', '--image', 'pxc.tar'],
    ['image', 'build', '--suite', 'trixie', '--output', 'mariadb.tar'])


class RefusalTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path).resolve()
        self.useFixture(fixtures.EnvironmentVariable(
            'LAB_HOME', str(self.folder / 'home')))
        self.addCleanup(os.umask, os.umask(0o022))

    def refused(self, *words: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertEqual(1, main.main(words), words)
        self.assertRegex(said.getvalue(), r'\Alab: [^\n]+\n\Z')
        self.assertFalse(os.path.lexists(self.folder / 'home'), words)
        return said.getvalue()

    def be_somebody(self) -> None:
        self.useFixture(fixtures.MockPatchObject(
            os, 'geteuid', autospec=True, return_value=1000))

    def test_what_only_root_can_do(self) -> None:
        self.be_somebody()
        for words in NEED_ROOT:
            self.assertIn('as root', self.refused(*words))

    def test_what_anybody_can_do(self) -> None:
        self.be_somebody()
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertEqual(0, main.main(['env']))
            self.assertEqual(0, main.main(['logs']))
        self.assertIn('export OS_ENDPOINT', said.getvalue())
        self.assertIn('the client is not installed',
                      self.refused('openstack', 'x'))

    def test_a_log_of_root(self) -> None:
        logs = self.folder / 'home' / 'logs'
        logs.mkdir(parents=True)
        (logs / 'guest-products-1-agent.log').touch()
        self.be_somebody()
        said = io.StringIO()
        with (mock.patch.object(os, 'access', autospec=True,
                                return_value=False),
              contextlib.redirect_stderr(said)):
            self.assertEqual(1, main.main(['logs', 'products-1']))
        self.assertIn('is readable only by root', said.getvalue())

    def test_a_folder_that_a_user_may_not_enter(self) -> None:
        self.be_somebody()
        with mock.patch.object(pathlib.Path, 'exists', autospec=True,
                               side_effect=PermissionError(13, 'denied')):
            self.assertIn('denied; run it as root', self.refused('logs'))

    def test_every_command_looks_at_lab_home(self) -> None:
        self.useFixture(fixtures.MockPatchObject(
            os, 'geteuid', autospec=True, return_value=0))
        file = self.folder / 'file'
        file.touch()
        self.useFixture(fixtures.EnvironmentVariable('LAB_HOME', str(file)))
        for words in (*NEED_ROOT, ['env'], ['logs'], ['openstack', 'x']):
            self.assertIn(f'{file} is not a folder', self.refused(*words))


class LauncherTest(testtools.TestCase):

    def run_from(self, name: str) -> 'subprocess.CompletedProcess[str]':
        """Run the program in a checkout of this name."""
        top = pathlib.Path(self.useFixture(fixtures.TempDir()).path, name)
        shutil.copytree(TOP / 'lab', top / 'lab', symlinks=True)
        return subprocess.run([top / 'lab' / 'lab', '--help'], text=True,
                              capture_output=True)

    def test_a_path_with_spaces_and_quotes(self) -> None:
        done = self.run_from('a "b" $c \'d\' ä')
        self.assertEqual('', done.stderr)
        self.assertIn('Start with "lab demo"', done.stdout)

    def test_a_path_that_python_cannot_search(self) -> None:
        done = self.run_from('a:b')
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr, r'\Alab: [^\n]+ move the checkout '
                                      r'[^\n]+\n\Z')
