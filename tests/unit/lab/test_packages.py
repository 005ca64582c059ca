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

"""Packages while other processes have the locks of apt and dpkg.

With the real apt-get, and separate folders for it.
"""

import io
import os
import pathlib
import shutil
import subprocess
import sys

import fixtures
import mock
import testtools

from lab import errors
from lab import home as lab_home
from lab import packages
from lab import report as lab_report

FOLDERS = ('lists/partial', 'cache/archives/partial', 'dpkg', 'logs')
SETTINGS = '''
Dir::State "{folder}";
Dir::State::Lists "{folder}/lists";
Dir::State::status "{folder}/dpkg/status";
Dir::Cache "{folder}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "/dev/null";
Dir::Log "{folder}/logs";
'''
#: holds a lock until its input ends
HOLDER = '''
import fcntl, sys
file = open(sys.argv[1], 'w')
fcntl.lockf(file, fcntl.LOCK_EX)
print('locked', flush=True)
sys.stdin.read()
'''
#: finds a lock held three times, by two processes
SLOW = '''#!/bin/sh
echo >> {folder}/tries
case $(wc -l < {folder}/tries) in
1 | 2) pid=1 ;;
3) pid=2 ;;
*) exit 0 ;;
esac
echo "E: Could not get lock /lock. It is held by process $pid (apt-get)"
exit 100
'''


class Line(io.StringIO):
    """A stream that calls a function when a line is printed."""

    def __init__(self, act: mock.Mock) -> None:
        super().__init__()
        self._act = act

    def write(self, text: str) -> int:
        self._act(text)
        return super().write(text)


class LocksTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        if shutil.which('apt-get') is None:
            self.skipTest('there is no apt-get')
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True)
        (self.folder / 'dpkg/status').touch()
        settings = self.folder / 'apt.conf'
        settings.write_text(SETTINGS.format(folder=self.folder))
        self.useFixture(fixtures.EnvironmentVariable(
            'APT_CONFIG', str(settings)))
        self.useFixture(fixtures.MonkeyPatch('lab.packages.INTERVAL', 0.05))
        self.home = lab_home.Home(self.folder / 'home')
        self.home.make()

    def hold(self, lock: str) -> subprocess.Popen[str]:
        holder = subprocess.Popen(
            [sys.executable, '-c', HOLDER, str(self.folder / lock)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(holder.__exit__, None, None, None)
        self.addCleanup(holder.kill)
        assert holder.stdout is not None
        self.assertEqual('locked\n', holder.stdout.readline())
        return holder

    def released(self, lock: str, *arguments: str) -> list[str]:
        """The output while a lock is held until the first line is printed."""
        holder = self.hold(lock)
        assert holder.stdin is not None
        lines = Line(mock.Mock(side_effect=lambda text: holder.stdin.close()))
        packages.apt_get(self.home, lab_report.Report(lines), *arguments)
        holder.wait()
        told = lines.getvalue().splitlines()
        self.assertIn(f'(process {holder.pid}), which has the lock '
                      f'{self.folder / lock}', told[0])
        return told

    def test_the_lists(self) -> None:
        self.assertEqual(1, len(self.released('lists/lock', 'update', '-q')))

    def test_dpkg(self) -> None:
        if os.geteuid() != 0:
            self.skipTest('only root installs packages')
        for lock in ('dpkg/lock-frontend', 'dpkg/lock'):
            self.assertEqual(1, len(self.released(lock, 'install', '-q')))

    def test_it_is_said_once(self) -> None:
        folder = self.useFixture(fixtures.TempDir()).path
        program = pathlib.Path(folder, 'apt-get')
        program.write_text(SLOW.format(folder=folder))
        program.chmod(0o755)
        self.useFixture(fixtures.EnvironmentVariable(
            'PATH', f'{folder}:{os.environ["PATH"]}'))
        lines = io.StringIO()
        packages.apt_get(self.home, lab_report.Report(lines), 'update')
        self.assertEqual(
            [f'waiting for apt-get (process {pid}), which has the lock /lock'
             for pid in (1, 2)],
            [line.partition('] ')[2]
             for line in lines.getvalue().splitlines()])

    def test_it_is_not_waited_for_ever(self) -> None:
        holder = self.hold('lists/lock')
        self.useFixture(fixtures.MonkeyPatch('lab.packages.PATIENCE', 0))
        error = self.assertRaises(
            errors.LabError, packages.apt_get, self.home,
            lab_report.Report(quiet=True), 'update')
        self.assertIn(f'(process {holder.pid})', str(error))
        self.assertNotIn('\n', str(error))

    def test_another_failure_is_none_of_a_lock(self) -> None:
        error = self.assertRaises(
            errors.LabError, packages.apt_get, self.home,
            lab_report.Report(quiet=True), 'no-such-word')
        self.assertIn('apt-get no-such-word failed', str(error))


class HolderTest(testtools.TestCase):

    def test_whether_it_is_told_who(self) -> None:
        lock = 'Could not get lock /var/lib/apt/lists/lock'
        for said, who in (
                (f'E: {lock}. It is held by process 12 (apt-get)\nE: x',
                 'apt-get (process 12)'),
                (f'Hm\nE: {lock}. It is held by process 12\n',
                 'a program (process 12)'),
                (f'E: {lock}\nE: x\n', 'another process'),
                (f'E: {lock} - open (11: Resource temporarily unavailable)',
                 'another process')):
            self.assertEqual(
                f'{who}, which has the lock /var/lib/apt/lists/lock',
                packages.holder(said))

    def test_no_lock(self) -> None:
        self.assertIsNone(packages.holder('E: Unable to locate package x'))


class OtherLabTest(testtools.TestCase):
    """Two labs at the same time would remove each other's policy-rc.d."""

    def setUp(self) -> None:
        super().setUp()
        folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.policy = folder / 'policy-rc.d'
        for name, value in (('DPKG', folder), ('POLICY', self.policy),
                            ('POLICY_KEPT', folder / 'kept'),
                            ('INTERVAL', 0.05)):
            self.useFixture(fixtures.MonkeyPatch(f'lab.packages.{name}',
                                                 value))
        self.policy.write_text(packages.POLICY_TEXT)

    def test_what_a_killed_lab_has_left_goes(self) -> None:
        packages.restore_policy()
        self.assertFalse(self.policy.exists())

    def test_what_a_lab_needs_stays(self) -> None:
        with packages.alone(lab_report.Report(quiet=True)):
            packages.restore_policy()
            self.assertTrue(self.policy.exists())

    def test_one_after_the_other(self) -> None:
        first = packages.alone(lab_report.Report(quiet=True))
        first.__enter__()
        lines = Line(mock.Mock(
            side_effect=lambda text: first.__exit__(None, None, None)))
        with packages.alone(lab_report.Report(lines)):
            self.assertIn('waiting for another lab', lines.getvalue())
        self.assertEqual(1, len(lines.getvalue().splitlines()))
