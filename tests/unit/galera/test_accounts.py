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

import testtools

from trove_pxc.galera import accounts
from trove_pxc.galera import catalogue
from trove_pxc.galera import dialect
from trove_pxc.galera.secret import Secret
from trove_pxc.galera.settings import ClusterSecrets

SECRETS = ClusterSecrets(
    Secret('admin-pass'), Secret('root-pass'), Secret('sst-pass'))

OLD = dialect.for_version('pxc', '5.6')
NEW = dialect.for_version('mariadb', '10.11')


def revealed(statements):
    return [statement.reveal() for statement in statements]


class WordsTest(testtools.TestCase):

    def test_literals(self):
        for text, wanted in (('plain', "'plain'"), ("o'neill", "'o''neill'"),
                             ('back\\slash', "'back\\\\slash'"),
                             ("\\'; DROP", "'\\\\''; DROP'"), ('', "''")):
            self.assertEqual(wanted, accounts.literal(text))

    def test_password_of_an_account(self):
        password = Secret('p')
        self.assertEqual(
            "ALTER USER 'root'@'localhost' IDENTIFIED BY 'p'",
            accounts.set_password(NEW, 'root', 'localhost',
                                  password).reveal())
        self.assertEqual(
            "SET PASSWORD FOR 'root'@'localhost' = PASSWORD('p')",
            accounts.set_password(OLD, 'root', 'localhost',
                                  password).reveal())

    def test_creating_an_account(self):
        password = Secret('p')
        self.assertEqual(
            ["GRANT RELOAD ON *.* TO 'a'@'%' IDENTIFIED BY 'p'"],
            revealed(accounts.create_account(
                OLD, 'a', '%', password, ('RELOAD',))))
        self.assertEqual(
            ["CREATE USER IF NOT EXISTS 'a'@'%' IDENTIFIED BY 'p'",
             "ALTER USER 'a'@'%' IDENTIFIED BY 'p'",
             "GRANT RELOAD, PROCESS ON *.* TO 'a'@'%' WITH GRANT OPTION"],
            revealed(accounts.create_account(
                NEW, 'a', '%', password, ('RELOAD', 'PROCESS'),
                grant_option=True)))
        self.assertIn("GRANT USAGE ON *.* TO 'a'@'%'", revealed(
            accounts.create_account(NEW, 'a', '%', password, ())))

    def test_dropping_an_account(self):
        self.assertEqual("DROP USER IF EXISTS 'a'@'%'",
                         accounts.drop_account(NEW, 'a', '%'))
        self.assertEqual("DROP USER 'a'@'%'",
                         accounts.drop_account(OLD, 'a', '%'))


class InitialStatementsTest(testtools.TestCase):

    def test_every_dialect_secures_root_and_makes_the_administrator(self):
        for one in catalogue.DIALECTS:
            text = '\n'.join(revealed(
                accounts.initial_statements(one, SECRETS)))
            self.assertIn("'root'@'localhost'", text)
            self.assertIn('root-pass', text)
            self.assertIn("'os_admin'@'localhost'", text)
            self.assertIn('admin-pass', text)
            self.assertIn('WITH GRANT OPTION', text)

    def test_the_sst_account_is_made_where_a_method_needs_it(self):
        for one in catalogue.DIALECTS:
            for method in one.sst_methods:
                text = '\n'.join(revealed(accounts.initial_statements(
                    one, SECRETS, sst_method=method)))
                self.assertEqual(method in one.sst_auth_methods,
                                 'os_sst' in text, (one.name, method))

    def test_one_line_each_without_its_end(self):
        for one in catalogue.DIALECTS:
            for statement in revealed(
                    accounts.initial_statements(one, SECRETS)):
                self.assertNotIn('\n', statement)
                self.assertFalse(statement.endswith(';'))

    def test_no_statement_shows_itself(self):
        for one in catalogue.DIALECTS:
            shown = repr(accounts.initial_statements(one, SECRETS))
            self.assertNotIn('pass', shown)

    def test_words_that_five_six_does_not_know(self):
        for statement in revealed(
                accounts.initial_statements(OLD, SECRETS)):
            self.assertNotIn('ALTER USER', statement)
            self.assertNotIn('CREATE USER', statement)
            self.assertNotIn('DROP USER', statement)

    def test_words_that_the_eights_have_dropped(self):
        for version in ('8.0', '8.4'):
            for statement in revealed(accounts.initial_statements(
                    dialect.for_version('pxc', version), SECRETS)):
                self.assertNotIn('PASSWORD(', statement)
                if statement.startswith('GRANT'):
                    self.assertNotIn('IDENTIFIED', statement)

    def test_open_accounts_are_closed_before_anything_else(self):
        for one in (OLD, NEW, dialect.for_version('mariadb', '10.6')):
            statements = revealed(accounts.initial_statements(one, SECRETS))
            self.assertEqual(list(one.initial_cleaning),
                             statements[:len(one.initial_cleaning)])
            self.assertTrue(any("User = ''" in statement
                                for statement in statements))
