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

"""The README's test command, as CI takes it from there.

Its programs are stand-ins, so that nothing is installed and no test runs.
"""

import os
import pathlib
import shutil
import subprocess

import fixtures
import testtools

TOP = pathlib.Path(__file__).parents[3]
#: fails as often as the file beside it has lines
APT_GET = '''#!/bin/sh
echo "apt-get $*" >> "$TOLD"
if [ -s "$HELD" ]; then
    sed -i 1d "$HELD"
    echo "E: Could not get lock $1. It is held by process 12 (apt-get)" >&2
    exit 100
fi
'''
PYTHON = '''#!/bin/sh
mkdir -p .venv/bin
printf '#!/bin/sh\\n' > .venv/bin/pip
printf '#!/bin/sh\\necho " - Passed: 3"\\necho " - Failed: 0"\\n' \\
    > .venv/bin/tox
chmod +x .venv/bin/*
'''
SLEEP = '#!/bin/sh\necho "sleep $*" >> "$TOLD"\n'
#: three tries are enough here
SEQ = '#!/bin/sh\necho 1 2 3\n'


class RunTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        (self.folder / '.ci').mkdir()
        shutil.copy(TOP / '.ci' / 'run', self.folder / '.ci')
        shutil.copy(TOP / 'README.rst', self.folder)
        (self.folder / 'bin').mkdir()
        for name, text in (('apt-get', APT_GET), ('python3', PYTHON),
                           ('sleep', SLEEP), ('seq', SEQ)):
            program = self.folder / 'bin' / name
            program.write_text(text)
            program.chmod(0o755)

    def run_ci(self, held: int) -> tuple[str, list[str]]:
        """The last line, and what was called, with a lock held so long."""
        (self.folder / 'held').write_text('x\n' * held)
        told = self.folder / 'told'
        told.touch()
        done = subprocess.run(
            [self.folder / '.ci' / 'run'], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, env={
                **os.environ, 'TOLD': str(told), 'LC_ALL': 'C',
                'HELD': str(self.folder / 'held'),
                'PATH': f'{self.folder}/bin:{os.environ["PATH"]}'})
        return (done.stdout.splitlines()[-1], told.read_text().splitlines())

    def test_what_tox_says_is_counted(self) -> None:
        last, called = self.run_ci(0)
        self.assertEqual('3 passed, 0 failed', last)
        self.assertEqual(['apt-get update',
                          'apt-get install -y git python3-venv'], called)

    def test_a_lock_that_is_held_is_waited_for(self) -> None:
        last, called = self.run_ci(2)
        self.assertEqual('3 passed, 0 failed', last)
        self.assertEqual(2, called.count('sleep 5'))
        self.assertEqual(['apt-get update',
                          'apt-get install -y git python3-venv'],
                         called[-2:])

    def test_it_is_not_waited_for_ever(self) -> None:
        _, called = self.run_ci(9)
        self.assertEqual(3, called.count('sleep 5'))
