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

"""A start program in a folder, with servers that only note what they got."""

import os
import pathlib
import subprocess

import fixtures

from trove_pxc.galera import dialect
from trove_pxc.guestagent import program

from tests.unit.guestagent import fakes

UUID = 'f00d1b77-e732-11f1-88aa-77cb7e14d66a'

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

# The watch of state transfers sleeps for as long as the server lives.
SLEEP = '''#!/bin/sh
if [ "$1" = 0.5 ]; then exec /bin/sleep 0.05; fi
echo "$1" > "$FAKE/slept"
'''


class StartTestCase(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.Timeout(60, gentle=True))
        self.fake = self.folder('fake')
        self.orders = self.folder('run')
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

    def install(self) -> None:
        folder = self.folder('etc/trove-pxc')
        settings = program.settings(
            dialect.for_version('mariadb', fakes.VERSION), self.where)
        (folder / 'galera-start.conf').write_text(
            f'{settings}ORDER_DIR={self.orders}\n'
            f'TRANSFER_DIR={self.transfer}\n'
            f'ZONEINFO_DIR={self.root}/zoneinfo\n'
            f'PROVIDER_PATHS="/none {self.fake}/libgalera.so"\n')
        (folder / 'galera-start.sh').write_text(program.text())
        self.script = str(folder / 'galera-start.sh')

    def environment(self) -> dict[str, str]:
        return {'PATH': f'{self.programs}:{os.environ["PATH"]}',
                'FAKE': str(self.fake), 'ORDERS': str(self.orders),
                'TMPDIR': str(self.fake)}

    def start(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it until all have ended that it started."""
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
        (self.orders / 'next-start').write_text(f'{order}\n')
        if order == program.BOOTSTRAP:
            (self.orders / 'initialise.sql').write_text('CREATE USER u;\n')

    def database(self, position: str = f'{UUID}:7') -> None:
        (self.data / 'mysql').mkdir()
        (self.fake / 'position').write_text(position)

    def started(self) -> list[str]:
        """What the server was started with, after what it always gets."""
        done = self.start()
        self.assertEqual('', done.stdout)
        self.assertEqual(0, done.returncode, done.stderr)
        words = (self.fake / 'started').read_text().splitlines()
        self.assertEqual(['--defaults-file=/etc/mysql/my.cnf',
                          f'--wsrep_provider={self.fake}/libgalera.so'],
                         words[:2])
        return words[2:]

    def refused(self) -> str:
        """The program's words when it started nothing."""
        done = self.start()
        self.assertNotEqual(0, done.returncode)
        self.assertFalse((self.fake / 'started').exists())
        self.assertIn('galera-start: [ERROR]', done.stderr)
        return done.stderr
