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

Loaded by api/pipeline. Trove's own controllers refuse the datastore pxc by
name (trove.extensions.common.models.load_and_verify); these do the same for
the member of a cluster, of whatever datastore, and leave every other
instance to Trove's.
"""

from collections.abc import Iterator
import contextlib
from typing import Any

from trove.common import apischema
from trove.common import clients
from trove.common.db import models as guest_models
from trove.common import exception
from trove.common import notification
from trove.common import pagination
from trove.common import utils
from trove.common import wsgi
from trove.datastore import models as datastore_models
from trove.extensions.common import common
from trove.extensions.common import models
from trove.extensions.common import service
from trove.extensions.common import views
from trove.instance import models as instance_models

from trove_pxc.api import body as request_body
from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import validation
from trove_pxc.galera import dialect

_ACCEPTED = wsgi.Result(None, 202)


class _MemberMixin(service.ExtensionController):
    """What the controllers of a member's users and databases share."""

    def validate_request(self, action: str, action_args: Any) -> None:
        request_body.check(self, action, action_args)

    def guest(self, req: Any, instance_id: str, rule: str) -> Any:
        """The client of a member that serves; None: it is no member.

        :raises trove.common.exception.TroveError: the project may not do
            it, or the member does not serve.
        """
        row = instance_models.DBInstance.get_by(id=instance_id,
                                                deleted=False)
        if (row is None or not row.cluster_id
                or row.type != cluster_model.MEMBER_TYPE):
            return None
        context = req.environ[wsgi.CONTEXT_KEY]
        self.authorize_target_action(context, rule, instance_id)
        member = instance_models.Instance.load(context, instance_id)
        if not member.is_datastore_running:
            raise validation.unavailable(
                f'Member {member.name} ({member.id}) does not serve now: it '
                f'is {member.operating_status}. Ask another member; each '
                'has the users and databases of all.')
        return clients.create_guest_client(
            context, member.id, member.datastore_version.manager)


class UsersController(_MemberMixin, service.UserController):
    """/instances/{id}/users"""

    def index(self, req: Any, tenant_id: str, instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:index')
        if guest is None:
            return super().index(req, tenant_id, instance_id)
        users, marker = _load(req, models.Users, guest)
        return _page(req, 'users', views.UsersView(users), marker)

    def create(self, req: Any, body: Any, tenant_id: str,
               instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:create')
        if guest is None:
            return super().create(req, body, tenant_id, instance_id)
        with _notifying(req, notification.DBaaSUserCreate, instance_id,
                        username=_names(body['users'])):
            wanted = common.populate_users(body['users'])
            for user in wanted:
                _refuse_existing(guest, user['_name'], user['_host'])
            guest.create_user(wanted)
        return _ACCEPTED

    def show(self, req: Any, tenant_id: str, instance_id: str,
             id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:show')
        if guest is None:
            return super().show(req, tenant_id, instance_id, id)
        with _refusing():
            user = _find(guest, utils.correct_id_with_req(id, req))
        return wsgi.Result(views.UserView(user).data(), 200)

    def delete(self, req: Any, tenant_id: str, instance_id: str,
               id: str) -> Any:
        guest = self.guest(req, instance_id, 'user:delete')
        if guest is None:
            return super().delete(req, tenant_id, instance_id, id)
        with _notifying(req, notification.DBaaSUserDelete, instance_id,
                        username=id):
            user = _find(guest, utils.correct_id_with_req(id, req))
            guest.delete_user(guest_models.DatastoreUser(
                name=user.name, host=user.host).serialize())
        return _ACCEPTED

    def update(self, req: Any, body: Any, tenant_id: str, instance_id: str,
               id: str) -> Any:
        """Another name, host or password of one user."""
        guest = self.guest(req, instance_id, 'user:update')
        if guest is None:
            return super().update(req, body, tenant_id, instance_id, id)
        wanted = body['user']
        if 'password' in wanted:
            _check_passwords_can_be_set(instance_id)
        with _notifying(req, notification.DBaaSUserUpdateAttributes,
                        instance_id, username=id):
            user = _find(guest, utils.correct_id_with_req(id, req))
            renamed = guest_models.DatastoreUser(
                name=wanted.get('name') or user.name,
                host=wanted.get('host') or user.host)
            renamed.check_reserved()
            if (renamed.name, renamed.host) != (user.name, user.host):
                _refuse_existing(guest, renamed.name, renamed.host)
            guest.update_attributes(user.name, user.host, wanted)
        return _ACCEPTED

    def update_all(self, req: Any, body: Any, tenant_id: str,
                   instance_id: str) -> Any:
        """Other passwords of several users."""
        guest = self.guest(req, instance_id, 'user:update_all')
        if guest is None:
            return super().update_all(req, body, tenant_id, instance_id)
        _check_passwords_can_be_set(instance_id)
        with _notifying(req, notification.DBaaSUserChangePassword,
                        instance_id, username=_names(body['users'])):
            changes = []
            for user in body['users']:
                found = _find_named(guest, user['name'], user.get('host'))
                changes.append({'name': found.name, 'host': found.host,
                                'password': user['password']})
            guest.change_passwords(changes)
        return _ACCEPTED


class UserAccessController(_MemberMixin, service.UserAccessController):
    """/instances/{id}/users/{name}/databases"""

    @classmethod
    def get_schema(cls, action: str, body: Any) -> Any:
        """Trove looks for it under the name of another action."""
        if action == 'update':
            return apischema.user['update_all']['databases']
        return {}

    def index(self, req: Any, tenant_id: str, instance_id: str,
              user_id: str) -> Any:
        guest = self.guest(req, instance_id, 'user_access:index')
        if guest is None:
            return super().index(req, tenant_id, instance_id, user_id)
        with _refusing():
            user = _find(guest, utils.correct_id_with_req(user_id, req))
        return wsgi.Result(
            views.UserAccessView(_accessible(guest, user)).data(), 200)

    def update(self, req: Any, body: Any, tenant_id: str, instance_id: str,
               user_id: str) -> Any:
        """Let a user reach databases."""
        guest = self.guest(req, instance_id, 'user_access:update')
        if guest is None:
            return super().update(req, body, tenant_id, instance_id,
                                  user_id)
        wanted = [database['name'] for database in body['databases']]
        with _notifying(req, notification.DBaaSUserGrant, instance_id,
                        username=user_id, database=wanted):
            user = _find(guest, utils.correct_id_with_req(user_id, req))
            for name in wanted:
                guest_models.DatastoreSchema(name=name).check_reserved()
            guest.grant_access(user.name, user.host, wanted)
        return _ACCEPTED

    def delete(self, req: Any, tenant_id: str, instance_id: str,
               user_id: str, id: str) -> Any:
        """Let a user no longer reach a database."""
        guest = self.guest(req, instance_id, 'user_access:delete')
        if guest is None:
            return super().delete(req, tenant_id, instance_id, user_id, id)
        with _notifying(req, notification.DBaaSUserRevoke, instance_id,
                        username=user_id, database=[id]):
            user = _find(guest, user_id)
            if id not in [one.name for one in _accessible(guest, user)]:
                raise exception.DatabaseNotFound(uuid=id)
            guest.revoke_access(user.name, user.host, id)
        return _ACCEPTED


class DatabasesController(_MemberMixin, service.SchemaController):
    """/instances/{id}/databases"""

    def index(self, req: Any, tenant_id: str, instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'database:index')
        if guest is None:
            return super().index(req, tenant_id, instance_id)
        schemas, marker = _load(req, models.Schemas, guest)
        return _page(req, 'databases', views.SchemasView(schemas), marker)

    def create(self, req: Any, body: Any, tenant_id: str,
               instance_id: str) -> Any:
        guest = self.guest(req, instance_id, 'database:create')
        if guest is None:
            return super().create(req, body, tenant_id, instance_id)
        with _notifying(req, notification.DBaaSDatabaseCreate, instance_id,
                        dbname=_names(body['databases'])):
            wanted = common.populate_validated_databases(body['databases'])
            for schema in wanted:
                if _has_database(guest, schema['_name']):
                    raise exception.DatabaseAlreadyExists(
                        name=schema['_name'])
            guest.create_database(wanted)
        return _ACCEPTED

    def delete(self, req: Any, tenant_id: str, instance_id: str,
               id: str) -> Any:
        guest = self.guest(req, instance_id, 'database:delete')
        if guest is None:
            return super().delete(req, tenant_id, instance_id, id)
        with _notifying(req, notification.DBaaSDatabaseDelete, instance_id,
                        dbname=id):
            schema = guest_models.DatastoreSchema(name=id)
            schema.check_delete()
            if not _has_database(guest, id):
                raise exception.DatabaseNotFound(uuid=id)
            guest.delete_database(schema.serialize())
        return _ACCEPTED


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """A 400 for a name that Trove's models of users do not take."""
    try:
        yield
    except (ValueError, AttributeError) as wrong:
        raise validation.refused(str(wrong)) from wrong


@contextlib.contextmanager
def _notifying(req: Any, kind: Any, instance_id: str,
               **traits: Any) -> Iterator[None]:
    """Tell of the start; of the end the guest tells, or a failure here."""
    context = req.environ[wsgi.CONTEXT_KEY]
    context.notification = kind(context, request=req)
    with notification.StartNotification(context, instance_id=instance_id,
                                        **traits), _refusing():
        yield


def _load(req: Any, kind: Any, guest: Any) -> tuple[Any, Any]:
    """One page of the users or databases, and the next marker."""
    context = req.environ[wsgi.CONTEXT_KEY]
    return tuple(kind.load_with_client(
        client=guest, marker=context.marker, include_marker=False,
        limit=request_body.page_size(context, kind.DEFAULT_LIMIT)))


def _page(req: Any, name: str, view: Any, marker: Any) -> Any:
    return wsgi.Result(pagination.SimplePaginatedDataView(
        req.url, name, view, marker).data(), 200)


def _names(described: list[dict[str, Any]]) -> str:
    return ','.join(one['name'] for one in described)


def _find(guest: Any, user_id: str) -> Any:
    """The user that a URL names, as "name" or "name@host"."""
    return _find_named(guest, *common.unquote_user_host(user_id))


def _find_named(guest: Any, name: str, host: str | None) -> Any:
    """The user, as Trove's views take it.

    :raises ValueError: the name is none, or the server's own.
    :raises trove.common.exception.UserNotFound: there is none.
    """
    user = guest_models.DatastoreUser(name=name, host=host)
    user.check_reserved()
    found = guest.get_user(username=user.name, hostname=user.host)
    if not found:
        raise exception.UserNotFound(uuid=f'{user.name}@{user.host}')
    return models.User(found['_name'], found['_host'], None, [
        {'name': database['_name']} for database in found['_databases']])


def _refuse_existing(guest: Any, name: str, host: str) -> None:
    if guest.get_user(username=name, hostname=host):
        raise exception.UserAlreadyExists(name=name, host=host)


def _accessible(guest: Any, user: Any) -> list[Any]:
    """The databases that a user reaches."""
    return [models.Schema(found['_name'], found['_collate'],
                          found['_character_set'])
            for found in guest.list_access(user.name, user.host)]


def _has_database(guest: Any, name: str) -> bool:
    found, _ = models.Schemas.load_with_client(
        client=guest, limit=1, marker=name, include_marker=True)
    return bool(found and found[0].name == name)


def _check_passwords_can_be_set(instance_id: str) -> None:
    """Trove's guest sets a password with ALTER USER, and tells nobody.

    :raises trove.common.exception.UnprocessableEntity: if the server does
        not know that.
    """
    row = instance_models.DBInstance.find_by(id=instance_id)
    version = datastore_models.DatastoreVersion.load_by_uuid(
        row.datastore_version_id)
    if not dialect.for_version(version.manager,
                               version.version or version.name
                               ).knows_alter_user:
        raise validation.unavailable(
            f'{version.manager} {version.name} does not know ALTER USER, '
            'with which Trove sets passwords. Delete the user and create it '
            'again, or use SET PASSWORD.')
