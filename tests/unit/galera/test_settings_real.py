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

"""The files for MariaDB, read by the server of this host if it has one."""

import pathlib
import shutil
import subprocess
import tempfile

import testtools

from trove_pxc.galera import defaults
from trove_pxc.galera import dialect
from trove_pxc.galera import errors
from trove_pxc.galera import secret
from trove_pxc.galera import settings

FLAVORS = ((512, 1), (2048, 5), (16384, 200))
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'


class RealServerTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        server = shutil.which('mariadbd', path=PATH)
        if server is None:
            self.skipTest('there is no mariadbd on this machine')
        self.server = server
        numbers = dialect.parse_version(self.said('--no-defaults',
                                                  '--version'))
        try:
            self.dialect = dialect.for_version(
                'mariadb', '.'.join(map(str, (numbers or ())[:2])))
        except errors.UnsupportedVersion as unknown:
            self.skipTest(f'the mariadbd of this machine: {unknown}')
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / 'conf.d').mkdir()

    def said(self, *arguments: str) -> str:
        """The output of the server, without errors and deprecations."""
        done = subprocess.run(
            [self.server, *arguments], text=True, capture_output=True)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertNotRegex(
            done.stderr, r'(?i)\[error\]|unknown|deprecated|adjusted')
        return done.stdout

    def configuration(self, memory_mb: int, volume_gb: int,
                      method: str) -> str:
        members = (('c-1', '10.0.0.1'), ('c-2', '10.0.0.2'))
        facts = settings.MemberFacts(
            'c', 'c' * 32, 'c-1', '10.0.0.1', members, 'i', memory_mb,
            volume_gb, method, defaults.choose(
                self.dialect, collation=None,
                mode=('STRICT_REPLICATION', 'DISALLOW_LOCAL_GTID')))
        secrets = settings.ClusterSecrets(
            *map(secret.Secret, ('admin', 'root', 'sst')))
        return settings.server_config(
            self.dialect, facts, data_dir=str(self.folder),
            include_dir=str(self.folder / 'conf.d')) + settings.cluster_config(
                self.dialect, facts, secrets, '/none/libgalera_smm.so')

    def test_it_takes_every_option(self) -> None:
        path = self.folder / 'my.cnf'
        for memory_mb, volume_gb in FLAVORS:
            for method in self.dialect.sst_methods:
                path.write_text(self.configuration(
                    memory_mb, volume_gb, method))
                said = self.said(f'--defaults-file={path}', '--verbose',
                                 '--help')
                self.assertRegex(
                    said, rf'\nwsrep-sst-method +{method}\n')
                self.assertRegex(said, r'\nwsrep-mode +STRICT_REPLICATION,')
                self.assertRegex(
                    said, rf'\ncollation-server +{self.dialect.collation}\n')
