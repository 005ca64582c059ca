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

"""Users and databases of a request, in the form of the guest."""

from typing import Any

import testtools
from trove.common import exception

from trove_pxc.api import accounts
from trove_pxc.galera import dialect

MARIADB = dialect.for_version('mariadb', '10.11')
JOE = {'name': 'joe', 'password': 'a-password'}


class AccountsTestCase(testtools.TestCase):

    def refused(self, words: str, call: Any, *values: Any) -> None:
        error = self.assertRaises(exception.BadRequest, call, *values)
        self.assertIn(words, str(error))


class UsersTest(AccountsTestCase):

    def test_as_the_guest_takes_them(self) -> None:
        self.assertEqual([
            {'_name': 'joe', '_host': '%', '_password': 'a-password',
             '_databases': [], '_is_root': False},
            {'_name': 'joe', '_host': 'app.example.com', '_password': "'",
             '_databases': [{'_name': 'shop', '_collate': None,
                             '_character_set': None}], '_is_root': False}],
            accounts.users(MARIADB, [JOE, {
                'name': 'joe', 'password': "'", 'host': 'App.Example.com',
                'databases': [{'name': 'shop'}, {'name': 'shop'}]}]))

    def test_the_same_twice(self) -> None:
        self.assertRaises(
            exception.DatabaseInitialUserDuplicateError, accounts.users,
            MARIADB, [{**JOE, 'host': 'a'}, {**JOE, 'host': 'A'}])

    def test_what_the_server_does_not_take(self) -> None:
        for change, words in (
                ({'name': 'root'}, "The user 'root' is reserved"),
                ({'name': 'a' * 129}, 'has 129 characters'),
                ({'host': 'a b'}, "The host 'a b' contains"),
                ({'password': ''}, 'The password is empty.'),
                ({'databases': [{'name': 'SYS'}]},
                 "The database 'SYS' is reserved"),
                ({'databases': [{'name': ''}]}, 'is empty')):
            self.refused(words, accounts.users, MARIADB, [{**JOE, **change}])


class DatabasesTest(AccountsTestCase):

    def test_as_the_guest_takes_them(self) -> None:
        self.assertEqual([
            {'_name': 'a', '_character_set': None, '_collate': None},
            {'_name': 'a.b', '_character_set': 'utf8mb4',
             '_collate': 'utf8mb4_bin'}],
            accounts.databases(MARIADB, [{'name': 'a'}, {
                'name': 'a.b', 'character_set': 'utf8mb4',
                'collate': 'utf8mb4_bin'}]))

    def test_the_same_twice(self) -> None:
        self.assertRaises(
            exception.DatabaseInitialDatabaseDuplicateError,
            accounts.databases, MARIADB, [{'name': 'a'}] * 2)

    def test_what_the_server_does_not_take(self) -> None:
        for database, words in (
                ({'name': 'mysql'}, 'is reserved'),
                ({'name': 'a', 'character_set': 'utf-8'},
                 "The character set 'utf-8' does not exist"),
                ({'name': 'a', 'collate': ''},
                 "The collation '' does not exist")):
            self.refused(words, accounts.databases, MARIADB, [database])


class NamedTest(testtools.TestCase):

    def test_whom_a_path_may_mean(self) -> None:
        for text, meant in (
                ('joe', [('joe', '%')]),
                ('joe@%', [('joe', '%'), ('joe@%', '%')]),
                ('joe@APP.x', [('joe', 'app.x'), ('joe@APP.x', '%')]),
                ('a@b@c', [('a@b', 'c'), ('a@b@c', '%')]),
                ('joe@', [('joe@', '%')]), ('@h', [('@h', '%')])):
            self.assertEqual(meant, accounts.named(text))


class CheckTest(AccountsTestCase):

    def test_reserved_names(self) -> None:
        accounts.check_database_not_reserved('shop')
        accounts.check_user_not_reserved('joe')
        self.refused("The database 'MySQL' is reserved",
                     accounts.check_database_not_reserved, 'MySQL')
        self.refused("The user 'Root' is reserved",
                     accounts.check_user_not_reserved, 'Root')

    def test_what_is_deleted(self) -> None:
        self.assertEqual({
            '_name': "o'neil", '_host': 'h', '_password': None,
            '_databases': [], '_is_root': False},
            accounts.to_delete("o'neil", 'h'))
        self.assertEqual(
            {'_name': 'a', '_character_set': None, '_collate': None},
            accounts.database_to_delete('a'))
