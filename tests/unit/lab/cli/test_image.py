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

import contextlib
import io
import os
import pathlib

import fixtures
import mock
import testtools

from lab.cli import image
from lab.cli import main
from lab.images import build
from lab import packages


class BuildTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path).resolve()
        self.useFixture(fixtures.EnvironmentVariable(
            'LAB_HOME', str(self.folder / 'home')))
        self.useFixture(fixtures.MockPatchObject(
            os, 'geteuid', autospec=True, return_value=0))
        self.addCleanup(os.umask, os.umask(0o022))

    def run_build(self, *words: str) -> tuple[int, str]:
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(
                said):
            return main.main(['image', 'build', *words]), said.getvalue()

    def test_an_output_that_cannot_be_written(self) -> None:
        for name in (str(self.folder), '/no-such-folder/x.tar'):
            code, said = self.run_build('--output', name)
            self.assertEqual((1, True), (code, 'cannot be written' in said))
        self.assertFalse((self.folder / 'home').exists())

    def test_it_writes_what_was_built_of_the_suite(self) -> None:
        made = self.folder / 'made.tar'
        made.write_text('archive')
        output = self.folder / 'out.tar'
        with (mock.patch.object(packages, 'install', autospec=True),
              mock.patch.object(build, 'ensure_database_image',
                                autospec=True, return_value=made) as built,
              mock.patch.object(image.archive, 'tag', autospec=True,
                                return_value='trove-lab/mariadb:11.8.9')):
            code, said = self.run_build('--suite', 'trixie', '--output',
                                        str(output))
        self.assertEqual(0, code)
        self.assertEqual('trixie', built.call_args.args[2])
        self.assertEqual('archive', output.read_text())
        self.assertIn('trove-lab/mariadb:11.8.9', said)
