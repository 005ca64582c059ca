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

"""The release of Trove in the environment of a lab."""

import pathlib
import subprocess
import sys
import types
from typing import Any

import fixtures
import testtools

from lab import home as lab_home
from lab import process
from lab import report as lab_report
from lab import venv

FINDS = ('import importlib.util as find; print('
         '*(find.find_spec(name) is not None for name in '
         '("lab.noauth", "trove_pxc")))')


class TroveVersionTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = self.useFixture(fixtures.TempDir()).path
        self.home = lab_home.Home(folder)
        self.home.make()
        self.home.venv.mkdir()
        self.commands: list[list[str]] = []
        self.useFixture(fixtures.MonkeyPatch(
            'lab.venv.subprocess.run', self.run_command))

    def run_command(self, argv: list[str],
                    **others: Any) -> types.SimpleNamespace:
        self.commands.append(argv)
        return types.SimpleNamespace(returncode=0)

    def installed(self) -> list[str]:
        """The requirements on Trove that pip got."""
        self.commands.clear()
        venv.ensure(self.home, lab_report.Report(quiet=True))
        return [word for argv in self.commands for word in argv
                if word.startswith('trove==')]

    def test_a_plain_lab_finds_the_lab_alone(self) -> None:
        self.home.set(plain=True)
        self.home.make()
        self.assertEqual(['trove==26.0.0'], self.installed())
        self.assertEqual('uninstall', self.commands[-1][3])
        self.assertTrue(venv.is_ready(self.home))
        with subprocess.Popen(
                [sys.executable, '-S', '-c', FINDS], text=True, cwd='/',
                stdout=subprocess.PIPE,
                env=process.environment(self.home)) as program:
            self.assertEqual('True False\n', program.communicate()[0])
        self.home.set(plain=False)
        self.assertFalse(venv.is_ready(self.home))

    def test_the_newest_unless_told_otherwise(self) -> None:
        self.assertEqual(['trove==26.0.0'], self.installed())
        self.assertTrue(venv.is_ready(self.home))

    def test_swift_has_another_environment(self) -> None:
        self.installed()
        self.assertFalse(venv.swift_is_ready(self.home))
        self.home.venv_swift.mkdir()
        venv.ensure_swift(self.home, lab_report.Report(quiet=True))
        self.assertEqual(list(venv.SWIFT), self.commands[-1][-2:])
        self.assertTrue(venv.swift_is_ready(self.home))

    def test_another_one_is_another_environment(self) -> None:
        self.installed()
        self.home.set(trove_version='25.0.0')
        self.assertFalse(venv.is_ready(self.home))
        self.assertEqual(['trove==25.0.0'], self.installed())
        self.assertTrue(venv.is_ready(self.home))
        self.assertEqual([], self.installed())

    def test_this_project_is_compiled_for_the_guests_at_each_up(self) -> None:
        self.installed()
        self.assertEqual([], self.installed())
        self.assertEqual(
            ['-m', 'compileall', '-q', str(self.home.checkout / 'trove_pxc')],
            self.commands[-1][1:])

    def test_it_is_kept_with_the_lab(self) -> None:
        self.home.set(trove_version='25.0.0')
        again = lab_home.Home(pathlib.Path(self.home.root))
        self.assertEqual('25.0.0', venv.trove_version(again))
