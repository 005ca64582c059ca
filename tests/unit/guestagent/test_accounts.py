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

"""A member's users and databases, on a server in memory."""

from typing import Any

import testtools
from trove.common import cfg

from tests import sqlserver
from trove_pxc import exceptions
from trove_pxc.galera import catalogue
from trove_pxc.galera import dialect
from trove_pxc.guestagent import accounts
from trove_pxc.guestagent import database

CONF = cfg.CONF
PASSWORD = "', 'u2'@'%' IDENTIFIED BY 'stolen1"
ODD_NAMES = ('b\u00fcser', "x@zz' OR User='udollar", 'a"b`c;--', '%s', 'a@b')
HOSTS = ('%', 'app.example.com', '10.0.0.%', '::1')


def user(name: str, password: str | None = PASSWORD, host: str | None = '%',
         databases: tuple[str, ...] = ()) -> dict[str, Any]:
    """A user as Trove's API sends it."""
    return {'_name': name, '_host': host, '_password': password,
            '_databases': [{'_name': one} for one in databases]}


def schema(name: str, **more: str) -> dict[str, Any]:
    return {'_name': name, '_character_set': None, '_collate': None, **more}


class AccountsTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        CONF.set_override('datastore_manager', 'mariadb')
        self.addCleanup(CONF.clear_override, 'datastore_manager')
        self.server = sqlserver.Server()
        self.admin = self.admin_of(dialect.for_version('mariadb', '10.11'))

    def admin_of(self, one: dialect.Dialect) -> accounts.MemberAdmin:
        server: Any = self.server
        return accounts.MemberAdmin(server, one)

    def refuse(self, kind: type[Exception], words: str, ask: Any,
               *values: Any) -> str:
        failure = self.assertRaises(kind, ask, *values)
        self.assertIs(kind, type(failure))
        self.assertIn(words, str(failure))
        return str(failure)

    def names(self) -> list[str]:
        page, _ = self.admin.list_users()
        return [one['_name'] for one in page]


class UsersTest(AccountsTestCase):

    def test_any_name_can_be_made_shown_changed_and_deleted(self) -> None:
        for name in ODD_NAMES:
            for host in HOSTS:
                self.admin.create_users([user(name, host=host)])
                self.assertEqual({
                    '_name': name, '_host': host, '_password': None,
                    '_databases': [], '_is_root': False},
                    self.admin.get_user(name, host))
                self.assertEqual([name], self.names())
                self.admin.change_passwords([
                    {'name': name, 'host': host, 'password': 'other'}])
                self.assertEqual('other', self.server.users[
                    f'{name}@{host}']['_password'])
                self.admin.delete_user(user(name, None, host))
                self.assertIsNone(self.admin.get_user(name, host))

    def test_nothing_of_a_user_is_in_the_text_of_a_statement(self) -> None:
        self.admin.create_users([user(ODD_NAMES[1])])
        self.admin.change_passwords([{
            'name': ODD_NAMES[1], 'host': '%', 'password': PASSWORD}])
        self.assertEqual(['CREATE USER %s@%s IDENTIFIED BY %s',
                          'ALTER USER %s@%s IDENTIFIED BY %s'],
                         self.server.texts)
        self.assertEqual([f'{ODD_NAMES[1]}@%'], list(self.server.users))

    def test_every_dialect(self) -> None:
        for one in catalogue.DIALECTS:
            admin = self.admin_of(one)
            admin.create_users([user('joe', databases=('a_b',))])
            admin.update_attributes('joe', '%', {'password': 'x'})
            self.assertEqual('x', self.server.users['joe@%']['_password'])
            admin.enable_root('r-1')
            admin.disable_root()
            admin.delete_user(user('joe'))
            del self.server.users['root@%']

    def test_hosts_are_kept_in_lower_case(self) -> None:
        self.admin.create_users([user('joe', host='APP.Example.com')])
        found = self.admin.get_user('joe', 'app.EXAMPLE.com')
        assert found
        self.assertEqual('app.example.com', found['_host'])
        self.admin.update_attributes('joe', 'app.example.com',
                                     {'host': 'DB.Example.com'})
        self.assertEqual(['joe@db.example.com'], list(self.server.users))

    def test_what_no_list_shows_is_not_made(self) -> None:
        """Otherwise the user could not be shown or deleted."""
        CONF.set_override('ignore_users', ['operator_s'], 'mariadb')
        self.addCleanup(CONF.clear_override, 'ignore_users', 'mariadb')
        CONF.set_override('ignore_dbs', ['metrics'], 'mariadb')
        self.addCleanup(CONF.clear_override, 'ignore_dbs', 'mariadb')
        self.admin.create_users([user('joe')])
        before = list(self.server.texts)
        for words, ask, values in (
                ("'localhost' is the guest", self.admin.create_users,
                 [[user('x', host='LocalHost')]]),
                ("'localhost' is the guest", self.admin.update_attributes,
                 ['joe', '%', {'host': 'LOCALHOST'}]),
                ('(ignore_users)', self.admin.create_users,
                 [[user('operator_s')]]),
                ('(ignore_users)', self.admin.update_attributes,
                 ['joe', '%', {'name': 'operator_s'}]),
                ('(ignore_users)', self.admin.change_passwords, [[
                    {'name': 'operator_s', 'host': '%', 'password': 'x'}]]),
                ('(ignore_dbs)', self.admin.create_databases,
                 [[schema('metrics')]]),
                ('(ignore_dbs)', self.admin.grant_access,
                 ['joe', '%', ['metrics']])):
            self.refuse(exceptions.RequestRefused, words, ask, *values)
        self.assertEqual(before, self.server.texts)

    def test_pages(self) -> None:
        for name in ('b', 'a', 'C', '\u00e4', 'a@x'):
            self.admin.create_users([user(name)])
        seen, marker = [], None
        while True:
            page, marker = self.admin.list_users(2, marker)
            seen.append([one['_name'] for one in page])
            if marker is None:
                break
        self.assertEqual([['C', 'a'], ['a@x', 'b'], ['\u00e4']], seen)
        for given, include, first in (
                ('a@%', True, 'a'), ('a@%', False, 'a@x'),
                ('Z', True, 'a'), ("zzz' OR '1'='1", False, '\u00e4')):
            page, _ = self.admin.list_users(9, given, include)
            self.assertEqual(first, page[0]['_name'], given)

    def test_accounts_that_are_nobody_s_business(self) -> None:
        for name in ('root', 'OS_Admin', 'mariadb.sys', 'operator_s'):
            self.server.users[f'{name}@%'] = user(name) | {'_databases': []}
        CONF.set_override('ignore_users', ['operator_s'], 'mariadb')
        self.addCleanup(CONF.clear_override, 'ignore_users', 'mariadb')
        self.assertEqual([], self.names())
        self.assertIsNone(self.admin.get_user('operator_s', '%'))
        for name in ('root', 'OS_Admin', 'Mysql.sys'):
            for ask, values in (
                    (self.admin.create_users, [[user(name)]]),
                    (self.admin.delete_user, [user(name)]),
                    (self.admin.get_user, [name, '%']),
                    (self.admin.list_access, [name, '%']),
                    (self.admin.grant_access, [name, '%', ['shop']]),
                    (self.admin.revoke_access, [name, '%', 'shop']),
                    (self.admin.update_attributes, [name, '%', {}]),
                    (self.admin.update_attributes,
                     ['joe', '%', {'name': name}]),
                    (self.admin.change_passwords, [[
                        {'name': name, 'host': '%', 'password': 'x'}]])):
                self.refuse(exceptions.RequestRefused, 'reserved', ask,
                            *values)
        self.assertEqual([], self.server.texts)

    def test_nothing_is_made_if_one_of_them_cannot_be(self) -> None:
        for other in (user('root'), user('x', ''), user('x', 'p\0'),
                      user('x', databases=('mysql',)), user('x '),
                      user('x', databases=('_' * 40,))):
            self.refuse(exceptions.RequestRefused, '',
                        self.admin.create_users, [user('joe'), other])
        self.assertEqual([], self.server.texts)

    def test_a_user_that_is_there(self) -> None:
        self.admin.create_users([user('joe')])
        text = self.refuse(exceptions.UserExists, 'joe@%',
                           self.admin.create_users, [user('new'),
                                                     user('joe')])
        self.assertIn('Done before it: new@%.', text)
        self.server.refuses['late'] = 1396, 'Operation CREATE USER failed'
        self.refuse(exceptions.UserExists, 'late@%',
                    self.admin.create_users, [user('late')])

    def test_users_that_are_not_there(self) -> None:
        for ask, values in (
                (self.admin.delete_user, [user('joe')]),
                (self.admin.list_access, ['joe', '%']),
                (self.admin.grant_access, ['joe', '%', ['shop']]),
                (self.admin.update_attributes, ['joe', '%', {'name': 'x'}]),
                (self.admin.update_attributes,
                 ['joe', '%', {'password': 'x'}]),
                (self.admin.change_passwords, [[
                    {'name': 'joe', 'host': None, 'password': 'x'}]])):
            self.refuse(exceptions.UserUnknown, 'joe@%', ask, *values)

    def test_a_user_whose_databases_are_refused_is_not_there(self) -> None:
        self.server.refuses['bad'] = 1102, "Incorrect database name 'bad'"
        self.refuse(exceptions.RequestRefused, 'Incorrect database name',
                    self.admin.create_users,
                    [user('joe', databases=('shop', 'bad'))])
        self.assertEqual([], self.names())

    def test_all_attributes_change_or_none(self) -> None:
        self.admin.create_users([user('joe', databases=('shop',)),
                                 user('jane')])
        self.admin.update_attributes('joe', '%', {
            'name': "o'neill", 'host': '10.%', 'password': 'new'})
        found = self.server.users["o'neill@10.%"]
        self.assertEqual(('new', ['shop']),
                         (found['_password'], found['_databases']))
        self.server.refuses['weak'] = 1819, 'Your password does not satisfy'
        self.refuse(exceptions.RequestRefused, 'does not satisfy',
                    self.admin.update_attributes, "o'neill", '10.%',
                    {'name': 'joe', 'password': 'weak'})
        self.assertEqual(['jane', "o'neill"], self.names())
        self.refuse(exceptions.UserExists, 'jane@%',
                    self.admin.update_attributes, "o'neill", '10.%',
                    {'name': 'jane', 'host': '%'})


class AccessTest(AccountsTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.admin.create_users([user('joe')])

    def reached(self) -> list[str]:
        return [one['_name'] for one in self.admin.list_access('joe', '%')]

    def test_a_grant_is_of_this_database_alone(self) -> None:
        for name in ('my_shop', '%', 'mysq_', 'a\\b', 'q`q', '100%s'):
            self.admin.grant_access('joe', '%', [name])
            self.assertEqual([name], self.reached())
            self.admin.revoke_access('joe', '%', name)
            self.assertEqual([], self.reached())

    def test_a_grant_that_trove_s_guest_has_made(self) -> None:
        self.server.users['joe@%']['_databases'] = ['my_shop', 'my\\_shop']
        self.assertEqual(['my_shop'], self.reached())
        self.admin.revoke_access('joe', '%', 'my_shop')
        self.assertEqual([], self.reached())

    def test_reserved_databases(self) -> None:
        for name in ('mysql', 'MySQL', 'sys', 'Information_Schema',
                     'performance_schema', '#mysql50#lost+found'):
            for ask, values in (
                    (self.admin.grant_access, ['joe', '%', ['shop', name]]),
                    (self.admin.revoke_access, ['joe', '%', name]),
                    (self.admin.create_databases, [[schema(name)]]),
                    (self.admin.delete_database, [schema(name)]),
                    (self.admin.create_users,
                     [[user('x', databases=(name,))]])):
                self.refuse(exceptions.RequestRefused, 'reserved', ask,
                            *values)
        self.server.users['joe@%']['_databases'] = ['mysql', 'shop']
        self.assertEqual(['shop'], self.reached())

    def test_what_was_not_granted(self) -> None:
        self.refuse(exceptions.DatabaseUnknown, "'shop'",
                    self.admin.revoke_access, 'joe', '%', 'shop')


class DatabasesTest(AccountsTestCase):

    def test_what_is_not_said_is_the_server_s_default(self) -> None:
        self.admin.create_databases([
            schema('a'), schema('b', _character_set='latin1'),
            schema('c', _collate='utf8mb4_bin')])
        self.assertEqual(
            ['CREATE DATABASE `a`', 'CREATE DATABASE `b` CHARACTER SET %s',
             'CREATE DATABASE `c` COLLATE %s'], self.server.texts)

    def test_databases_of_any_name_are_listed(self) -> None:
        for name in ('a', 'shop.de', 'x y', 'q`q', '\u00fc', "'; --"):
            self.server.databases[name] = schema(
                name, _character_set='x', _collate='y')
        page, marker = self.admin.list_databases()
        self.assertEqual((["'; --", 'a', 'q`q', 'shop.de', 'x y', '\u00fc'],
                          None), ([one['_name'] for one in page], marker))
        self.assertEqual(schema('a', _character_set='x', _collate='y'),
                         page[1])

    def test_pages(self) -> None:
        for name in ('Shop', 'shop', 'x'):
            self.admin.create_databases([schema(name)])
        page, marker = self.admin.list_databases(2)
        self.assertEqual('shop', marker)
        page, marker = self.admin.list_databases(1, 'shop', True)
        self.assertEqual(['shop'], [one['_name'] for one in page])

    def test_the_operator_s_own_are_left_out(self) -> None:
        CONF.set_override('ignore_dbs', ['audit'], 'mariadb')
        self.addCleanup(CONF.clear_override, 'ignore_dbs', 'mariadb')
        self.server.databases['audit'] = schema('audit')
        self.assertEqual(([], None), self.admin.list_databases())

    def test_what_the_server_says_no_to(self) -> None:
        self.server.refuses['nosuch'] = 1115, "Unknown character set: 'x'"
        text = self.refuse(
            exceptions.RequestRefused, "Unknown character set: 'x'",
            self.admin.create_databases,
            [schema('a'), schema('b', _character_set='nosuch')])
        self.assertIn("create the database 'b'", text)
        self.assertIn("Done before it: 'a'.", text)
        self.assertNotIn('CHARACTER SET %s', text)
        self.refuse(exceptions.DatabaseExists, "'a'",
                    self.admin.create_databases, [schema('a')])
        self.refuse(exceptions.DatabaseUnknown, "'b'",
                    self.admin.delete_database, schema('b'))
        self.admin.delete_database(schema('a'))
        self.assertEqual({}, self.server.databases)


class RefusalsTest(AccountsTestCase):

    def test_no_refusal_holds_the_password(self) -> None:
        for code, text in (
                (1064, f"syntax error near '{PASSWORD}' at line 1"),
                (1819, f'{PASSWORD} is too weak'),
                (1105, repr(PASSWORD)),
                (1105, 'IDENTIFIED BY ' + PASSWORD.replace("'", "''"))):
            self.server.refuses[PASSWORD] = code, text
            for ask, values in (
                    (self.admin.create_users, [[user('joe')]]),
                    (self.admin.enable_root, [PASSWORD])):
                text = self.refuse(exceptions.RequestRefused, str(code), ask,
                                   *values)
                self.assertNotIn('stolen1', text)

    def test_what_may_be_done_later(self) -> None:
        for code in (1047, 1205, 1213, 1290, 1045):
            self.server.refuses['shop'] = code, 'not now'
            self.refuse(exceptions.ServerUnavailable, f'({code}): not now',
                        self.admin.create_databases, [schema('shop')])

    def test_a_server_that_gives_no_answer(self) -> None:
        def silent(*_: Any) -> Any:
            raise database.NoAnswerInTime('no answer within 175 s')
        self.server.execute = silent   # type: ignore[method-assign]
        self.refuse(exceptions.ServerUnavailable, 'before you repeat',
                    self.admin.delete_database, schema('shop'))

    def test_a_server_that_is_down(self) -> None:
        def down(*_: Any) -> Any:
            raise database.NobodyListens('no database server listens')
        self.server.execute = down   # type: ignore[method-assign]
        self.refuse(exceptions.ServerUnavailable, 'no database server',
                    self.admin.list_users)


class RootTest(AccountsTestCase):

    def test_it_is_let_in_and_kept_out(self) -> None:
        self.assertFalse(self.admin.is_root_enabled())
        self.assertEqual({
            '_name': 'root', '_host': '%', '_password': PASSWORD,
            '_databases': [], '_is_root': True},
            self.admin.enable_root(PASSWORD))
        root = self.server.users['root@%']
        self.assertEqual((PASSWORD, True),
                         (root['_password'], root['_global']))
        self.assertTrue(self.admin.is_root_enabled())
        self.admin.disable_root()
        self.assertNotIn(root['_password'], (PASSWORD, '', None))

    def test_a_password_is_made_if_none_is_given(self) -> None:
        made = self.admin.enable_root()
        self.assertEqual(made['_password'],
                         self.server.users['root@%']['_password'])
        self.assertNotEqual(made['_password'],
                            self.admin.enable_root()['_password'])

    def test_an_account_without_a_password_is_never_made(self) -> None:
        """In each dialect: the later statements may fail."""
        for one in catalogue.DIALECTS:
            self.server.users.clear()
            execute, asked = self.server.execute, []

            def once(statement: Any, *_: Any, execute: Any = execute,
                     asked: list[Any] = asked) -> Any:
                asked.append(statement)
                if len(asked) > 1:
                    raise sqlserver.refused(1064, 'unknown here')
                return execute(statement)
            self.server.execute = once   # type: ignore[method-assign]
            try:
                self.admin_of(one).enable_root(PASSWORD)
            except exceptions.RequestRefused as refusal:
                self.assertIn('1064', str(refusal))
            self.server.execute = execute   # type: ignore[method-assign]
            self.assertEqual(PASSWORD,
                             self.server.users['root@%']['_password'])

    def test_disabling_makes_no_account(self) -> None:
        self.admin.disable_root()
        self.assertEqual({}, self.server.users)

    def test_passwords_that_cannot_be(self) -> None:
        for password in ('', 'a\0b'):
            self.refuse(exceptions.RequestRefused, 'The password',
                        self.admin.enable_root, password)
