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

"""Routes below an instance, for members of clusters.

Imported by api/extension. Trove's controllers do the work. The controllers of
this module check the body of requests for members of clusters, and refuse with
400 what Trove does not support for a member. The message names the
alternative.
"""

from collections.abc import Callable
from typing import Any

from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import apischema
from trove.common import cfg
from trove.common import exception
from trove.common import wsgi
from trove.instance import models as instance_models
from trove.instance import service as instance_service
from trove.instance import views as instance_views
import webob.exc

from trove_pxc.api import body as request_body
from trove_pxc.api import ownership
from trove_pxc.api import routes
from trove_pxc.api import running
from trove_pxc.api.schemas import Schema
from trove_pxc.api import validation
from trove_pxc.protocols import Arguments
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import Context
from trove_pxc.protocols import Instance
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Json
from trove_pxc.protocols import Request

CONF = cfg.CONF

_PARENT = {'member_name': 'instance',
           'collection_name': '{tenant_id}/instances'}
_NOTHING = {'type': 'object', 'additionalProperties': False}
_FORCE = 'force_delete'
#: since Trove 26.0
OFFERS_SSL = hasattr(instance_service.InstanceController, 'ssl_show')

#: the actions of an instance, with the schema of their body
_ACTIONS: dict[str, Schema] = {
    'restart': {'type': 'object'},
    'resize': {
        'type': 'object', 'additionalProperties': False,
        'minProperties': 1, 'maxProperties': 1,
        'properties': {'volume': apischema.volume,
                       'flavorRef': apischema.flavorref}},
    'promote_to_replica_source': {},
    'eject_replica_source': {},
    'reset_status': {
        'type': 'object', 'additionalProperties': False,
        'properties': {_FORCE: {}}},
}
#: requests for an instance that are refused for a member, and why
_NOT_ALONE = {
    'restart': 'restart it with "openstack database cluster restart CLUSTER '
               '--member MEMBER".',
    'resize': 'resize it with "openstack database cluster resize flavor" or '
              '"resize volume" and "--member MEMBER".',
    'promote_to_replica_source': 'all members already take writes.',
    'eject_replica_source': 'it has no replicas.',
    'delete': 'remove it with "openstack database cluster shrink CLUSTER '
              'MEMBER".',
    'ssl': 'the encryption of connections is the same for all members, and '
           'Trove cannot change it.',
}

_LOG_ACTION = {
    'type': 'object', 'required': ['name'], 'additionalProperties': False,
    'properties': {'name': apischema.non_empty_string, **{
        what: {'type': ['boolean', 'integer', 'null']}
        for what in ('enable', 'disable', 'publish', 'discard')}}}
_SSL_ACTION = {
    'type': 'object', 'required': ['ssl'],
    'properties': {'ssl': {'type': 'object', 'properties': {
        'mode': {'type': 'string'},
        'container_ref': {'type': ['string', 'null']},
        'password_ref': {'type': ['string', 'null']}}}}}
_MODULES = {
    'type': 'object', 'required': ['modules'], 'additionalProperties': False,
    'properties': {'modules': apischema.module_list}}


def refuse_alone(row: InstanceRow, what: str) -> None:
    """:raises trove.common.exception.BadRequest: always."""
    raise validation.refused(
        f'{row.name} ({row.id}) is a member of a cluster: '
        f'{_NOT_ALONE[what]}')


def refuse_deletion(req: Request, instance_id: str) -> None:
    """Refuse to delete a member, unless its cluster is being deleted.

    :raises trove.common.exception.BadRequest: if it is such a member.
    """
    row = ownership.visible(req, instance_id)
    if row is None:
        return
    cluster: ClusterRow | None = cluster_models.DBCluster.get_by(
        id=row.cluster_id, deleted=False)
    if cluster and cluster.task_status != ClusterTasks.DELETING:
        refuse_alone(row, 'delete')


def sub_resources() -> list[routes.Resource]:
    """Return the routes below an instance."""
    controllers: dict[str, _Controller] = {
        'action': ActionController(), 'backups': InstanceBackupsController(),
        'configuration': ConfigurationController(), 'log': LogController(),
        'modules': ModulesController()}
    if OFFERS_SSL:
        controllers['ssl'] = SslController()
    return [routes.Resource(name, controller, routes.members,
                            parent=_PARENT)
            for name, controller in controllers.items()]


class _Controller(wsgi.Controller):
    """Base of the controllers before Trove's controller of instances.

    :cvar bodies: the schema of the body, by the action of a route.
    """

    bodies: dict[str, Schema] = {}

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(
            self, action, action_args, self.bodies.get(action))

    def troves(self) -> Any:
        return instance_service.InstanceController()


class ActionController(_Controller):
    """POST /instances/{id}/action, which Routes names "create"."""

    def create(self, req: Request, body: dict[str, Json], tenant_id: str,
               instance_id: str) -> Any:
        action, = _known_action(body)
        request_body.check_schema(
            {'properties': {action: _ACTIONS[action]}}, body)
        row = ownership.visible(req, instance_id)
        as_operator = action == 'restart' and (
            req.environ[wsgi.CONTEXT_KEY].is_admin)
        if row and action in _NOT_ALONE and not as_operator:
            refuse_alone(row, action)
        return self.troves().action(req, body, tenant_id, instance_id)


class InstanceBackupsController(_Controller):
    """GET /instances/{id}/backups"""

    def index(self, req: Request, tenant_id: str, instance_id: str) -> Any:
        check_page(req, CONF.backups_page_size)
        return self.troves().backups(req, tenant_id, instance_id)


class ConfigurationController(_Controller):
    """GET /instances/{id}/configuration"""

    def index(self, req: Request, tenant_id: str, instance_id: str) -> Any:
        """Show the settings of the member's server.

        Trove would show its template for single instances.
        """
        context: Context = req.environ[wsgi.CONTEXT_KEY]
        member: Instance = instance_models.Instance.load(
            context, instance_id)
        self.troves().authorize_instance_action(
            context, 'configuration', member)
        return wsgi.Result(instance_views.DefaultConfigurationView(
            running.configuration(context, member).items()).data(), 200)


class LogController(_Controller):
    """GET and POST /instances/{id}/log"""

    bodies = {'create': _LOG_ACTION}

    def index(self, req: Request, tenant_id: str, instance_id: str) -> Any:
        return offered(lambda: self.troves().guest_log_list(
            req, tenant_id, instance_id))

    def create(self, req: Request, body: dict[str, Json], tenant_id: str,
               instance_id: str) -> Any:
        return offered(lambda: self.troves().guest_log_action(
            req, body, tenant_id, instance_id))


class SslController(_Controller):
    """GET and POST /instances/{id}/ssl"""

    bodies = {'create': _SSL_ACTION}

    def index(self, req: Request, tenant_id: str, instance_id: str) -> Any:
        return offered(lambda: self.troves().ssl_show(
            req, tenant_id, instance_id))

    def create(self, req: Request, body: dict[str, Json], tenant_id: str,
               instance_id: str) -> Any:
        row = ownership.visible(req, instance_id)
        if row:
            refuse_alone(row, 'ssl')
        return offered(lambda: self.troves().ssl_action(
            req, body, tenant_id, instance_id))


class ModulesController(_Controller):
    """/instances/{id}/modules"""

    bodies = {'create': _MODULES}

    def index(self, req: Request, tenant_id: str, instance_id: str) -> Any:
        return offered(lambda: self.troves().module_list(
            req, tenant_id, instance_id))

    def create(self, req: Request, body: dict[str, Json], tenant_id: str,
               instance_id: str) -> Any:
        return offered(lambda: self.troves().module_apply(
            req, body, tenant_id, instance_id))

    def delete(self, req: Request, tenant_id: str, instance_id: str,
               id: str) -> Any:
        return offered(lambda: self.troves().module_remove(
            req, tenant_id, instance_id, id))


def check_page(req: Request, most: int) -> None:
    """Check that Trove can read the page of backups in the query.

    :raises trove.common.exception.BadRequest: if limit or marker is not a
        number.
    """
    context: Context = req.environ[wsgi.CONTEXT_KEY]
    context.limit = str(request_body.page_size(context, most))
    if context.marker is not None:
        context.marker = str(request_body.number(
            'marker', context.marker))


def offered(ask: Callable[[], Any]) -> Any:
    """Call Trove; answer 400 or 422 instead of 5xx for unsupported requests.

    :raises trove.common.exception.TroveError: with the message of Trove.
    """
    try:
        return ask()
    except exception.TroveError as failure:
        kinds = wsgi.Controller.exception_map
        if type(failure) in kinds[webob.exc.HTTPNotImplemented]:
            raise validation.refused(str(failure)) from failure
        if type(failure) in kinds[webob.exc.HTTPServerError]:
            raise validation.unavailable(str(failure)) from failure
        raise


def _known_action(body: dict[str, Json]) -> list[str]:
    """Return the action that a body names, as a list.

    :raises trove.common.exception.BadRequest: if it names another action or
        several.
    """
    if len(body) != 1:
        raise validation.refused(
            f'The body of the request must name one action, not {len(body)}.')
    if not body.keys() <= _ACTIONS.keys():
        raise validation.refused(
            f'An instance has no action {next(iter(body))[:80]!r}. Its '
            f'actions are {", ".join(_ACTIONS)}.')
    return list(body)
