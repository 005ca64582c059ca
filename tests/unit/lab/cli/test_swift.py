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
"""What "lab swift" does with its arguments."""

import contextlib
import io
from pathlib import Path
from typing import Any

import fixtures
import mock
import testtools

from lab.cli import main
from lab import process
from lab.swift import control


class SwiftTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = Path(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.EnvironmentVariable(
            'LAB_HOME', str(self.home)))
        self.useFixture(fixtures.MonkeyPatch('os.geteuid', lambda: 0))
        self.useFixture(fixtures.MonkeyPatch('os.umask', lambda mask: 0))
        for name in ('change_faults', 'fill', 'in_words', 'set_token_life'):
            patch = mock.patch.object(control, name, autospec=True)
            setattr(self, name, patch.start())
            self.addCleanup(patch.stop)

    def run_it(self, *words: str) -> str:
        """Its error output; empty if it succeeded."""
        said = io.StringIO()
        with (contextlib.redirect_stderr(said),
              contextlib.redirect_stdout(io.StringIO())):
            code = main.main(['swift', *words])
        self.assertEqual(bool(said.getvalue()), bool(code))
        return said.getvalue()

    def values(self, act: Any) -> Any:
        return act.call_args.kwargs or act.call_args.args[1:]

    def test_a_share_of_requests(self) -> None:
        self.run_it('fail', '--share', '0.5')
        self.assertEqual(
            {'share': 0.5, 'kinds': ('500', '503', 'cut'), 'methods': (),
             'text': '', 'times': 0}, self.values(self.change_faults))
        self.run_it('fail', '--share', '1', '--kind', '507', '--method',
                    'PUT', '--text', 'x', '--times', '2')
        self.assertEqual(
            {'share': 1.0, 'kinds': ('507',), 'methods': ('PUT',),
             'text': 'x', 'times': 2}, self.values(self.change_faults))

    def test_slow(self) -> None:
        self.run_it('slow', '--kib', '64', '--delay', '0.5')
        self.assertEqual({'delay': 0.5, 'rate': 65536},
                         self.values(self.change_faults))

    def test_full(self) -> None:
        self.run_it('full', '--room', '3')
        self.assertEqual((3 << 20,), self.values(self.fill))

    def test_one_process_or_both(self) -> None:
        (self.home / 'settings.json').write_text('{}')
        (self.home / 'swift').mkdir()
        with mock.patch.object(process, 'stop', autospec=True) as stop:
            self.run_it('stop', '--part', 'proxy')
            self.run_it('stop')
        self.assertEqual(['swift-proxy', 'swift-proxy', 'swift-storage'],
                         [call.args[1] for call in stop.call_args_list])

    def test_the_life_of_tokens(self) -> None:
        self.run_it('tokens', '--seconds', '20')
        self.assertEqual((20,), self.values(self.set_token_life))
        self.run_it('tokens', '--default')
        self.assertEqual((None,), self.values(self.set_token_life))

    def test_numbers_that_make_no_sense(self) -> None:
        for words, said in (
                (('fail', '--share', '20'), 'from 0 to 1, not 20'),
                (('fail', '--share', '1', '--times', '-1'), '0 or more'),
                (('slow', '--kib', '1'), '--kib at least 8'),
                (('slow',), 'give --kib or --delay'),
                (('full', '--room', '-1'), '0 or more, not -1'),
                (('tokens', '--seconds', '0'), '1 or more, not 0')):
            self.assertIn(said, self.run_it(*words))
