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
from trove_pxc.galera import errors
from trove_pxc.galera.secret import Secret
from trove_pxc.galera.settings import ClusterSecrets

SECRETS = ClusterSecrets(
    Secret('admin-pass'), Secret('root-pass'), Secret('sst-pass'))

OLD = dialect.for_version('pxc', '5.6')
NEW = dialect.for_version('mariadb', '10.11')
PASSWORDS = ('plain', "', 'u2'@'%' IDENTIFIED BY 'x", 'a"b`c;d,e\\f/ \t',
             '100%s', 'p\u00e4ss\u6f22\U0001f600')
NAMES = ('joe', 'b\u00fcser', "x@zz' OR User='y", '%s')
HOSTS = ('%', 'app.example.com', '10.0.0.%', "h'")


def revealed(statements):
    return [statement.reveal() for statement in statements]


class WordsTest(testtools.TestCase):

    def test_literals(self):
        for text, wanted in (('plain', "'plain'"), ("o'neill", "'o''neill'"),
                             ('back\\slash', "'back\\\\slash'"),
                             ("\\'; DROP", "'\\\\''; DROP'"), ('', "''")):
            self.assertEqual(wanted, accounts.literal(text))

    def test_identifiers(self):
        for name, wanted in (
                ('shop', '`shop`'), ('a`; DROP', '`a``; DROP`'),
                ("o'n\\", "`o'n\\`"), ('100%s', '`100%%s`'), ('', '``')):
            self.assertEqual(wanted, accounts.identifier(name))

    def test_the_hash_of_a_password(self):
        """The result of SELECT PASSWORD('mariadb') (mariadb.com/kb)."""
        found = accounts.native_hash(Secret('mariadb'))
        self.assertEqual('*54958E764CE10E50764C2EECBB71D01F08549980',
                         found.reveal())
        self.assertNotIn('54958E', repr(found))

    def test_the_pattern_of_a_database_names_no_other(self):
        for name, wanted in (
                ('shop', 'shop'), ('my_shop', 'my\\_shop'),
                ('%', '\\%'), ('mysq_', 'mysq\\_'), ('a\\b', 'a\\\\b')):
            self.assertEqual(wanted, accounts.pattern(name))
            self.assertEqual(name, accounts.database_of(wanted))

    def test_a_grant_that_was_made_with_wildcards(self):
        self.assertEqual('my_shop', accounts.database_of('my_shop'))

    def test_a_pattern_that_is_too_long(self):
        accounts.pattern('_' * 32)
        failure = self.assertRaises(
            errors.Unusable, accounts.pattern, '_' * 33)
        self.assertIn('longer than 64 characters', str(failure))

    def test_a_statement_shows_no_password(self):
        shown = repr(accounts.create_user('a', '%', Secret('geheim')))
        self.assertIn('CREATE USER', shown)
        self.assertNotIn('geheim', shown)

    def test_the_mode_of_a_session(self):
        for one in catalogue.DIALECTS:
            modes = accounts.session_mode(one).split(',')
            self.assertNotIn('NO_BACKSLASH_ESCAPES', modes)
            # 8.x does not have it any more, and does not need it.
            self.assertEqual(
                not (one.manager == 'pxc' and one.version >= (8, 0)),
                'NO_AUTO_CREATE_USER' in modes, one.name)


class StatementsTest(testtools.TestCase):
    """Each statement in each dialect; the values are separate."""

    def check(self, text, values, *statements):
        """Text and values of the only statement."""
        (statement,) = statements
        self.assertEqual((text, values),
                         (statement.text, statement.revealed()))

    def test_creating_a_user(self):
        """Every dialect supports this, with the password."""
        for host in HOSTS:
            for name in NAMES:
                for password in PASSWORDS:
                    self.check('CREATE USER %s@%s IDENTIFIED BY %s',
                               (name, host, password), accounts.create_user(
                                   name, host, Secret(password)))

    def test_setting_a_password(self):
        for one in catalogue.DIALECTS:
            text = ('SET PASSWORD FOR %s@%s = PASSWORD(%s)'
                    if one.version == (5, 6)
                    else 'ALTER USER %s@%s IDENTIFIED BY %s')
            for password in PASSWORDS:
                self.check(text, ("o'neill", '%', password),
                           accounts.set_password(
                               one, "o'neill", '%', Secret(password)))

    def test_an_account_is_at_no_moment_without_a_password(self):
        """The first statement with the account has the password."""
        for one in catalogue.DIALECTS:
            made = accounts.create_account(
                one, 'root', '%', Secret("p'w"), ('ALL',), grant_option=True)
            self.assertEqual(('root', '%', "p'w"), made[0].revealed())
            self.assertTrue(made[-1].text.startswith(
                'GRANT ALL ON *.* TO %s@%s'))
            self.assertTrue(made[-1].text.endswith('WITH GRANT OPTION'))
            if one.version == (5, 6):
                (only,) = made
                self.assertIn('IDENTIFIED BY %s WITH GRANT', only.text)
            else:
                self.assertEqual(
                    ['CREATE USER IF NOT EXISTS %s@%s IDENTIFIED BY %s',
                     'ALTER USER %s@%s IDENTIFIED BY %s'],
                    [statement.text for statement in made[:2]])

    def test_privileges(self):
        for privileges, words in ((('RELOAD', 'LOCK TABLES'),
                                   'GRANT RELOAD, LOCK TABLES ON *.*'),
                                  ((), 'GRANT USAGE ON *.*')):
            made = accounts.create_account(
                NEW, 'a', '%', Secret('p'), privileges)
            self.assertIn(words, made[-1].text)
        self.assertRaises(ValueError, accounts.create_account, NEW, 'a', '%',
                          Secret('p'), ("ALL ON *.* TO 'x'@'%'; --",))

    def test_renaming_and_dropping(self):
        self.check('RENAME USER %s@%s TO %s@%s', ('a', '%', "b'", '10.%'),
                   accounts.rename_user('a', '%', "b'", '10.%'))
        self.check('DROP USER %s@%s', ("o'neill", 'app.example.com'),
                   accounts.drop_user("o'neill", 'app.example.com'))

    def test_roles_are_no_users(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(one.manager == 'mariadb',
                             'is_role' in accounts.users(one).text)

    def test_granting(self):
        self.check('GRANT ALL PRIVILEGES ON `a\\_``\\%%`.* TO %s@%s',
                   ('u', '%'), accounts.grant('u', '%', 'a_`%'))

    def test_revoking_takes_the_pattern_as_it_stands(self):
        self.check('REVOKE ALL PRIVILEGES ON `a_b`.* FROM %s@%s',
                   ('u', '%'), *accounts.revoke('u', '%', 'a_b'))
        self.assertEqual(
            ['REVOKE GRANT OPTION ON `a\\_b`.* FROM %s@%s',
             'REVOKE ALL PRIVILEGES ON `a\\_b`.* FROM %s@%s'],
            [statement.text for statement in accounts.revoke(
                'u', '%', 'a\\_b', grant_option=True)])

    def test_databases(self):
        for wanted, text, values in (
                ((), 'CREATE DATABASE `x``y`', ()),
                (('utf8mb4',), 'CREATE DATABASE `x``y` CHARACTER SET %s',
                 ('utf8mb4',)),
                ((None, 'utf8mb4_bin'), 'CREATE DATABASE `x``y` COLLATE %s',
                 ('utf8mb4_bin',)),
                (('latin1', "l'; --"), 'CREATE DATABASE `x``y` '
                 'CHARACTER SET %s COLLATE %s', ('latin1', "l'; --"))):
            self.check(text, values, accounts.create_database('x`y', *wanted))
        self.check('DROP DATABASE `x``y`', (), accounts.drop_database('x`y'))

    def test_a_statement_as_one_text(self):
        self.assertEqual(
            "CREATE USER 'a%s'@'%' IDENTIFIED BY 'o''%d'",
            accounts.create_user('a%s', '%', Secret("o'%d")
                                 ).written().reveal())
        self.assertEqual('DROP DATABASE `100%`', accounts.drop_database(
            '100%').written().reveal())


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
