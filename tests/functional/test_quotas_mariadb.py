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

"""Quotas hold in MariaDB, as in production, with operating system threads."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import testtools

from tests.functional import counting
from trove_pxc import waiting

SERVER = 'mariadbd'
INSTALL = 'mariadb-install-db'
START_SECONDS = 60
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
TOP = pathlib.Path(__file__).parents[2]


class ServerTest(testtools.TestCase):
    """A test with a MariaDB server of its own."""

    def setUp(self) -> None:
        super().setUp()
        for program in (SERVER, INSTALL):
            if shutil.which(program, path=PATH) is None:
                self.skipTest(f'{program} is not installed')
        memory = '/dev/shm' if os.path.isdir('/dev/shm') else None
        folder = tempfile.TemporaryDirectory(dir=memory)
        self.addCleanup(folder.cleanup)
        self.place = pathlib.Path(folder.name)
        self.socket = self.place / 'socket'
        self.start()

    def start(self) -> None:
        """Start a server that only this user can reach, through its socket."""
        data = f'--datadir={self.place}/data'
        usual = ['--no-defaults', '--user=root', data]
        subprocess.run(
            [INSTALL, *usual, '--auth-root-authentication-method=normal'],
            check=True, capture_output=True, env={'PATH': PATH})
        server = subprocess.Popen(
            [str(shutil.which(SERVER, path=PATH)), *usual,
             f'--socket={self.socket}', f'--pid-file={self.place}/pid',
             '--skip-networking'],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)

        def probe() -> None:
            made = subprocess.run(
                ['mariadb', '--no-defaults', '--user=root',
                 f'--socket={self.socket}', '--execute',
                 'CREATE DATABASE trove'], check=False, capture_output=True,
                text=True)
            if made.returncode:
                raise waiting.NotYet(made.stderr)
        waiting.until('the server to answer', probe, START_SECONDS, 0.2)


class MariaDBTest(ServerTest):

    def test_parallel_threads_stay_within_the_quota(self) -> None:
        done = subprocess.run(
            [sys.executable, counting.__file__, str(self.socket)],
            check=True, capture_output=True, text=True,
            env={**os.environ, 'PYTHONPATH': str(TOP)})
        found = json.loads(done.stdout.splitlines()[-1])
        limit = counting.LIMIT
        self.assertEqual({'made': 10, 'QuotaExceeded': 4},
                         found['creates']['ended'])
        in_use = found['creates']['made']
        self.assertEqual(limit, in_use)
        for told in (found['creates'], found['replaced']):
            self.assertEqual(
                {'instances': [limit, 0], 'ram': [512 * limit, 0],
                 'volumes': [limit, 0]},
                {name: told['counts'][name]
                 for name in ('instances', 'ram', 'volumes')})
        self.assertEqual(0, found['replaced']['made'])
