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

"""Programs that hang, and programs that work slowly."""

import subprocess

from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import HANGS

# It works a little in each second, longer than it is watched.
WORKS = 'for turn in 1 2 3 4 5 6 7 8; do {}\n/bin/sleep 0.5; done\n'
WAYS = (
    'echo a line of the log >&2',
    'dd if=/dev/zero of="$FAKE/written" bs=4096 count=1 2> /dev/null',
    # a quarter of a second of CPU time
    'timeout 0.25 sh -c "while :; do :; done"')


class ProgressTest(starting.StartTestCase):

    def bounded(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run it; it must make progress within 2 s."""
        self.command(f'#!/bin/sh\n{command}', 'program')
        folder = self.settings.parent
        return subprocess.run(
            ['sh', '-eu', '-c',
             'say() { echo "$*" >&2; }; STALL_SECONDS=2; '
             f'. "{folder}/progress.sh"; run_bounded "this" program'],
            capture_output=True, text=True,
            env={**self.environment(), 'PATH':
                 f'{self.programs}:/usr/bin:/bin'})

    def setUp(self) -> None:
        super().setUp()
        (self.programs / 'sleep').unlink()

    def test_what_hangs_is_killed_with_all_that_it_started(self) -> None:
        done = self.bounded(HANGS)
        self.assertEqual(137, done.returncode)
        self.assertIn('[ERROR] this made no progress for 2 s and was killed',
                      done.stderr)
        self.assert_killed()

    def test_what_works_slowly_is_not(self) -> None:
        for way in WAYS:
            done = self.bounded(WORKS.format(way) + 'exit 3')
            self.assertEqual(3, done.returncode, f'{way}: {done.stderr}')
            self.assertNotIn('no progress', done.stderr)

    def test_it_returns_at_once(self) -> None:
        for code in (0, 7):
            self.assertEqual(code, self.bounded(f'exit {code}').returncode)

    def test_a_name_in_brackets_is_read(self) -> None:
        """The kernel writes the name of a program unquoted in brackets."""
        name = 'a) R 1 (b'
        self.command(f'#!/bin/sh\n{HANGS}', name)
        done = self.bounded(f'"{self.programs}/{name}"\n')
        self.assertEqual(137, done.returncode)
        self.assert_killed()
