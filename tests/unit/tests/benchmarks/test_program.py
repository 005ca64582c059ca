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

"""How a benchmark ends, and what it refuses before it starts."""

import argparse
import contextlib
import io
import json
import os
import pathlib
import signal

import fixtures
import testtools

from lab import errors
from tests.benchmarks import program


class RunTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        for number in program.SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.cleared: list[str] = []

    def ended(self, failing: BaseException | None = None,
              number: int | None = None) -> tuple[int, str]:
        """The exit code, and what stands on standard error."""
        def measure() -> None:
            try:
                if number is not None:
                    os.kill(os.getpid(), number)
                if failing is not None:
                    raise failing
            finally:
                self.cleared.append('all')

        with contextlib.redirect_stderr(io.StringIO()) as said:
            code = program.run('bench', measure, '; it is cleared',
                               (KeyError,))
        return code, said.getvalue()

    def test_run_that_succeeds(self) -> None:
        self.assertEqual((0, ''), self.ended())

    def test_error_for_the_user_is_one_line(self) -> None:
        for error in (errors.LabError('no lab'), AssertionError('no lab'),
                      program.Refused('no lab')):
            self.assertEqual((program.FAILED, 'bench: no lab\n'),
                             self.ended(error))
        self.assertEqual((program.FAILED, "bench: 'no lab'\n"),
                         self.ended(KeyError('no lab')))

    def test_bug_keeps_its_traceback(self) -> None:
        self.assertRaises(ZeroDivisionError, self.ended, ZeroDivisionError())

    def test_each_signal_removes_everything_and_prints_it(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self.cleared.clear()
            code, said = self.ended(number=number)
            self.assertEqual(program.INTERRUPTED, code)
            self.assertEqual('\nbench: interrupted; it is cleared\n', said)
            self.assertEqual(['all'], self.cleared)


class NumberTest(testtools.TestCase):

    def test_valid_numbers_are_accepted(self) -> None:
        self.assertEqual(3, program.at_least(3)('3'))
        self.assertEqual(0.5, program.at_least(0, float)('0.5'))

    def test_invalid_numbers_are_refused(self) -> None:
        for text in ('2', 'x', '', '3.5'):
            self.assertRaises(argparse.ArgumentTypeError,
                              program.at_least(3), text)
        self.assertRaises(argparse.ArgumentTypeError,
                          program.at_least(0, float), 'nan')


class OutputTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def refused(self, path: pathlib.Path) -> str:
        return str(self.assertRaises(
            program.Refused, program.check_output, path))

    def test_writable_file_is_accepted(self) -> None:
        program.check_output(self.folder / 'new.json')
        (self.folder / 'old.json').touch()
        program.check_output(self.folder / 'old.json')

    def test_folder_is_refused(self) -> None:
        self.assertIn('is a folder', self.refused(self.folder))

    def test_missing_folder_is_refused(self) -> None:
        self.assertIn('there is no folder',
                      self.refused(self.folder / 'no' / 'x.json'))

    def test_file_that_cannot_be_written_is_refused(self) -> None:
        # The test may run as root, so it uses a file that root cannot write.
        self.assertIn('cannot be written',
                      self.refused(pathlib.Path('/proc/x.json')))

    def test_record_is_written_as_json(self) -> None:
        path = self.folder / 'x.json'
        program.keep(path, runs=[1])
        program.keep(path, runs=[1, 2])
        content = json.loads(path.read_text())
        self.assertEqual([1, 2], content['runs'])
        self.assertIn('date', content)
        self.assertEqual([path], list(self.folder.iterdir()))

    def test_records_are_written_as_lines(self) -> None:
        path = self.folder / 'x.jsonl'
        program.keep_lines(path, [{'round': 1}])
        program.keep_lines(path, [{'round': 1}, {'round': 2}])
        self.assertEqual('{"round": 1}\n{"round": 2}\n', path.read_text())
        self.assertEqual([path], list(self.folder.iterdir()))
