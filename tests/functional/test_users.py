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

"""Users and databases of a cluster, managed through any member."""

import itertools
from typing import Any
from urllib import parse

from trove.common import api as trove_api
from trove.common import extensions
from trove.instance import service_status

from tests.functional import base
from tests import member_requests as requests
from trove_pxc import waiting

Statuses = service_status.ServiceStatuses
SHOP = {'name': 'shop', 'character_set': 'utf8mb4'}
JOE = {'name': 'joe', 'password': 'a-Pass-word-1',
       'databases': [{'name': 'shop'}]}


class UsersTest(base.TroveTest):

    manager = 'mariadb'
    version = '10.11'

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        if self.manager != 'mariadb':
            self.add_datastore(self.manager, self.version)
        created = self.create(datastore={
            'type': self.manager, 'version': self.version})
        self.assertEqual(200, created.status_int, created.text)
        cluster_id = created.json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.rows = self.instance_rows(cluster_id)

    def ask(self, method: str, path: str, body: Any = None,
            code: int = 200, member: int = 1, **kwargs: Any) -> Any:
        """Send a request to one of the members, and check the status code."""
        response = self.request(
            method, f'/instances/{self.rows[member - 1].id}/{path}', body,
            **kwargs)
        self.assertEqual(code, response.status_int, response.text)
        return response.json if response.body else None

    def refuse(self, code: int, words: str, method: str, path: str,
               body: Any = None, **kwargs: Any) -> None:
        answer = self.ask(method, path, body, code, **kwargs)
        (error,) = answer.values()
        self.assertIn(words, error['message'])

    def make(self) -> None:
        """Create the database and the user of most tests."""
        self.ask('POST', 'databases', {'databases': [SHOP]}, 202)
        self.wait(lambda: self.galera.databases)
        self.ask('POST', 'users', {'users': [JOE]}, 202, member=2)
        self.wait(lambda: self.galera.users)

    def wait(self, probe: Any) -> None:
        """Wait until a guest has carried out a request without an answer."""
        def seen() -> None:
            if not probe():
                raise waiting.NotYet(f'{self.galera.users}')
        waiting.until('the guest to act', seen, 60, 0.02)

    def test_users_can_be_created_shown_and_listed(self) -> None:
        self.make()
        self.assertEqual(
            ['create databases products-1', 'create users products-2'],
            [event for event in self.galera.events
             if event.startswith('create ')])
        shown = {'name': 'joe', 'host': '%',
                 'databases': [{'name': 'shop'}]}
        for member in (1, 2, 3):
            self.assertEqual({'databases': [{'name': 'shop'}]}, self.ask(
                'GET', 'databases', member=member))
            self.assertEqual({'users': [shown]}, self.ask(
                'GET', 'users', member=member))
        for name in ('joe', 'joe@%25'):
            self.assertEqual({'user': shown},
                             self.ask('GET', f'users/{name}'))
        self.assertEqual('a-Pass-word-1',
                         self.galera.users['joe@%']['_password'])

    def test_users_and_databases_can_be_deleted(self) -> None:
        self.make()
        self.ask('DELETE', 'users/joe', None, 202, member=3)
        self.wait(lambda: not self.galera.users)
        self.ask('DELETE', 'databases/shop', None, 202, member=3)
        self.wait(lambda: not self.galera.databases)
        self.refuse(404, 'joe', 'DELETE', 'users/joe')
        self.refuse(404, 'shop', 'DELETE', 'databases/shop')

    def test_a_host_with_dots_is_supported(self) -> None:
        """Routes takes the text after the last dot as the suffix of a file."""
        self.ask('POST', 'users', {'users': [dict(
            JOE, host='10.0.0.1', databases=[])]}, 202)
        self.wait(lambda: self.galera.users)
        self.assertEqual('10.0.0.1', self.ask(
            'GET', 'users/joe@10.0.0.1')['user']['host'])
        self.refuse(404, 'joe', 'GET', 'users/joe')

    def test_access_is_granted_and_revoked(self) -> None:
        self.make()
        place = 'users/joe/databases'
        self.ask('DELETE', f'{place}/shop', None, 202)
        self.wait(lambda: not self.galera.users['joe@%']['_databases'])
        self.assertEqual({'databases': []}, self.ask('GET', place))
        self.refuse(404, 'shop', 'DELETE', f'{place}/shop')
        self.ask('PUT', place, {'databases': [{'name': 'shop'}]}, 202)
        self.wait(lambda: self.galera.users['joe@%']['_databases'])
        self.assertEqual({'databases': [{'name': 'shop'}]},
                         self.ask('GET', place))
        self.refuse(400, 'databases', 'PUT', place, {'databases': 'shop'})

    def test_a_user_can_be_changed(self) -> None:
        self.make()
        self.ask('PUT', 'users/joe', {'user': {
            'name': 'jane', 'password': 'another-One-2'}}, 202)
        self.wait(lambda: 'jane@%' in self.galera.users)
        self.ask('PUT', 'users', {'users': [{
            'name': 'jane', 'password': 'a-third-One-3'}]}, 202)
        self.wait(lambda: self.galera.users['jane@%']['_password']
                  == 'a-third-One-3')
        self.refuse(404, 'joe', 'PUT', 'users/joe',
                    {'user': {'host': '%'}})

    def test_duplicates_are_refused(self) -> None:
        self.make()
        self.refuse(400, 'already', 'POST', 'users', {'users': [JOE]})
        self.refuse(400, 'already', 'POST', 'databases',
                    {'databases': [SHOP]})
        self.ask('POST', 'users', {'users': [dict(JOE, name='jane')]}, 202)
        self.wait(lambda: len(self.galera.users) == 2)
        self.refuse(400, 'already', 'PUT', 'users/joe',
                    {'user': {'name': 'jane'}})

    def test_reserved_user_names_are_refused(self) -> None:
        self.make()
        for method, path, body in (
                ('POST', 'users', {'users': [dict(JOE, name='os_admin')]}),
                ('POST', 'users', {'users': [dict(JOE, name='Root')]}),
                ('GET', 'users/os_admin', None),
                ('DELETE', 'users/root', None),
                ('PUT', 'users/joe', {'user': {'name': 'ROOT'}})):
            self.refuse(400, 'reserved', method, path, body)
        self.assertEqual(['joe@%'], list(self.galera.users))

    def test_reserved_databases_are_refused(self) -> None:
        """In every request that names a database, in upper and lower case."""
        self.make()
        for name in ('mysql', 'MySQL', 'sys', 'SYS', 'information_schema',
                     'Performance_Schema', '#mysql50#mysql'):
            path = parse.quote(name)
            for method, place, body in (
                    ('POST', 'databases', {'databases': [{'name': name}]}),
                    ('DELETE', f'databases/{path}', None),
                    ('POST', 'users', {'users': [
                        dict(JOE, name='jane', databases=[{'name': name}])]}),
                    ('PUT', 'users/joe/databases',
                     {'databases': [{'name': name}]}),
                    ('DELETE', f'users/joe/databases/{path}', None)):
                self.refuse(400, 'reserved', method, place, body)
        self.assertEqual(['joe@%'], list(self.galera.users))
        self.assertEqual(['shop'], list(self.galera.databases))

    def test_reserved_names_are_not_listed(self) -> None:
        for name in ('Sys', 'shop'):
            self.galera.databases[name] = {
                '_name': name, '_character_set': None, '_collate': None}
        for name in ('mysql.sys', 'joe'):
            self.galera.users[f'{name}@%'] = {
                '_name': name, '_host': '%', '_password': None,
                '_databases': [], '_is_root': False}
        self.assertEqual([{'name': 'shop'}],
                         self.ask('GET', 'databases')['databases'])
        self.assertEqual(['joe'], [
            one['name'] for one in self.ask('GET', 'users')['users']])

    def test_every_name_that_the_server_accepts_is_supported(self) -> None:
        """Created, shown, changed, given a database and deleted."""
        hosts = itertools.cycle((
            '%', 'app.example.com', '10.0.0.0/255.255.255.0'))
        for name in ('b\xfcser', "o'neil", 'a"b', 'a@b', 'a/b', 'a.b',
                     'x.json', 'new', 'a%41', 'a;b', '\u6f22'):
            self.follow(name, next(hosts))

    def follow(self, name: str, host: str) -> None:
        """Create, change and delete one user and one database of this name."""
        key = f'{name}@{host}'
        path = f'users/{requests.quoted(name, host)}'
        shown = {'name': name, 'host': host, 'databases': []}
        self.ask('POST', 'users', {'users': [
            {'name': name, 'password': "a'b", 'host': host}]}, 202)
        self.wait(lambda: key in self.galera.users)
        self.assertEqual({'user': shown}, self.ask('GET', path))
        self.assertEqual([shown], self.ask('GET', 'users')['users'])
        self.ask('POST', 'databases', {'databases': [{'name': name}]}, 202)
        self.wait(lambda: name in self.galera.databases)
        self.ask('PUT', f'{path}/databases',
                 {'databases': [{'name': name}]}, 202)
        self.wait(lambda: self.galera.users[key]['_databases'])
        self.assertEqual([{'name': name}], self.ask(
            'GET', f'{path}/databases')['databases'])
        self.ask('PUT', path, {'user': {'password': '"'}}, 202)
        self.wait(lambda: self.galera.users[key]['_password'] == '"')
        self.ask('DELETE', f'{path}/databases/{requests.quoted(name)}',
                 None, 202)
        self.wait(lambda: not self.galera.users[key]['_databases'])
        self.ask('DELETE', path, None, 202)
        self.wait(lambda: not self.galera.users)
        self.ask('DELETE', f'databases/{requests.quoted(name)}', None, 202)
        self.wait(lambda: not self.galera.databases)

    def test_a_host_in_capital_letters_is_found(self) -> None:
        """Servers store hosts in lower case."""
        self.ask('POST', 'users', {'users': [dict(
            JOE, host='APP.Example.com', databases=[])]}, 202)
        self.wait(lambda: 'joe@app.example.com' in self.galera.users)
        self.ask('GET', 'users/joe@APP.example.COM')

    def test_passwords_of_printable_characters_are_accepted(self) -> None:
        self.make()
        printable = ''.join(chr(code) for code in range(0x20, 0x7f))
        for password in (*'\'";\\`,/ %', printable, 'NzY5+/zk3Ozs7Oj09Pj4/Q==',
                         '\xe4\u20ac\u6f22\U0001f418'):
            self.ask('PUT', 'users/joe', {'user': {
                'password': password}}, 202)
            self.wait(lambda: self.galera.users['joe@%']['_password']
                      == password)

    def test_values_that_no_server_accepts_are_refused_at_once(self) -> None:
        self.make()
        for method, path, body, words in (
                ('POST', 'users', {'users': [dict(JOE, name='a' * 200)]},
                 'has 200 characters; '),
                ('POST', 'users', {'users': [dict(JOE, name='a\tb')]},
                 "The user name 'a\\tb' contains"),
                ('POST', 'users', {'users': [
                    dict(JOE, name='jane', host='a@b')]}, "The host 'a@b'"),
                ('POST', 'users', {'users': [
                    dict(JOE, name='jane', password='s3cret\x07')]},
                 'The password contains a control character'),
                ('POST', 'users', {'users': [
                    dict(JOE, name='jane', databases=[{'name': 'a' * 65}])]},
                 'is 64.'),
                ('PUT', 'users/joe', {'user': {'name': 'a' * 200}},
                 'has 200 characters'),
                ('PUT', 'users/joe', {'user': {'host': 'a' * 300}},
                 'has 300 characters'),
                ('PUT', 'users/joe', {'user': {'password': ''}},
                 'The password is empty.'),
                ('PUT', 'users', {'users': [dict(
                    name='joe', password='s3cret\n')]}, 'control character'),
                ('PUT', 'users/joe/databases',
                 {'databases': [{'name': '.' * 60}]}, 'would have 300 bytes'),
                ('POST', 'databases', {'databases': [{'name': 'a '}]},
                 "'a ' ends with a space"),
                ('POST', 'databases', {'databases': [
                    {'name': 'b', 'character_set': 'utf8; DROP'}]},
                 "The character set 'utf8; DROP' does not exist"),
                ('POST', 'databases', {'databases': [
                    {'name': 'b', 'collate': "x'"}]}, 'The collation')):
            self.refuse(400, words, method, path, body)
        self.assertEqual(['joe@%'], list(self.galera.users))
        self.assertEqual(['shop'], list(self.galera.databases))

    def test_errors_of_the_server_are_passed_on(self) -> None:
        """The answer comes at once and quotes the server."""
        self.galera.server.refuses['nosuch'] = (
            1115, "Unknown character set: 'nosuch'")
        self.refuse(400, "Unknown character set: 'nosuch'", 'POST',
                    'databases', {'databases': [
                        {'name': 'b', 'character_set': 'nosuch'}]})
        self.assertEqual({}, self.galera.databases)

    def test_unsupported_attributes_are_refused(self) -> None:
        self.make()
        for method, path, body in (
                ('POST', 'users', {'users': [dict(JOE, name='j', x=1)]}),
                ('POST', 'users', {'users': [dict(JOE, name='j')], 'x': 1}),
                ('POST', 'users', {'users': []}),
                ('PUT', 'users/joe', {'user': {
                    'host': '%', 'databases': [{'name': 'shop'}]}}),
                ('PUT', 'users', {'users': [JOE]}),
                ('PUT', 'users/joe/databases', {'databases': []}),
                ('POST', 'databases', {'databases': [
                    {'name': 'b', 'engine': 'InnoDB'}]}),
                ('POST', 'root', {'password': 'a', 'name': 'b'})):
            self.refuse(400, 'Validation error', method, path, body)

    def test_no_answer_contains_a_password(self) -> None:
        for body in ({'users': [dict(JOE, password='s3cret\x07')]},
                     {'users': [dict(JOE, password=['s3cret'])]},
                     {'users': dict(JOE, password='s3cret')},
                     {'users': [dict(JOE, password='s3cret\0')]},
                     {'users': [dict(JOE, password='s3cret\ud800')]},
                     {'users': [dict(JOE, password='s3cret', host=5)]}):
            answer = self.ask('POST', 'users', body, 400)
            self.assertNotIn('s3cret', str(answer))

    def test_invalid_bodies_are_refused(self) -> None:
        for path in ('users', 'databases'):
            for body in (None, {}, [], 'users', 5, {path: 'x'}, {path: [5]},
                         {'other': []}, {path: [{'name': '\ud800'}]}):
                answer = self.request(
                    'POST', f'/instances/{self.rows[0].id}/{path}', body)
                self.assertEqual(400, answer.status_int, answer.text)

    def test_pages_follow_each_other(self) -> None:
        self.ask('POST', 'databases', {'databases': [
            {'name': name} for name in ('a', 'b', 'c')]}, 202)
        self.wait(lambda: self.galera.databases)
        first = self.ask('GET', 'databases?limit=2')
        self.assertEqual([{'name': 'a'}, {'name': 'b'}], first['databases'])
        self.assertIn('marker=b', first['links'][0]['href'])
        self.assertEqual({'databases': [{'name': 'c'}]}, self.ask(
            'GET', 'databases?limit=2&marker=b'))
        self.refuse(400, 'limit must be', 'GET', 'databases?limit=x')

    def test_a_member_that_does_not_serve_refuses(self) -> None:
        kept = base.instance_models.InstanceServiceStatus.find_by(
            instance_id=self.rows[0].id)
        kept.set_status(Statuses.CRASHED)
        kept.save()
        self.refuse(422, 'Use another member', 'GET', 'users')
        self.ask('GET', 'users', member=2)

    def test_other_projects_find_nothing(self) -> None:
        for path in ('users', 'databases', 'users/joe'):
            self.ask('GET', path, None, 404, project='other')

    def test_notifications_are_sent(self) -> None:
        self.make()
        started = self.wait_notified('dbaas.user_create.start')
        self.assertEqual((self.rows[1].id, 'joe'), (
            started['instance_id'], started['username']))
        self.refuse(404, 'jane', 'DELETE', 'users/jane')
        failed = self.wait_notified('dbaas.user_delete.error')
        self.assertEqual(self.rows[0].id, failed['instance_id'])


class PxcUsersTest(UsersTest):
    """Trove's own extension refuses the datastore pxc."""

    manager = 'pxc'
    version = '8.0'

    def test_without_the_filter_trove_refuses(self) -> None:
        self.api = extensions.TroveExtensionMiddleware(trove_api.API())
        for path in ('users', 'databases'):
            self.refuse(422, 'not supported for datastore pxc', 'GET', path)


class OldPxcUsersTest(UsersTest):
    """The guest sets passwords with statements that PXC 5.6 supports."""

    manager = 'pxc'
    version = '5.6'
