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

"""Whatever is asked of a member, the API has an answer and keeps its word.

Two thousand requests, made by hypothesis, for all routes of one member. No
answer is a 5xx or tells a password. What was accepted is found on the server
of another member; in the end all that a list shows can be deleted.
``LAB_FUZZ_SEED`` gives others; a failure shows the request and the number.
"""

import json
from urllib import parse

from lab import waiting
from tests.e2e import laboratory
from tests.e2e import strategies
from tests.e2e.together import cluster
from tests.e2e.together import test_any_request
from tests import member_requests

SEED = test_any_request.SEED
ACCOUNTS = 1600
OTHERS = 400
ARRIVAL_SECONDS = 10


def converted(text, character_set='utf8mb3'):
    """A text as SQL that needs no quotes."""
    return f"CONVERT(x'{text.encode().hex()}' USING {character_set})"


class TestAnyMemberRequest(cluster.TestCase):

    def setUp(self):
        super().setUp()
        shown = laboratory.wait_ready(self.cluster_id)
        self.ids = [one['id'] for one in shown['instances']]
        self.path = f'/instances/{self.ids[0]}'
        self.api = test_any_request.Api(self.home)
        self.delete_all()
        self.addCleanup(self.delete_all)

    def test_any_request(self):
        self.send_all(ACCOUNTS, member_requests.accounts(self.path))
        self.send_all(OTHERS, member_requests.others(
            self.path, self.ids[0]))
        for code in (200, 202, 400, 404):
            self.assertIn(code, self.api.counts)
        laboratory.wait_ready(self.cluster_id, 60)
        laboratory.wait_agreement(cluster.MEMBERS)

    def send_all(self, number, calls):
        def check(call):
            code, text = self.api.send(call)
            if code >= 500:
                raise AssertionError(f'{code} to {call!r}, LAB_FUZZ_SEED='
                                     f'{SEED}: {text}')
            if member_requests.MARK in text and not call.path.endswith(
                    '/root'):
                raise AssertionError(f'a password in the answer to {call!r}')
            if code == 202:
                self.check_done(call)

        strategies.send_each(calls.filter(
            self.is_of_ours), number, SEED, check)

    @staticmethod
    def is_of_ours(call):
        """What Trove's own filters, before ours, do not end with a 500."""
        if call.kind.startswith('multipart/'):
            return False
        try:
            call.body.decode()
            parse.unquote(call.path, errors='strict')
        except UnicodeDecodeError:
            return False
        return True

    def check_done(self, call):
        """What was accepted is on the server of another member."""
        words = call.path.split('?')[0].removeprefix(self.path).split('/')
        if words[1:] == ['users']:
            for user in member_requests.users_in(call.body):
                self.wait_user(user)
        elif words[1:] == ['databases']:
            for one in json.loads(call.body)['databases']:
                self.wait_rows('information_schema.SCHEMATA WHERE '
                               f'SCHEMA_NAME = BINARY '
                               f'{converted(one["name"])}')
        elif words[1] == 'databases':
            self.wait_rows(
                'information_schema.SCHEMATA WHERE SCHEMA_NAME = BINARY '
                f'{converted(parse.unquote("/".join(words[2:])))}', 0)
        elif words[1] == 'users' and call.method == 'PUT':
            body = json.loads(call.body)
            if 'name' in body.get('user', {}) and 'host' in body['user']:
                self.wait_user(body['user'])
        elif words[1] != 'users':
            raise AssertionError(f'{call!r} was accepted')

    def wait_user(self, user):
        host = user.get('host', '%').lower()
        condition = (f'mysql.global_priv WHERE User = '
                     f'{converted(user["name"])} AND Host = '
                     f'{converted(host)}')
        if 'password' in user:
            condition += (
                " AND JSON_VALUE(Priv, '$.authentication_string') = "
                f'PASSWORD({converted(user["password"], "utf8mb4")})')
        self.wait_rows(condition)
        code, text = self.api.send(strategies.Call(
            'GET', f'/instances/{self.ids[1]}/users/'
            f'{member_requests.quoted(user["name"], host)}'))
        shown = json.loads(text).get('user', {})
        self.assertEqual((200, user['name'], host), (
            code, shown.get('name'), shown.get('host')))
        self.assertLessEqual(
            {one['name'] for one in user.get('databases', ())},
            {one['name'] for one in shown['databases']})

    def wait_rows(self, condition, number=1):
        """Until so many rows have arrived at another member."""
        def probe():
            found = laboratory.sql(
                cluster.MEMBERS[2], f'SELECT COUNT(*) FROM {condition}')
            if found != [[str(number)]]:
                raise waiting.NotYet(str(found))
            return True
        waiting.until(condition, probe, ARRIVAL_SECONDS, 0.2)

    def listed(self):
        """The first page of users and of databases."""
        found = []
        for kind in ('users', 'databases'):
            code, text = self.api.send(strategies.Call(
                'GET', f'/instances/{self.ids[1]}/{kind}'))
            self.assertEqual(200, code, text)
            found.append(json.loads(text)[kind])
        return tuple(found)

    def delete_all(self):
        """What a list shows can be deleted by what it shows."""
        while (found := self.listed()) != ([], []):
            users, databases = found
            for path in (
                    *('users/' + member_requests.quoted(
                        one['name'], one['host']) for one in users),
                    *('databases/' + member_requests.quoted(one['name'])
                      for one in databases)):
                code, text = self.api.send(strategies.Call(
                    'DELETE', f'/instances/{self.ids[1]}/{path}'))
                self.assertEqual(202, code, (path, text))
