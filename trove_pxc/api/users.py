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

"""Users and databases of a cluster, through any of its members.

Loaded by api/pipeline. Trove's own controllers refuse the datastore pxc by its
name (trove.extensions.common.models.load_and_verify). These controllers do the
same work for members of clusters of any datastore. Requests for other
instances do not come here.
"""

from collections.abc import Iterable
from collections.abc import Iterator
import contextlib
from typing import Any
from typing import Protocol

from trove.common import exception
from trove.common import notification
from trove.common import pagination
from trove.common import wsgi
from trove.extensions.common import models
from trove.extensions.common import service
from trove.extensions.common import views
from trove.instance import models as instance_models

from trove_pxc.api import accounts
from trove_pxc.api import body as request_body
from trove_pxc.api import guests
from trove_pxc.api import names
from trove_pxc.api.schemas import Schema
from trove_pxc.api import validation
from trove_pxc.galera import reserved
from trove_pxc.protocols import Arguments
from trove_pxc.protocols import Context
from trove_pxc.protocols import Instance
from trove_pxc.protocols import Notify
from trove_pxc.protocols import Request

_ACCEPTED = wsgi.Result(None, 202)


class _User(Protocol):
    """A user or database in the form for Trove's views."""

    name: str
    host: str


class _Listing(Protocol):
    """Trove's list of the users or databases of an instance."""

    DEFAULT_LIMIT: int

    @classmethod
    def load_with_client(
            cls, client: guests.Accounts, limit: int, marker: str | None,
            include_marker: bool) -> tuple[list[_User], str | None]:
        """Return one page, and the next marker."""


class _MemberController(service.ExtensionController):
    """Base of the controllers of a member's users and databases."""

    #: the schema of the body, by the action
    bodies: dict[str, Schema] = {}

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(
            self, action, action_args, self.bodies.get(action))

    def guest(self, req: Request, instance_id: str,
              rule: str) -> guests.Accounts:
        """Return the guest of a member that serves.

        :raises trove.common.exception.TroveError: if the policy forbids it, or
            the member does not serve.
        """
        context: Context = req.environ[wsgi.CONTEXT_KEY]
        self.authorize_target_action(context, rule, instance_id)
        member: Instance = instance_models.Instance.load(
            context, instance_id)
        if not member.is_datastore_running:
            raise validation.unavailable(
                f'Member {member.name} ({member.id}) does not serve now: it '
                f'is {member.operating_status}. Use another member: all '
                'have the same users and databases.')
        return guests.Guest(context, member, member.datastore_version)


class UsersController(_MemberController):
    """/instances/{id}/users"""

    bodies = {'create': accounts.CREATE_USERS,
              'update': accounts.CHANGE_USER,
              'update_all': accounts.CHANGE_PASSWORDS}

    def index(self, req: Request, tenant_id: str, instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:index')
        users, marker = _load(req, models.Users, guest)
        return _page(req, 'users', views.UsersView([
            user for user in users
            if not reserved.is_reserved_user(user.name)]), marker)

    def create(self, req: Request, body: accounts.Users, tenant_id: str,
               instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:create')
        with _notifying(req, notification.DBaaSUserCreate, instance_id,
                        username=_names(body['users'])):
            wanted = accounts.users(guest.dialect, body['users'])
            for user in wanted:
                _refuse_existing(guest, user['_name'], user['_host'])
            guest.create_user(wanted)
        return _ACCEPTED

    def show(self, req: Request, tenant_id: str, instance_id: str,
             id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:show')
        return wsgi.Result(
            views.UserView(_find(guest, names.decoded(id))).data(), 200)

    def delete(self, req: Request, tenant_id: str, instance_id: str,
               id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:delete')
        name = names.decoded(id)
        with _notifying(req, notification.DBaaSUserDelete, instance_id,
                        username=name):
            user = _find(guest, name)
            guest.delete_user(accounts.to_delete(user.name, user.host))
        return _ACCEPTED

    def update(self, req: Request, body: accounts.ChangedUser,
               tenant_id: str, instance_id: str, id: str) -> Any:
        """Change the name, host or password of one user."""
        guest = self.guest(req, instance_id, 'user:update')
        name, wanted = names.decoded(id), body['user'].copy()
        with _notifying(req, notification.DBaaSUserUpdateAttributes,
                        instance_id, username=name):
            user = _find(guest, name)
            if 'host' in wanted:
                wanted['host'] = accounts.host_of(wanted)
            if 'password' in wanted:
                accounts.check_password(wanted['password'])
            renamed = (wanted.get('name', user.name),
                       wanted.get('host', user.host))
            if renamed != (user.name, user.host):
                accounts.check_user(guest.dialect, *renamed)
                _refuse_existing(guest, *renamed)
            guest.update_attributes(user.name, user.host, wanted)
        return _ACCEPTED

    def update_all(self, req: Request, body: accounts.Users, tenant_id: str,
                   instance_id: str) -> Any:
        """Change the passwords of several users."""
        guest = self.guest(req, instance_id, 'user:update_all')
        with _notifying(req, notification.DBaaSUserChangePassword,
                        instance_id, username=_names(body['users'])):
            changes = {}
            for user in body['users']:
                accounts.check_password(user['password'])
                found = _find_first(guest, [
                    (user['name'], accounts.host_of(user))])
                if (found.name, found.host) in changes:
                    raise exception.DatabaseInitialUserDuplicateError()
                changes[found.name, found.host] = {
                    'name': found.name, 'host': found.host,
                    'password': user['password']}
            guest.change_passwords(list(changes.values()))
        return _ACCEPTED


class UserAccessController(_MemberController):
    """/instances/{id}/users/{name}/databases"""

    bodies = {'update': accounts.GRANT}

    def index(self, req: Request, tenant_id: str, instance_id: str,
              user_id: str) -> Any:
        guest = self.guest(req, instance_id, 'user_access:index')
        user = _find(guest, names.decoded(user_id))
        return wsgi.Result(
            views.UserAccessView(_accessible(guest, user)).data(), 200)

    def update(self, req: Request, body: accounts.Grant, tenant_id: str,
               instance_id: str, user_id: str) -> Any:
        """Grant a user access to databases."""
        guest = self.guest(req, instance_id, 'user_access:update')
        name = names.decoded(user_id)
        with _notifying(req, notification.DBaaSUserGrant, instance_id,
                        username=name, database=[
                            one['name'] for one in body['databases']]):
            wanted = accounts.granted(guest.dialect, body['databases'])
            user = _find(guest, name)
            guest.grant_access(user.name, user.host, wanted)
        return _ACCEPTED

    def delete(self, req: Request, tenant_id: str, instance_id: str,
               user_id: str, id: str) -> Any:
        """Revoke a user's access to a database."""
        guest = self.guest(req, instance_id, 'user_access:delete')
        name, database = names.decoded(user_id), names.decoded(id)
        with _notifying(req, notification.DBaaSUserRevoke, instance_id,
                        username=name, database=[database]):
            accounts.check_database_not_reserved(database)
            user = _find(guest, name)
            if database not in [
                    one.name for one in _accessible(guest, user)]:
                raise exception.DatabaseNotFound(uuid=database)
            guest.revoke_access(user.name, user.host, database)
        return _ACCEPTED


class DatabasesController(_MemberController):
    """/instances/{id}/databases"""

    bodies = {'create': accounts.CREATE_DATABASES}

    def index(self, req: Request, tenant_id: str, instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'database:index')
        schemas, marker = _load(req, models.Schemas, guest)
        return _page(req, 'databases', views.SchemasView([
            schema for schema in schemas
            if not reserved.is_reserved_database(schema.name)]), marker)

    def create(self, req: Request, body: accounts.Databases, tenant_id: str,
               instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'database:create')
        with _notifying(req, notification.DBaaSDatabaseCreate, instance_id,
                        dbname=_names(body['databases'])):
            wanted = accounts.databases(guest.dialect, body['databases'])
            for schema in wanted:
                if _has_database(guest, schema['_name']):
                    raise exception.DatabaseAlreadyExists(
                        name=schema['_name'])
            guest.create_database(wanted)
        return _ACCEPTED

    def delete(self, req: Request, tenant_id: str, instance_id: str,
               id: str) -> Any:
        guest = self.guest(req, instance_id, 'database:delete')
        name = names.decoded(id)
        with _notifying(req, notification.DBaaSDatabaseDelete, instance_id,
                        dbname=name):
            accounts.check_database_not_reserved(name)
            if not _has_database(guest, name):
                raise exception.DatabaseNotFound(uuid=name)
            guest.delete_database(accounts.database_to_delete(name))
        return _ACCEPTED

    def show(self, req: Request, tenant_id: str, instance_id: str,
             id: str) -> Any:
        """Answer 404. Trove has this route and always answers 501."""
        self.guest(req, instance_id, 'database:show')
        raise exception.NotFound(uuid=names.decoded(id))


@contextlib.contextmanager
def _notifying(req: Request, kind: Notify, instance_id: str,
               **traits: object) -> Iterator[None]:
    """Send the notification of the start, and that of the end or error."""
    context: Context = req.environ[wsgi.CONTEXT_KEY]
    context.notification = kind(context, request=req)
    with notification.StartNotification(context, instance_id=instance_id,
                                        **traits):
        yield


def _load(req: Request, kind: type[_Listing], guest: guests.Accounts
          ) -> tuple[list[_User], str | None]:
    """Return one page of the users or databases, and the next marker."""
    context: Context = req.environ[wsgi.CONTEXT_KEY]
    return kind.load_with_client(
        client=guest, marker=context.marker, include_marker=False,
        limit=request_body.page_size(context, kind.DEFAULT_LIMIT))


def _page(req: Request, name: str, view: object,
          marker: str | None) -> Any:
    return wsgi.Result(pagination.SimplePaginatedDataView(
        req.url, name, view, marker).data(), 200)


def _names(described: Iterable[accounts.Named]) -> str:
    return ','.join(one['name'] for one in described)


def _find(guest: guests.Accounts, text: str) -> _User:
    """Return the user that a path names, as "name" or "name@host"."""
    return _find_first(guest, accounts.named(text))


def _find_first(guest: guests.Accounts,
                meant: list[tuple[str, str]]) -> _User:
    """Return the first of these users that exists, in Trove's form.

    :raises trove.common.exception.BadRequest: if the user is reserved.
    :raises trove.common.exception.UserNotFound: if none exists.
    """
    for name, host in meant:
        accounts.check_user_not_reserved(name)
        found = guest.get_user(username=name, hostname=host)
        if found:
            user: _User = models.User(found['_name'], found['_host'], None, [
                {'name': database['_name']}
                for database in found['_databases']])
            return user
    raise exception.UserNotFound(uuid='@'.join(meant[0]))


def _refuse_existing(guest: guests.Accounts, name: str, host: str) -> None:
    if guest.get_user(username=name, hostname=host):
        raise exception.UserAlreadyExists(name=name, host=host)


def _accessible(guest: guests.Accounts,
                user: _User) -> list[models.Schema]:
    """Return the databases that a user can access."""
    return [models.Schema(found['_name'], found['_collate'],
                          found['_character_set'])
            for found in guest.list_access(user.name, user.host)]


def _has_database(guest: guests.Accounts, name: str) -> bool:
    found, _ = models.Schemas.load_with_client(
        client=guest, limit=1, marker=name, include_marker=True)
    return bool(found and found[0].name == name)
