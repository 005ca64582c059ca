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
"""A real Keystone from PyPI, in a separate Python environment.

Imported by ``lab.services.all`` and ``lab.up``, for a lab that was started
with ``--keystone``. Its tables are in the lab's MariaDB. Its keys are in a
folder that is removed together with the tables.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
import subprocess

from lab import errors
from lab import home as lab_home
from lab import identity
from lab import netns
from lab import private
from lab import process
from lab.services import base
from lab.services import mariadb
from lab.swift import conf

DATABASE = 'keystone'
FILE = 'keystone.conf'

CONFIGURATION = """\
[DEFAULT]
debug = {debug}
use_stderr = True

[database]
connection = {connection}

[token]
provider = fernet
# A test may take longer than an hour.
expiration = {token_seconds}

[fernet_tokens]
key_repository = {root}/fernet-keys

[credential]
key_repository = {root}/credential-keys

[identity]
# The lab's passwords are long and random, so slow hashes are not needed.
password_hash_rounds = 4
"""

#: A file, because Keystone would parse options on the command line as its own.
SERVER = f"""\
wsgi_app = 'keystone.wsgi.api:application'
bind = '127.0.0.1:{lab_home.KEYSTONE_PORT}'
workers = 1
threads = 8
control_socket_disable = True
"""


class Keystone(base.Service):
    name = 'keystone'

    def configure(self) -> None:
        root = self.home.keystone
        for folder in (root, root / 'fernet-keys', root / 'credential-keys'):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private.write(root / FILE, CONFIGURATION.format(
            debug=bool(self.home.settings().get('debug', False)), root=root,
            token_seconds=conf.token_seconds(self.home),
            connection=mariadb.connection_url(self.home, DATABASE)))
        self._file('gunicorn.conf.py').write_text(SERVER)

    def prepare(self) -> None:
        """Create its tables, keys and first user; MariaDB must be up."""
        done = self._file('tables-are-there')
        if done.exists():
            return
        self.configure()
        mariadb.MariaDB(self.home).make_database(DATABASE)
        owner = ('--keystone-user', 'root', '--keystone-group', 'root')
        self._manage('db_sync')
        self._manage('fernet_setup', *owner)
        self._manage('credential_setup', *owner)
        inside = self.home.identity_url
        self._manage(
            'bootstrap', '--bootstrap-region-id', identity.REGION,
            '--bootstrap-internal-url', inside,
            '--bootstrap-admin-url', inside,
            '--bootstrap-public-url', self.home.keystone_url,
            # not on the command line, which all users can read
            OS_BOOTSTRAP_PASSWORD=self.home.secret('keystone-admin'))
        done.touch()

    def argv(self) -> Sequence[str]:
        return [str(self._program('gunicorn'))]

    def env(self) -> Mapping[str, str]:
        return {'OS_KEYSTONE_CONFIG_DIR': str(self.home.keystone),
                'OS_KEYSTONE_CONFIG_FILES': FILE,
                'GUNICORN_CMD_ARGS':
                    f"--config={self._file('gunicorn.conf.py')}"}

    def answers(self) -> bool:
        return base.answers_http(self.home, self.home.identity_url)

    def stop(self) -> None:
        process.stop(self.home, self.name, timeout=5)

    def _manage(self, *words: str, **secrets: str) -> None:
        log = process.log_file(self.home, 'keystone-manage')
        with log.open('a') as output:
            done = subprocess.run(
                netns.inside(self.home.controller, [
                    str(self._program('keystone-manage')),
                    '--config-file', str(self._file(FILE)), *words]),
                cwd=self.home.root, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT,
                env={**process.environment(self.home), **secrets})
        if done.returncode:
            raise errors.LabError(
                f'keystone-manage {words[0]} failed with {done.returncode}: '
                f'{base.last_lines(str(log))}')

    def _program(self, name: str) -> Path:
        return self.home.venv_keystone / 'bin' / name

    def _file(self, name: str) -> Path:
        return self.home.keystone / name
