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

"""The accounts of this package, and the statements that restore them."""

import testtools

from trove_pxc.galera import credentials
from trove_pxc.galera import dialect
from trove_pxc.galera import secret
from trove_pxc.galera import settings

SECRETS = settings.ClusterSecrets(*map(secret.Secret, ('a', 'r', 's')))


def statements(version, number, manager='mariadb', method=None):
    spoken = dialect.for_version(manager, version)
    account = credentials.own(spoken, SECRETS, method)[number]
    return [one.reveal() for one in credentials.statements(spoken, account)]


class CredentialsTest(testtools.TestCase):

    def users(self, manager, version, method=None):
        return [str(one) for one in credentials.own(
            dialect.for_version(manager, version), SECRETS, method)]

    def test_who_needs_an_account(self):
        always = ['os_admin@localhost', 'root@localhost']
        self.assertEqual([*always, 'os_sst@localhost'],
                         self.users('mariadb', '10.11', 'mariabackup'))
        self.assertEqual(always, self.users('mariadb', '10.11', 'rsync'))
        self.assertEqual(always, self.users('pxc', '8.0'))

    def test_two_of_them_may_restore_the_others(self):
        own = credentials.own(dialect.for_version('mariadb', '10.11'),
                              SECRETS, 'mariabackup')
        self.assertEqual([True, True, False],
                         [one.administers for one in own])

    def test_statements(self):
        hashed = '*667F407DE7C6AD07358FA38DAED7828A72014B4E'
        self.assertEqual([
            "CREATE USER IF NOT EXISTS 'os_admin'@'localhost' "
            f"IDENTIFIED BY PASSWORD '{hashed}'",
            "ALTER USER 'os_admin'@'localhost' IDENTIFIED BY PASSWORD "
            f"'{hashed}'",
            "GRANT ALL ON *.* TO 'os_admin'@'localhost' WITH GRANT OPTION"],
            statements('10.11', 0))
        self.assertIn('RELOAD, ', statements(
            '10.11', 2, method='mariabackup')[-1])
        self.assertNotIn('GRANT OPTION', statements(
            '10.11', 2, method='mariabackup')[-1])
        self.assertEqual([
            "GRANT ALL ON *.* TO 'root'@'localhost' IDENTIFIED BY 'r' "
            'WITH GRANT OPTION'], statements('5.6', 1, 'pxc'))

    def test_a_server_that_shows_statements_gets_no_password(self):
        for number in range(3):
            for one in statements('10.11', number, method='mariabackup'):
                self.assertNotIn("IDENTIFIED BY '", one)

    def test_cleanup(self):
        spoken = dialect.for_version('mariadb', '10.11')
        self.assertEqual(
            "DROP USER IF EXISTS 'os_admin'@'localhost'",
            credentials.drop_statement(
                spoken, credentials.own(spoken, SECRETS)[0]))
