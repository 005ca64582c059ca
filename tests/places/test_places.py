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

"""The README's first command, in checkouts and with labs in any place.

``tox -e e2e-places`` runs it, one test after the other. All labs share the
slowest parts: the database image and the guest image.
"""

from collections.abc import Iterator
import contextlib
import os
import pathlib
import shutil
import subprocess
import tempfile

import testtools

from lab import home as lab_home
from lab import place

TOP = pathlib.Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(
    '.git', '.tox', '.venv', '.stestr', '.mypy_cache', '__pycache__',
    '*.egg-info', 'build')
#: Shared with a lab in another folder.
SHARED = ('cache', 'images', 'venv-swift')
DEMO_TIMEOUT = 1200
DOWN_TIMEOUT = 180
SOMEBODY = 1000
GIT = ('git', '-c', 'user.name=Somebody', '-c',
       'user.email=somebody@example.org')


def home() -> lab_home.Home:
    return lab_home.Home.from_environment()


@contextlib.contextmanager
def folder_in(place: str) -> Iterator[pathlib.Path]:
    """A new folder in a place; both are removed afterwards if needed."""
    there = pathlib.Path(place)
    made = [path for path in (there, *there.parents) if not path.exists()]
    there.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=there, prefix='lab-') as folder:
            yield pathlib.Path(folder)
    finally:
        for path in made:
            path.rmdir()


class PlacesTest(testtools.TestCase):

    def folder(self, place: str) -> pathlib.Path:
        context = folder_in(place)
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def archive(self, place: str) -> pathlib.Path:
        """A checkout without history."""
        top = self.folder(place) / 'x'
        shutil.copytree(TOP, top, symlinks=True, ignore=NOT_COPIED)
        return top

    def clone(self, place: str) -> pathlib.Path:
        """A checkout with a short history."""
        top = self.archive(place)
        for words in (['init', '--quiet'], ['add', '.'],
                      ['commit', '--quiet', '-m', 'one'],
                      ['commit', '--quiet', '-m', 'two', '--allow-empty']):
            subprocess.run([*GIT, *words], cwd=top, check=True)
        return top

    def shallow(self, place: str) -> pathlib.Path:
        top = self.folder(place) / 'x'
        subprocess.run([*GIT, 'clone', '--quiet', '--depth', '1',
                        self.clone(place).as_uri(), str(top)], check=True)
        return top

    def demo(self, top: pathlib.Path, root: str | None = None,
             umask: int = 0o022) -> None:
        """Run the demonstration, and take its lab down."""
        if root is not None:
            self.share_with(lab_home.Home(top / root))
        self.addCleanup(self.lab, top, root, 'down',
                        *(['--purge'] if root else []))
        done = self.lab(top, root, 'demo', umask=umask)
        self.assertEqual(0, done.returncode, done.stderr[-3000:])
        self.assertIn('the demo succeeded', done.stderr)

    def share_with(self, other: lab_home.Home) -> None:
        for problem in place.of_mounts(other):
            self.skipTest(problem)
        for name in SHARED:
            subprocess.run(['cp', '--archive', home().root / name,
                            '--target-directory', other.root], check=True)

    def lab(self, top: pathlib.Path, root: str | None, *words: str,
            umask: int = 0o022) -> 'subprocess.CompletedProcess[str]':
        return subprocess.run(
            # Where programs cannot be started a shell can still read it.
            ['sh', top / 'lab' / 'lab', *words], cwd=top, umask=umask,
            text=True, capture_output=True, env={
                **os.environ, **({'LAB_HOME': root} if root else {})},
            timeout=DEMO_TIMEOUT if words == ('demo',) else DOWN_TIMEOUT)


class CheckoutTest(PlacesTest):
    """A checkout in each place, and each kind of checkout in one."""

    def test_a_clone_in_tmp(self) -> None:
        self.demo(self.clone('/tmp'))

    def test_a_clone_in_var_tmp(self) -> None:
        self.demo(self.clone('/var/tmp'))

    def test_an_archive_in_run(self) -> None:
        self.demo(self.archive('/run'))

    def test_a_shallow_clone_in_dev_shm(self) -> None:
        self.demo(self.shallow('/dev/shm'))

    def test_a_clone_of_another_user_in_home(self) -> None:
        top = self.clone('/home/u')
        subprocess.run(['chown', '--recursive', f'{SOMEBODY}:{SOMEBODY}',
                        str(top.parent)], check=True)
        self.demo(top)

    def test_an_archive_that_only_root_reads_in_root(self) -> None:
        top = self.archive('/root')
        subprocess.run(['chmod', '--recursive', 'go=', str(top)], check=True)
        self.demo(top, umask=0o077)

    def test_an_archive_in_opt(self) -> None:
        self.demo(self.archive('/opt'))

    def test_a_clone_through_a_link_in_mnt(self) -> None:
        link = self.folder('/mnt') / 'link'
        link.symlink_to(self.clone('/mnt'))
        self.demo(link)

    def test_an_archive_on_a_path_with_a_space(self) -> None:
        self.demo(self.archive('/srv/a b'))


class HomeTest(PlacesTest):
    """LAB_HOME in folders that a guest has itself."""

    def test_in_tmp(self) -> None:
        self.demo(self.archive('/var/tmp'), str(self.folder('/tmp')))

    def test_in_dev_shm(self) -> None:
        self.demo(self.archive('/var/tmp'), str(self.folder('/dev/shm')))

    def test_in_opt_through_a_link(self) -> None:
        link = self.folder('/var/tmp') / 'link'
        link.symlink_to(self.folder('/opt'))
        self.demo(self.archive('/var/tmp'), str(link))

    def test_relative_in_the_checkout(self) -> None:
        top = self.archive('/tmp')
        (top / 'the-lab').mkdir()
        self.demo(top, 'the-lab', umask=0o077)
