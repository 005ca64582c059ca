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

"""Users and databases of a member: the calls to its guest."""

from typing import Any

import mock
from trove.common import exception
from trove.common import wsgi
from trove.extensions.common import service
from trove.instance import models as instance_models

from tests.unit.api import base
from tests.unit.api import test_routes
from tests.unit import tables
from trove_pxc.api import pipeline
from trove_pxc.api import users


def guest_user(name: str, host: str = '%', *databases: str) -> Any:
    """Return a user in the form of a guest."""
    return {'_name': name, '_host': host, '_password': None,
            '_databases': [guest_schema(one) for one in databases],
            '_is_root': False}


def guest_schema(name: str) -> dict[str, Any]:
    """Return a database in the form of a guest."""
    return {'_name': name, '_character_set': 'utf8', '_collate': None}


class UsersTestCase(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.member = self.members(self.add_cluster())[1]
        self.api = pipeline.factory({})(None)
        self.there = {('ann', '%'): guest_user('ann', '%', 'shop')}
        self.guest.get_user.side_effect = lambda username, hostname: (
            self.there.get((username, hostname)))
        self.guest.list_databases.side_effect = self.list_databases
        self.databases = ['books', 'shop']

    def list_databases(self, limit: int, marker: str, include_marker: bool
                       ) -> Any:
        found = [one for one in self.databases if not marker
                 or one > marker or (include_marker and one == marker)]
        return [guest_schema(one) for one in found[:limit]], (
            found[limit - 1] if len(found) > limit else None)

    def ask(self, method: str, path: str, body: Any = None,
            **who: str) -> Any:
        return base.request(
            method, f'/instances/{self.member.id}{path}', body,
            **who).get_response(self.api)

    def done(self, event: str, method: str, path: str,
             body: Any = None) -> dict[str, Any]:
        """Check that it is accepted; return the notifications.

        The end is sent as well, because an autospec does not leave that to the
        guest, as a client does.
        """
        response = self.ask(method, path, body)
        self.assertEqual(202, response.status_int, response.text)
        self.assertEqual([f'{event}.start', f'{event}.end'],
                         self.notifier.events)
        payload = self.notifier.payloads[0]
        self.assertEqual(self.member.id, payload['instance_id'])
        return payload

    def refused(self, status: int, words: str, method: str, path: str,
                body: Any = None, events: int = 2) -> None:
        """Check the message, and the notification of the error."""
        response = self.ask(method, path, body)
        self.assertEqual(status, response.status_int, response.text)
        self.assertIn(words, response.text)
        self.assertEqual(events, len(self.notifier.events))
        if events:
            self.assertTrue(self.notifier.events[-1].endswith('.error'))
        for name in ('create_user', 'delete_user', 'update_attributes',
                     'change_passwords', 'grant_access', 'revoke_access',
                     'create_database', 'delete_database'):
            getattr(self.guest, name).assert_not_called()


class GuestTest(UsersTestCase):
    """Which guest is called, and for which users."""

    def test_the_member_itself(self) -> None:
        self.ask('GET', '/databases')
        _, instance_id, manager = self.create_guest.call_args.args
        self.assertEqual((self.member.id, 'mariadb'), (instance_id, manager))

    def test_a_member_that_does_not_serve(self) -> None:
        instance_models.InstanceServiceStatus.find_by(
            instance_id=self.member.id).update(
                status=tables.Statuses.SHUTDOWN)
        response = self.ask('GET', '/users')
        self.assertEqual(422, response.status_int)
        self.assertIn(
            f'Member c-2 ({self.member.id}) does not serve now: it is '
            'SHUTDOWN. Use another member: all have the same users and '
            'databases.', response.text)
        self.create_guest.assert_not_called()

    def test_troves_rule_is_asked(self) -> None:
        for controller, action, arguments, rule in (
                (users.UsersController, 'index', {}, 'user:index'),
                (users.UsersController, 'create', {'body': 0},
                 'user:create'),
                (users.UsersController, 'show', {'id': 'a'}, 'user:show'),
                (users.UsersController, 'delete', {'id': 'a'},
                 'user:delete'),
                (users.UsersController, 'update', {'id': 'a', 'body': 0},
                 'user:update'),
                (users.UsersController, 'update_all', {'body': 0},
                 'user:update_all'),
                (users.UserAccessController, 'index', {'user_id': 'a'},
                 'user_access:index'),
                (users.UserAccessController, 'update',
                 {'user_id': 'a', 'body': 0}, 'user_access:update'),
                (users.UserAccessController, 'delete',
                 {'user_id': 'a', 'id': 'b'}, 'user_access:delete'),
                (users.DatabasesController, 'index', {}, 'database:index'),
                (users.DatabasesController, 'create', {'body': 0},
                 'database:create'),
                (users.DatabasesController, 'delete', {'id': 'a'},
                 'database:delete')):
            refusal = exception.PolicyNotAuthorized()
            with mock.patch.object(
                    service.ExtensionController, 'authorize_target_action',
                    autospec=True, side_effect=refusal) as authorize:
                request = base.request()
                self.assertRaises(
                    exception.PolicyNotAuthorized,
                    getattr(controller(), action), request,
                    tenant_id=base.PROJECT, instance_id=self.member.id,
                    **arguments)
            authorize.assert_called_once_with(
                request.environ[wsgi.CONTEXT_KEY], rule, self.member.id)

    def test_another_project_does_not_find_it(self) -> None:
        self.assertEqual(404, self.ask(
            'GET', '/users', project='other').status_int)

    def test_what_is_none_of_ours_goes_on(self) -> None:
        self.api = pipeline.factory({})(test_routes.behind)
        self.member = tables.add_instance(self.version, 'alone')
        for path in ('/users', '/users/a', '/users/a/databases',
                     '/databases', '/databases/a'):
            self.assertEqual(203, self.ask('GET', path).status_int)


class ListTest(UsersTestCase):

    def test_users(self) -> None:
        self.guest.list_users.return_value = [
            guest_user('ann', '%', 'shop'), guest_user('bob', '10.0.0.1')
        ], 'bob'
        response = self.ask('GET', '/users?limit=2&marker=aaa')
        self.assertEqual(
            [{'name': 'ann', 'host': '%', 'databases': [{'name': 'shop'}]},
             {'name': 'bob', 'host': '10.0.0.1', 'databases': []}],
            response.json['users'])
        self.assertIn('marker=bob', response.json['links'][0]['href'])
        self.guest.list_users.assert_called_once_with(
            limit=2, marker='aaa', include_marker=False)

    def test_databases(self) -> None:
        response = self.ask('GET', '/databases?limit=1')
        self.assertEqual([{'name': 'books'}], response.json['databases'])
        self.assertIn('marker=books', response.json['links'][0]['href'])
        response = self.ask('GET', '/databases?marker=books')
        self.assertEqual([{'name': 'shop'}], response.json['databases'])
        self.assertNotIn('links', response.json)

    def test_not_those_of_the_server(self) -> None:
        self.guest.list_users.return_value = [
            guest_user('Mysql.Sys'), guest_user('ann')], None
        self.assertEqual(['ann'], [
            one['name'] for one in self.ask('GET', '/users').json['users']])
        self.databases = ['SYS', 'shop']
        self.assertEqual([{'name': 'shop'}],
                         self.ask('GET', '/databases').json['databases'])

    def test_no_more_than_trove_gives(self) -> None:
        self.guest.list_users.return_value = [], None
        self.ask('GET', '/users?limit=5000')
        self.assertEqual(20, self.guest.list_users.call_args.kwargs['limit'])

    def test_a_limit_that_is_none(self) -> None:
        self.refused(400, 'limit must be an integer', 'GET',
                     '/databases?limit=x', events=0)


class CreateUserTest(UsersTestCase):

    def test_a_user(self) -> None:
        payload = self.done('user_create', 'POST', '/users', {'users': [
            {'name': 'bob', 'password': 'a-password',
             'databases': [{'name': 'shop'}]},
            {'name': 'ann', 'password': 'a-password', 'host': '10.0.0.1'}]})
        (wanted,), _ = self.guest.create_user.call_args
        self.assertEqual(
            [('bob', '%', 'a-password'), ('ann', '10.0.0.1', 'a-password')],
            [(one['_name'], one['_host'], one['_password'])
             for one in wanted])
        self.assertEqual('bob,ann', payload['username'])

    def create(self, status: int, words: str, events: int = 2,
               **user: Any) -> None:
        self.refused(status, words, 'POST', '/users', {'users': [
            {'name': 'new', 'password': 'a-password'},
            {'password': 'a-password', **user}]}, events)

    def test_one_that_is_there(self) -> None:
        self.create(400, 'already exists', name='ann')

    def test_a_name_of_the_servers_own(self) -> None:
        self.create(400, 'os_admin', name='os_admin')

    def test_the_same_twice(self) -> None:
        self.create(400, 'share', name='new')

    def test_a_body_that_is_none(self) -> None:
        self.create(400, 'Validation error', events=0, nam='x')

    def test_what_no_server_takes(self) -> None:
        for user, words in (
                ({'name': 'bob', 'host': 'a@b'}, "The host 'a@b'"),
                ({'name': 'bob', 'databases': [{'name': 'MySQL'}]},
                 "The database 'MySQL' is reserved"),
                ({'name': 'a' * 129}, 'MariaDB 10.11 is 128')):
            self.notifier.events.clear()
            self.create(400, words, **user)

    def test_more_than_one_request_may_name(self) -> None:
        """Each is a call of the guest. The answer does not list them."""
        names = [{'name': f'n{number}'} for number in range(101)]
        for method, path, body in (
                ('POST', '/databases', {'databases': names}),
                ('PUT', '/users/ann/databases', {'databases': names}),
                ('POST', '/users', {'users': [
                    {'name': 'x', 'password': 'a', 'databases': names}]})):
            self.refused(400, 'does not match the schema: maxItems 100',
                         method, path, body, events=0)


class OneUserTest(UsersTestCase):

    def test_show(self) -> None:
        self.there['ann', '10.0.0.1'] = guest_user('ann', '10.0.0.1')
        self.assertEqual(
            {'name': 'ann', 'host': '%', 'databases': [{'name': 'shop'}]},
            self.ask('GET', '/users/ann').json['user'])
        self.assertEqual('10.0.0.1', self.ask(
            'GET', '/users/ann@10.0.0.1').json['user']['host'])

    def test_one_that_there_is_not(self) -> None:
        for method, path, body, events in (
                ('GET', '/users/bob', None, 0),
                ('DELETE', '/users/bob', None, 2),
                ('PUT', '/users/bob', {'user': {'name': 'new'}}, 2),
                ('PUT', '/users', {'users': [
                    {'name': 'bob', 'password': 'a-password'}]}, 2),
                ('GET', '/users/bob/databases', None, 0),
                ('PUT', '/users/bob/databases',
                 {'databases': [{'name': 'shop'}]}, 2),
                ('DELETE', '/users/bob/databases/shop', None, 2)):
            self.notifier.events.clear()
            self.refused(404, 'bob@%', method, path, body, events)

    def test_one_user_twice(self) -> None:
        """It is ambiguous which password is meant."""
        body = {'users': [
            {'name': 'ann', 'password': 'a-password'},
            {'name': 'ann', 'host': '%', 'password': 'another'}]}
        self.refused(400, 'duplicate', 'PUT', '/users', body, 2)
        self.guest.change_passwords.assert_not_called()

    def test_an_empty_host(self) -> None:
        """Servers take it as %, which would be another user."""
        for path, body in (
                ('/users', {'users': [{'name': 'ann', 'host': '',
                                       'password': 'a-password'}]}),
                ('/users/ann', {'user': {'host': ''}})):
            self.notifier.events.clear()
            self.refused(400, 'The host is empty', 'PUT', path, body, 2)

    def test_one_of_the_servers_own(self) -> None:
        for method, path, body, events in (
                ('GET', '/users/os_admin', None, 0),
                ('GET', '/users/os_admin/databases', None, 0),
                ('DELETE', '/users/root', None, 2),
                ('PUT', '/users/ann', {'user': {'name': 'root'}}, 2)):
            self.notifier.events.clear()
            self.refused(400, 'reserved', method, path, body, events)

    def test_delete(self) -> None:
        payload = self.done('user_delete', 'DELETE', '/users/ann')
        (user,), _ = self.guest.delete_user.call_args
        self.assertEqual(('ann', '%'), (user['_name'], user['_host']))
        self.assertEqual('ann', payload['username'])

    def test_a_dot_is_no_format(self) -> None:
        self.there['ann.b', '%'] = guest_user('ann.b')
        self.there['ann', '10.0.0.1'] = guest_user('ann', '10.0.0.1')
        for path, name in (('/users/ann.b', 'ann.b'),
                           ('/users/ann@10.0.0.1', 'ann')):
            self.assertEqual(
                name, self.ask('GET', path).json['user']['name'])

    def test_a_name_with_an_at_sign(self) -> None:
        """The path means the user of a host, if that user exists."""
        self.there['a@b', '%'] = guest_user('a@b')
        self.assertEqual('a@b', self.ask(
            'GET', '/users/a@b').json['user']['name'])
        self.there['a', 'b'] = guest_user('a', 'b')
        self.assertEqual('a', self.ask(
            'GET', '/users/a@b').json['user']['name'])

    def test_update(self) -> None:
        payload = self.done('user_update_attributes', 'PUT', '/users/ann',
                            {'user': {'host': '10.0.0.1'}})
        self.guest.update_attributes.assert_called_once_with(
            'ann', '%', {'host': '10.0.0.1'})
        self.assertEqual('ann', payload['username'])

    def test_a_new_password_alone(self) -> None:
        self.done('user_update_attributes', 'PUT', '/users/ann',
                  {'user': {'password': 'new-one'}})
        self.guest.update_attributes.assert_called_once_with(
            'ann', '%', {'password': 'new-one'})

    def test_a_name_that_another_has(self) -> None:
        self.there['bob', '%'] = guest_user('bob')
        self.there['ann', '10.0.0.1'] = guest_user('ann', '10.0.0.1')
        for change in ({'name': 'bob'}, {'host': '10.0.0.1'}):
            self.notifier.events.clear()
            self.refused(400, 'already exists', 'PUT', '/users/ann',
                         {'user': change})

    def test_its_own_name(self) -> None:
        self.done('user_update_attributes', 'PUT', '/users/ann',
                  {'user': {'name': 'ann'}})
        self.guest.update_attributes.assert_called_once()

    def test_passwords_of_several(self) -> None:
        self.there['bob', '10.0.0.1'] = guest_user('bob', '10.0.0.1')
        payload = self.done('user_change_password', 'PUT', '/users', {
            'users': [{'name': 'ann', 'password': 'one-password'},
                      {'name': 'bob', 'host': '10.0.0.1',
                       'password': 'another'}]})
        self.guest.change_passwords.assert_called_once_with([
            {'name': 'ann', 'host': '%', 'password': 'one-password'},
            {'name': 'bob', 'host': '10.0.0.1', 'password': 'another'}])
        self.assertEqual('ann,bob', payload['username'])


class FailureTest(UsersTestCase):
    """Errors of the guest or of its server during a change."""

    def test_the_server_refuses(self) -> None:
        for failure, status, words in (
                (exception.BadRequest('no such character set'), 400,
                 'no such character set'),
                (exception.UserAlreadyExists(name='bob', host='%'), 400,
                 'already exists'),
                (exception.UnprocessableEntity('not primary'), 422,
                 'not primary'),
                (exception.GuestTimeout(), 422, 'did not answer in time'),
                (exception.GuestError(original_message="BY 's3cret'"), 422,
                 'The guest of member c-2')):
            self.notifier.events.clear()
            self.guest.create_user.side_effect = failure
            response = self.ask('POST', '/users', {'users': [
                {'name': 'bob', 'password': 's3cret'}]})
            self.assertEqual(status, response.status_int, response.text)
            self.assertIn(words, response.text)
            self.assertNotIn('s3cret', response.text)
            self.assertEqual('user_create.error', self.notifier.events[-1])

    def test_an_old_server_is_given_another_password(self) -> None:
        """The guest has the statements for PXC 5.6."""
        old = tables.add_version('pxc', '5.6.51', name='old')
        self.member = tables.add_member(tables.add_cluster(old), 'o-1')
        self.done('user_update_attributes', 'PUT', '/users/ann',
                  {'user': {'password': 'new-one'}})


class AccessTest(UsersTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.guest.list_access.return_value = [
            guest_schema('shop'), guest_schema('books')]

    def test_list(self) -> None:
        self.assertEqual(
            [{'name': 'shop'}, {'name': 'books'}],
            self.ask('GET', '/users/ann/databases').json['databases'])
        self.guest.list_access.assert_called_once_with('ann', '%')

    def test_grant(self) -> None:
        payload = self.done(
            'user_grant', 'PUT', '/users/ann/databases',
            {'databases': [{'name': 'shop'}, {'name': 'books'}]})
        self.guest.grant_access.assert_called_once_with(
            'ann', '%', ['shop', 'books'])
        self.assertEqual(('ann', ['shop', 'books']),
                         (payload['username'], payload['database']))

    def test_a_database_of_the_servers_own(self) -> None:
        self.refused(400, 'mysql', 'PUT', '/users/ann/databases',
                     {'databases': [{'name': 'shop'}, {'name': 'mysql'}]})

    def test_a_body_that_is_none(self) -> None:
        self.refused(400, 'Validation error', 'PUT', '/users/ann/databases',
                     {'databases': [{'nam': 'shop'}]}, events=0)

    def test_revoke(self) -> None:
        payload = self.done('user_revoke', 'DELETE',
                            '/users/ann/databases/books')
        self.guest.revoke_access.assert_called_once_with(
            'ann', '%', 'books')
        self.assertEqual(('ann', ['books']),
                         (payload['username'], payload['database']))

    def test_no_reserved_database_is_revoked(self) -> None:
        self.refused(400, "'sys' is reserved", 'DELETE',
                     '/users/ann/databases/sys')

    def test_what_was_not_granted(self) -> None:
        self.refused(404, 'other', 'DELETE', '/users/ann/databases/other')


class DatabasesTest(UsersTestCase):

    def test_create(self) -> None:
        payload = self.done(
            'database_create', 'POST', '/databases',
            {'databases': [{'name': 'music'}, {'name': 'films'}]})
        (wanted,), _ = self.guest.create_database.call_args
        self.assertEqual(['music', 'films'],
                         [one['_name'] for one in wanted])
        self.assertEqual('music,films', payload['dbname'])

    def test_one_that_is_there(self) -> None:
        self.refused(400, 'already exists', 'POST', '/databases',
                     {'databases': [{'name': 'music'}, {'name': 'shop'}]})

    def test_one_of_the_servers_own(self) -> None:
        self.refused(400, 'mysql', 'POST', '/databases',
                     {'databases': [{'name': 'mysql'}]})
        self.notifier.events.clear()
        self.databases.insert(0, 'mysql')
        self.refused(400, 'mysql', 'DELETE', '/databases/mysql')

    def test_delete(self) -> None:
        payload = self.done('database_delete', 'DELETE', '/databases/shop')
        (schema,), _ = self.guest.delete_database.call_args
        self.assertEqual('shop', schema['_name'])
        self.assertEqual('shop', payload['dbname'])

    def test_none_is_shown_alone(self) -> None:
        self.refused(404, 'shop', 'GET', '/databases/shop', events=0)

    def test_one_that_there_is_not(self) -> None:
        for name in ('music', 'boo', 'zoo'):
            self.notifier.events.clear()
            self.refused(404, name, 'DELETE', f'/databases/{name}')
