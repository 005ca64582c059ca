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

"""Passwords of any characters: set through the API, used to log in."""

import string
from typing import Any

from lab import api
from lab.guest import control
from lab import sql
from lab import web
from tests.e2e import laboratory
from tests.e2e.together import cluster

#: Printable ASCII, a tab, and letters of two, three and four bytes.
CHARACTERS = (*string.digits, *string.ascii_letters, *string.punctuation,
              ' ', '\t', '\u00e4', '\u6f22', '\U0001f600')
CLIENT = ('mariadb', '--no-defaults', f'--socket={sql.SOCKET}',
          '--default-character-set=utf8mb4', '--skip-column-names',
          '--execute=SELECT CURRENT_USER()')
BATCH = 20


class TestPasswords(cluster.TestCase):

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        ready = laboratory.wait_ready(cls.cluster_id)
        cls.ids = [member['id'] for member in ready['instances']]

    def test_each_character_works_when_a_user_is_created(self) -> None:
        users = [{'name': f'u{number}', 'password': password}
                 for number, password in enumerate(passwords('made'))]
        for first in range(0, len(users), BATCH):
            self.ask('POST', 'users', {'users': users[first:first + BATCH]})
        for user in users:
            self.log_in(user['name'], user['password'])
            self.ask('DELETE', f'users/{user["name"]}')

    def test_each_character_works_when_a_password_is_changed(self) -> None:
        self.ask('POST', 'users', {'users': [
            {'name': 'joe', 'password': 'first-One-1'}]})
        for first in range(0, len(CHARACTERS), BATCH):
            password = 'changed'.join(CHARACTERS[first:first + BATCH])
            self.ask('PUT', 'users', {'users': [
                {'name': 'joe', 'password': password}]})
            self.log_in('joe', password)
        every = 'all' + ''.join(CHARACTERS)
        self.ask('PUT', 'users/joe', {'user': {'password': every}})
        self.log_in('joe', every)
        self.ask('DELETE', 'users/joe')

    def test_password_cannot_change_another_account(self) -> None:
        """It closes the quotes and continues with another account."""
        users = [{'name': name, 'password': f'{name}-Own-1'}
                 for name in ('own', 'other')]
        self.ask('POST', 'users', {'users': users})
        odd = "own1', 'other'@'%' IDENTIFIED BY 'stolen1"
        self.ask('PUT', 'users/own', {'user': {'password': odd}})
        self.log_in('own', odd)
        self.log_in('other', 'other-Own-1')
        for user in users:
            self.ask('DELETE', f'users/{user["name"]}')

    def ask(self, method: str, path: str, body: Any = None) -> None:
        """Send it to the first member; the answer comes when it is done."""
        answer = web.ask(api.request(
            self.home, method, f'/instances/{self.ids[0]}/{path}', body))
        self.assertEqual(202, answer.code, f'{body}: {answer.text}')

    def log_in(self, user: str, password: str) -> None:
        """Log in to the server of the first member, in its guest."""
        done = control.run(self.home, self.ids[0], [
            'env', f'MYSQL_PWD={password}', *CLIENT, f'--user={user}'])
        self.assertEqual(f'{user}@%\n', done.stdout,
                         f'{password!r}: {done.stderr}')


def passwords(word: str) -> list[str]:
    """One for each character: at its ends and between letters."""
    return [f'{character}{word}{character}1{character}'
            for character in CHARACTERS]
