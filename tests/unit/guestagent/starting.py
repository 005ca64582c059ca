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

"""A start program in a folder, with servers that record their arguments."""

import os
import pathlib
import subprocess

import fixtures

from trove_pxc.galera import dialect
from trove_pxc.guestagent import program
from trove_pxc import waiting

from tests.unit.guestagent import fakes

UUID = 'f00d1b77-e732-11f1-88aa-77cb7e14d66a'
NIL = '00000000-0000-0000-0000-000000000000'

# The script of a server that runs until it is killed.
FOR_EVER = 'wait_for "[ ! -e $FAKE ]"'
A_MOMENT = '/bin/sleep 0.3'
# A program that waits for another one; both do nothing.
HANGS = ('echo $$ >> "$FAKE/pids"\n/bin/sleep 1000 &\n'
         'echo $! >> "$FAKE/pids"\nwait\n')

SERVER = '''#!/bin/sh
case "$*" in
*--wsrep-recover*)
    [ ! -e "$FAKE/broken" ] || { echo "[ERROR] corrupt" >&2; exit 1; }
    for word; do case $word in --log-error=*) log=${word#*=} ;; esac; done
    echo "[Note] WSREP: Recovered position: $(cat "$FAKE/position")" > "$log"
    ;;
*--version*) echo "mariadbd  Ver 10.11.19-MariaDB" ;;
*) [ ! -e "$FAKE/transfer" ] || . "$FAKE/transfer"
   ls "$ORDERS" > "$FAKE/orders-left"
   for word; do echo "$word"; done > "$FAKE/started" ;;
esac
'''

INSTALL = '''#!/bin/sh
[ ! -e "$FAKE/broken" ] || {
    echo "ERROR: 1064 near 'IDENTIFIED BY 'secret-1''" >&2; exit 1; }
for word; do case $word in
--extra-file=*) cat "${word#*=}" > "$FAKE/accounts" ;;
--datadir=*) mkdir "${word#*=}/mysql" ;;
esac; done
'''

# The watching programs sleep as long as the watched program runs.
SLEEP = '''#!/bin/sh
case $1 in 0.5 | 1) exec /bin/sleep 0.05 ;; esac
echo "$1" > "$FAKE/slept"
'''


class StartTestCase(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.Timeout(60, gentle=True))
        self.fake = self.folder('fake')
        self.pending = self.folder('run')
        self.data = self.folder('volume/data')
        self.transfer = self.folder('volume/transfer')
        self.programs = self.folder('bin')
        self.command(SERVER, 'mariadbd')
        self.command(INSTALL, 'mariadb-install-db')
        self.command(SLEEP, 'sleep')
        for name in ('wsrep_sst_rsync', 'rsync', 'lsof'):
            self.command('#!/bin/sh\n', name)
        (self.fake / 'libgalera.so').touch()
        self.install()

    def folder(self, name: str) -> pathlib.Path:
        path = self.root / name
        path.mkdir(parents=True)
        return path

    def command(self, text: str, name: str) -> None:
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def install(self, manager: str = 'mariadb',
                version: str = fakes.VERSION) -> None:
        """Write the files as the agent does, with the fakes of this module."""
        folder = self.root / 'etc/trove-pxc'
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in program.texts().items():
            (folder / name).write_text(text)
        settings = program.settings(
            dialect.for_version(manager, version), self.where)
        self.script = str(folder / program.PROGRAM)
        self.settings = folder / program.SETTINGS
        self.settings.write_text(
            f'{settings}ORDER_DIR={self.pending}\n'
            f'TRANSFER_DIR={self.transfer}\n'
            f'ZONEINFO_DIR={self.root}/zoneinfo\n'
            f'PROVIDER_PATHS="/none {self.fake}/libgalera.so"\n'
            'SERVER_COMMANDS=mariadbd\nNEEDS_BASEDIR=\n')

    def set(self, name: str, value: str) -> None:
        """Replace a setting of the start program."""
        self.settings.write_text(
            f'{self.settings.read_text()}{name}={value}\n')

    def environment(self) -> dict[str, str]:
        return {'PATH': f'{self.programs}:{os.environ["PATH"]}',
                'FAKE': str(self.fake), 'ORDERS': str(self.pending),
                'DATA': str(self.data),
                'TMPDIR': str(self.fake)}

    def start(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it until it and all processes that it started have ended."""
        said = self.fake / 'stdout', self.fake / 'stderr'
        all_ended, runs = os.pipe()
        with said[0].open('w') as out, said[1].open('w') as err:
            done = subprocess.run(
                ['sh', self.script, *words], stdout=out, stderr=err,
                env=self.environment(), pass_fds=(runs,))
        os.close(runs)
        with open(all_ended, 'rb') as pipe:
            pipe.read()
        done.stdout, done.stderr = (path.read_text() for path in said)
        return done

    def order(self, order: str) -> None:
        (self.pending / 'next-start').write_text(f'{order}\n')
        if order == program.BOOTSTRAP:
            (self.pending / 'initialise.sql').write_text('CREATE USER u;\n')

    def database(self, position: str = f'{UUID}:7') -> None:
        (self.data / 'mysql').mkdir()
        (self.fake / 'position').write_text(position)

    def started(self) -> list[str]:
        """The arguments of the server, without those that it always gets."""
        done = self.start()
        self.assertEqual('', done.stdout)
        self.assertEqual(0, done.returncode, done.stderr)
        words = (self.fake / 'started').read_text().splitlines()
        self.assertEqual(['--defaults-file=/etc/mysql/my.cnf',
                          f'--wsrep_provider={self.fake}/libgalera.so'],
                         words[:2])
        return words[2:]

    def refused(self) -> str:
        """The message of the program; the server was not started."""
        done = self.start()
        self.assertNotEqual(0, done.returncode)
        self.assertFalse((self.fake / 'started').exists())
        self.assertIn('galera-start: [ERROR]', done.stderr)
        return done.stderr

    def transfers(self, script: str) -> None:
        """Set the script that the server runs before it ends."""
        (self.fake / 'transfer').write_text(
            f'arriving={self.data}/sst_in_progress\n'
            f'mark={self.transfer}/unsynced\n'
            f'since_boot={self.pending}/unsynced\n'
            f'wait_for() {{ while ! eval "$1"; do /bin/sleep 0.02; done; }}\n'
            f'{script}\n')

    def logs(self, *lines: str, then: str) -> None:
        """Make the server log these lines, and then run a script."""
        told = '\n'.join(f"echo '{line}' >&2" for line in lines)
        self.transfers(f'{told}\n{then}')

    def grastate(self, seqno: int = -1, uuid: str = UUID,
                 safe: str = 'safe_to_bootstrap: 0\n') -> None:
        (self.data / 'grastate.dat').write_text(
            f'# GALERA saved state\nversion: 2.1\nuuid:    {uuid}\n'
            f'seqno:   {seqno}\n{safe}')

    def saved(self) -> dict[str, str]:
        lines = (self.data / 'grastate.dat').read_text().splitlines()
        return {key: value.strip() for key, _, value in (
            line.partition(':') for line in lines if line[0] != '#')}

    def crashed_at(self, seqno: int) -> None:
        self.database(position=f'{UUID}:{seqno}')
        self.grastate()

    def is_evicted(self) -> bool:
        return (self.transfer / 'cast-out').exists()

    def assert_not_continued(self, words: str) -> None:
        """Check that an order to continue from UUID:7 is refused."""
        before = {path.name: path.read_text()
                  for path in self.data.iterdir() if path.is_file()}
        self.order(f'continue {UUID}:7')
        self.assertIn(f'continue refused: {words}'.replace(
            'DATA', str(self.data)), self.refused())
        self.assertEqual(before, {
            path.name: path.read_text()
            for path in self.data.iterdir() if path.is_file()})
        self.assertEqual([], os.listdir(self.pending))

    def assert_killed(self) -> None:
        """Check that all processes of HANGS end; a kill takes a moment."""
        def probe() -> None:
            left = [pid for pid in (self.fake / 'pids').read_text().split()
                    if runs(pid)]
            if left:
                raise waiting.NotYet(f'{left} run')
        waiting.until('what hung to end', probe, 10, 0.01)


def runs(pid: str) -> bool:
    """Whether this process runs; a zombie does not."""
    try:
        stat = pathlib.Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(') ')[2][0] != 'Z'
