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

"""The API answers every request for a member, and its answers are true.

No answer is a 5xx or contains a password. Accepted requests are found on the
servers; refused requests change nothing there. hypothesis generates the
requests, the same ones in every run.
"""

import copy
import json
from typing import Any
from urllib import parse

import fixtures
from oslo_serialization import jsonutils
from trove.common import wsgi

from tests.e2e import strategies
from tests.functional import base
from tests import member_requests as requests
from trove_pxc.galera import accounts
from trove_pxc import waiting

SEED = 20261130


class AnyMemberRequestTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())
        self.start_taskmanager()
        created = self.create()
        self.assertEqual(200, created.status_int, created.text)
        self.cluster_id = created.json['cluster']['id']
        self.wait_for_task(self.cluster_id)
        self.settle()
        self.member = self.instance_rows(self.cluster_id)[1]
        self.path = f'/instances/{self.member.id}'
        self.codes: dict[int, int] = {}

    def send(self, call: strategies.Call) -> Any:
        """Send it as the filters of trove-api would pass it to the router."""
        request = wsgi.Request.blank(
            f'/{base.PROJECT}{call.path}', method=call.method,
            body=call.body, headers={'Content-Type': call.kind})
        context = self.context()
        context.limit = request.GET.get('limit')
        context.marker = request.GET.get('marker')
        request.environ[wsgi.CONTEXT_KEY] = context
        return request.get_response(self.api)

    def send_all(self, number: int, calls: Any) -> None:
        def check(call: strategies.Call) -> None:
            before = self.state()
            answer = self.send(call)
            self.codes[answer.status_int] = self.codes.get(
                answer.status_int, 0) + 1
            if answer.status_int >= 500:
                raise AssertionError(f'{answer.status_int} to {call!r}: '
                                     f'{answer.text}')
            of_root = call.path.endswith('/root')
            if requests.MARK in answer.text and not of_root:
                raise AssertionError(f'a password in the answer to {call!r}: '
                                     f'{answer.text}')
            if answer.status_int == 202:
                self.check_done(call, before[0])
            elif self.state() != before and not of_root:
                raise AssertionError(
                    f'{answer.status_int} to {call!r}, which has changed '
                    f'{before} to {self.state()}')
        # Trove's filters in front of this one read the texts of every form.
        strategies.send_each(calls.filter(
            lambda call: not call.kind.startswith('multipart/')),
            number, SEED, check)

    def state(self) -> Any:
        return copy.deepcopy((self.galera.users, self.galera.databases))

    def check_done(self, call: strategies.Call, users: dict[str, Any]) -> None:
        """Check that an accepted request was carried out on the servers.

        :param users: those that existed before.
        """
        words = call.path.split('?')[0].removeprefix(self.path).split('/')
        name = parse.unquote('/'.join(words[2:]))
        if words[1:] == ['users'] and call.method in ('POST', 'PUT'):
            for user in requests.users_in(call.body):
                self.check_user(user)
        elif words[1:2] == ['users'] and call.method == 'PUT':
            self.check_change(name, json.loads(call.body), users)
        elif words[1:2] == ['databases'] and call.method == 'POST':
            for database in json.loads(call.body)['databases']:
                self.wait(lambda: database['name'] in self.galera.databases)
        elif words[1:2] == ['databases'] and call.method == 'DELETE':
            self.wait(lambda: name not in self.galera.databases)
        elif words[1:2] == ['users'] and call.method == 'DELETE':
            user, revoked, database = name.partition('/databases/')
            key = self.meant(user, users)
            self.wait(lambda: (
                not revoked and key not in self.galera.users
                or revoked and database not in self.reached(key)))
        else:
            raise AssertionError(f'{call!r} was accepted')

    def meant(self, name: str, users: dict[str, Any]) -> str:
        """The key of the user that a path names."""
        user, _, host = name.rpartition('@')
        key = f'{user}@{host.lower()}'
        return key if user and key in users else f'{name}@%'

    def reached(self, key: str) -> set[str]:
        return {accounts.database_of(granted) for granted in
                self.galera.users.get(key, {}).get('_databases', ())}

    def check_user(self, user: dict[str, Any]) -> None:
        """With its password and access, under its name and host."""
        host = user.get('host', '%').lower()
        self.wait(lambda: self.galera.users.get(
            f'{user["name"]}@{host}', {}).get(
                '_password') == user['password'])
        shown = self.send(strategies.Call(
            'GET', f'{self.path}/users/'
            f'{requests.quoted(user["name"], host)}'))
        if shown.status_int != 200 or (
                shown.json['user']['name'], shown.json['user']['host']) != (
                    user['name'], host):
            raise AssertionError(f'{user} is not shown: {shown.text}')
        there = {one['name'] for one in shown.json['user']['databases']}
        wanted = {one['name'] for one in user.get('databases', ())}
        if not wanted <= there:
            raise AssertionError(f'{user} reaches {there} alone')

    def check_change(self, name: str, body: dict[str, Any],
                     users: dict[str, Any]) -> None:
        name, of, _ = name.partition('/databases')
        key = self.meant(name, users)
        if 'databases' in body and not of:
            raise AssertionError(f'{body} was accepted for a user')
        if 'databases' in body:
            wanted = {one['name'] for one in body['databases']}
            self.wait(lambda: wanted <= self.reached(key))
            return
        changed = {**users[key], **{
            f'_{key}': value.lower() if key == 'host' else value
            for key, value in body['user'].items()}}
        self.wait(lambda: self.galera.users.get(
            f'{changed["_name"]}@{changed["_host"]}') == changed)

    def wait(self, probe: Any) -> None:
        """Wait until a guest has carried out a request without an answer."""
        def seen() -> None:
            if not probe():
                raise waiting.NotYet(jsonutils.dumps(self.galera.users))
        waiting.until('the guest to act', seen, 5, 0.02)

    def test_requests_for_accounts(self) -> None:
        self.send_all(400, requests.accounts(self.path))
        for code in (200, 202, 400, 404):
            self.assertIn(code, self.codes)
        told = [line for line in self.log.output.splitlines()
                if requests.MARK in line]
        self.assertEqual([], told)

    def test_all_other_requests(self) -> None:
        self.send_all(300, requests.others(self.path, self.member.id))
        for code in (200, 400):
            self.assertIn(code, self.codes)
        self.assertNotIn(202, self.codes)
        self.settle()
        self.assertEqual('NONE', self.show(
            self.cluster_id)['task']['name'])
