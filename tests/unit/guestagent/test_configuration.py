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

"""The files for the container, on the guest's disk."""

import dataclasses
import os

from trove_pxc.galera import dialect
from trove_pxc.guestagent import configuration
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program

from tests.unit.guestagent import fakes

MARIADB = dialect.for_version('mariadb', '10.11')
PXC = dialect.for_version('pxc', '5.6')


class ConfigurationTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.where = paths.Paths(
            mount_point=f'{self.root}/volume',
            config_dir=f'{self.root}/etc', order_dir=f'{self.root}/run')
        for folder in (self.where.include_dir, self.where.order_dir):
            os.makedirs(folder)
        self.configuration = configuration.Configuration(
            self.files, self.where, f'{os.getuid()}:{os.getgid()}')

    def text(self, path: str) -> str:
        with open(path) as file:
            return file.read()

    def write(self, one: dialect.Dialect = MARIADB,
              in_image: tuple[str, ...] | None = None,
              sst_method: str | None = None) -> str:
        membership = dataclasses.replace(
            fakes.membership(), facts=dataclasses.replace(
                fakes.facts(), sst_method=sst_method))
        self.configuration.write_membership(one, membership, in_image)
        return self.text(self.where.cluster_file)

    def test_the_start_program_is_for_all_to_read_and_run(self) -> None:
        os.makedirs(f'{self.root}/start')
        where = dataclasses.replace(self.where,
                                    start_dir=f'{self.root}/start')
        configuration.Configuration(self.files, where, '').write_program(
            MARIADB)
        self.assertEqual({*program.texts(), program.SETTINGS},
                         set(os.listdir(where.start_dir)))
        self.assertEqual(0o755, self.mode(where.start_file(program.PROGRAM)))
        self.assertEqual(0o644, self.mode(where.start_file('watch.sh')))
        self.assertEqual(program.settings(MARIADB, where),
                         self.text(where.start_file(program.SETTINGS)))

    def test_the_identity_is_the_servers_alone(self) -> None:
        self.write()
        folder = self.where.certificate_dir
        self.assertEqual(0o700, self.mode(folder))
        self.assertEqual(['ca.pem', 'cert.pem', 'key.pem'],
                         sorted(os.listdir(folder)))
        for name in os.listdir(folder):
            self.assertEqual(0o600, self.mode(f'{folder}/{name}'))
        self.assertEqual('private key\n', self.text(f'{folder}/key.pem'))

    def test_socat_of_5_6_has_its_pair(self) -> None:
        self.write(PXC)
        self.assertEqual(
            'certificate\nprivate key\n',
            self.text(f'{self.where.certificate_dir}/pair.pem'))

    def test_the_settings_point_to_it(self) -> None:
        text = self.write()
        self.assertIn(f'{self.where.certificate_dir}/key.pem', text)
        self.assertIn('[sst]', text)

    def test_transfers_are_encrypted_if_the_image_can(self) -> None:
        encrypted = '\nencrypt = '
        self.assertNotIn(encrypted, self.write(in_image=('mariabackup',)))
        self.assertIn(encrypted, self.write(
            in_image=('mariabackup', 'mariabackup+tls')))
        self.assertNotIn(encrypted, self.write(PXC, sst_method='rsync'))

    def test_accounts_are_written_for_the_server_alone(self) -> None:
        self.files.write_all(self.configuration.initial_accounts(
            MARIADB, fakes.membership()))
        path = self.where.initial_sql_file
        self.assertEqual(0o600, self.mode(path))
        self.assertIn(fakes.PASSWORDS[0], self.text(path))
