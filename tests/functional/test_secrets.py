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

"""Errors of a member's server are reported without the password.

oslo.messaging and oslo.log are real, between the client in trove-api and the
guest.
"""

import io
import logging
from typing import Any

from oslo_log import formatters
from trove.common import notification
from trove.instance import models as instance_models

from tests.functional import base

CONF = base.CONF
#: Contains what the server, a shell, JSON, Python and a URL quote.
PASSWORD = "Ge'heim\", 'u2'@'%' IDENTIFIED BY `\\;/\t%s\u00e4"
#: Parts of the password that no form of quoting changes.
PART = 'heim'
JOE = {'name': 'joe', 'password': PASSWORD}


class SecretsTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        created = self.create()
        self.assertEqual(200, created.status_int, created.text)
        cluster_id = created.json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.row = self.instance_rows(cluster_id)[0]
        # trove-api does the same when it starts.
        kind = notification.DBaaSAPINotification
        kind.register_notify_callback(instance_models.persist_instance_fault)
        self.addCleanup(setattr, kind, 'notify_callback', None)
        self.written = io.StringIO()
        handlers = [logging.StreamHandler(self.written) for _ in range(3)]
        root = logging.getLogger()
        for handler, formatter in zip(handlers, (
                logging.Formatter(), formatters.JSONFormatter(),
                formatters.ContextFormatter(config=CONF)), strict=True):
            handler.setFormatter(formatter)
            root.addHandler(handler)
            self.addCleanup(root.removeHandler, handler)
        self.addCleanup(root.setLevel, root.level)
        root.setLevel(logging.DEBUG)

    def ask(self, method: str, path: str, body: Any, *codes: int) -> str:
        """Return the text of the answer, which contains no password."""
        response = self.request(
            method, f'/instances/{self.row.id}/{path}', body)
        self.assertIn(response.status_int, codes, response.text)
        self.check_hidden(response.text)
        return str(response.text)

    def check_hidden(self, answer: str) -> None:
        """No password is in the answer, logs, faults or notifications."""
        found = [answer, self.written.getvalue(), *(
            f'{row.message} {row.details}'
            for row in instance_models.DBInstanceFault.find_all()), *(
            str(sent) for event in ('user_create', 'user_change_password')
            for sent in self.notified(f'dbaas.{event}.error'))]
        for text in found:
            self.assertNotIn(PART, text)

    def create_joe(self) -> None:
        self.ask('POST', 'users', {'users': [{
            'name': 'joe', 'password': 'another-One-1'}]}, 202)

    def test_request_answered_202_has_been_carried_out(self) -> None:
        self.ask('POST', 'users', {'users': [JOE]}, 202)
        self.assertEqual(PASSWORD, self.galera.users['joe@%']['_password'])
        self.ask('PUT', 'users', {'users': [{
            'name': 'joe', 'password': PASSWORD + '2'}]}, 202)
        self.assertEqual(PASSWORD + '2',
                         self.galera.users['joe@%']['_password'])
        self.ask('PUT', 'users/joe', {'user': {'password': PASSWORD}}, 202)
        self.ask('POST', 'databases', {'databases': [{'name': 'shop'}]}, 202)
        self.assertIn('shop', self.galera.databases)
        self.ask('DELETE', 'databases/shop', None, 202)
        self.ask('DELETE', 'users/joe', None, 202)
        self.assertEqual(({}, {}), (self.galera.users, self.galera.databases))
        for event in ('user_create', 'user_change_password',
                      'user_update_attributes', 'database_create',
                      'database_delete', 'user_delete'):
            self.assertEqual(1, len(self.notified(f'dbaas.{event}.end')))

    def test_refused_password_is_not_in_the_error(self) -> None:
        self.create_joe()
        for code, words, text in (
                (1064, 'a syntax error', f"near '{PASSWORD}' at line 1"),
                (1819, 'too simple', f'{PASSWORD!r} is too simple'),
                (1105, 'statement', 'statement: IDENTIFIED BY \''
                 + PASSWORD.replace("'", "''") + "'")):
            self.galera.server.refuses[PASSWORD] = code, text
            for method, path, body in (
                    ('POST', 'users', {'users': [dict(JOE, name='jane')]}),
                    ('PUT', 'users', {'users': [JOE]}),
                    ('PUT', 'users/joe', {'user': {
                        'name': 'jim', 'password': PASSWORD}})):
                answer = self.ask(method, path, body, 400)
                self.assertIn(words, answer)
                self.assertNotIn('Traceback', answer)
                self.assertNotIn('%s', answer)
        self.assertEqual(['joe@%'], list(self.galera.users))
        self.assertIn('Exception during message handling',
                      self.written.getvalue())

    def test_unexpected_error_of_the_guest_hides_the_password(self) -> None:
        """An error of the guest's code that quotes its arguments."""
        self.create_joe()

        def fail(statement: Any, *_: Any) -> Any:
            if 'IDENTIFIED' in statement.text:
                try:
                    raise KeyError(PASSWORD)
                except KeyError as cause:
                    raise ValueError(repr([PASSWORD])) from cause
            return []
        self.galera.server.execute = fail  # type: ignore[method-assign]
        answer = self.ask('POST', 'users', {'users': [dict(
            JOE, name='jane')]}, 400, 422)
        self.assertNotIn('Traceback', answer)
        self.assertIn('ValueError: ', self.written.getvalue())

    def test_refused_password_of_root_is_not_in_the_error(self) -> None:
        self.galera.server.refuses[PASSWORD] = 1819, f'weak: {PASSWORD}'
        self.assertIn('weak: ***', self.ask(
            'POST', 'root', {'password': PASSWORD}, 400))
        self.assertEqual({}, self.galera.users)

    def test_unknown_character_set_is_reported(self) -> None:
        self.galera.server.refuses['utf8mb4'] = (
            1115, "Unknown character set: 'utf8mb4'")
        answer = self.ask('POST', 'databases', {'databases': [
            {'name': 'shop', 'character_set': 'utf8mb4'}]}, 400)
        self.assertIn("create the database 'shop'", answer)
        self.assertIn("Unknown character set: 'utf8mb4'", answer)
        self.assertEqual({}, self.galera.databases)

    def test_server_that_is_not_ready_is_reported(self) -> None:
        self.galera.server.refuses['shop'] = (
            1047, 'WSREP has not yet prepared node for application use')
        self.assertIn('WSREP has not yet', self.ask(
            'POST', 'databases', {'databases': [{'name': 'shop'}]}, 422))
