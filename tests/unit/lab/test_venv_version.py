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

"""The version of an installed checkout, with and without git."""

import pathlib
import shutil
import subprocess
import sys

import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[3]
FILES = ('setup.py', 'setup.cfg', 'README.rst', 'trove_pxc/__init__.py')
RELEASE = '0.1.0'
WHO = ('-c', 'user.name=Somebody', '-c', 'user.email=somebody@example.org',
       '-c', 'core.fsync=none')


class VersionTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path, 'a b')
        self.tree = self.folder / 'tree'
        for name in FILES:
            (self.tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, self.tree / name)
        for name in ('PBR_VERSION', 'GIT_CEILING_DIRECTORIES'):
            self.useFixture(fixtures.EnvironmentVariable(name))
        settings = self.tree / 'setup.cfg'
        self.assertIn(f'\nversion = {RELEASE}\n', settings.read_text())

    def commit(self, folder: pathlib.Path, commits: int = 3) -> None:
        self.git(folder, 'init', '--quiet')
        self.git(folder, 'add', '.')
        for text in ('one', 'two', 'three')[:commits]:
            self.git(folder, 'commit', '--quiet', '--allow-empty', '-m', text)

    def git(self, folder: pathlib.Path, *words: str) -> None:
        subprocess.run(['git', *WHO, *words], cwd=folder, check=True)

    def shallow(self) -> pathlib.Path:
        self.git(self.folder, 'clone', '--quiet', '--depth', '2',
                 self.tree.as_uri(), 'shallow')
        return self.folder / 'shallow'

    def version(self, tree: pathlib.Path) -> str:
        done = subprocess.run(
            [sys.executable, 'setup.py', '--quiet', '--version'], cwd=tree,
            capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        return done.stdout.split()[-1]

    def test_a_clone(self) -> None:
        self.commit(self.tree)
        # pbr does not count the first one.
        self.assertEqual(f'{RELEASE}.dev2', self.version(self.tree))

    def test_the_first_commit_of_a_copy(self) -> None:
        self.commit(self.tree, commits=1)
        self.assertEqual(RELEASE, self.version(self.tree))

    def test_a_shallow_clone(self) -> None:
        self.commit(self.tree)
        self.assertEqual(RELEASE, self.version(self.shallow()))

    def test_a_shallow_clone_of_a_release(self) -> None:
        self.commit(self.tree)
        self.git(self.tree, 'tag', '-a', '0.0.9', '-m', 'release')
        self.assertEqual('0.0.9', self.version(self.shallow()))

    def test_an_archive(self) -> None:
        self.assertEqual(RELEASE, self.version(self.tree))

    def test_an_archive_inside_another_project(self) -> None:
        (self.folder / '.gitignore').write_text('tree\n')
        self.commit(self.folder)
        self.assertEqual(RELEASE, self.version(self.tree))

    def test_a_source_distribution(self) -> None:
        (self.tree / 'PKG-INFO').write_text(
            'Metadata-Version: 2.1\nName: trove-pxc\nVersion: 0.1.7\n')
        self.assertEqual('0.1.7', self.version(self.tree))

    def test_a_checkout_that_git_does_not_trust(self) -> None:
        self.commit(self.tree)
        self.useFixture(fixtures.EnvironmentVariable(
            'GIT_TEST_ASSUME_DIFFERENT_OWNER', '1'))
        self.assertEqual(RELEASE, self.version(self.tree))
