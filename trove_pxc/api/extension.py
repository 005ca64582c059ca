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

"""The API extension: routes of this package, and extended ones of Trove.

Loaded by Trove through the entry points trove.api.extensions, in every
trove-api in which this package is installed. The routes GET
/clusters/{id}/members and /clusters/{id}/health are new, and those of
api/backups. /clusters and
/instances extend Trove's controllers: a list of clusters needs the same number
of statements and calls for one cluster and for many, instances of a cluster
keep the names of the request, requests that would harm a member are refused,
and a member shows the settings of its server. Requests for other clusters and
instances are passed to Trove.
"""

from collections.abc import Mapping
from typing import Any
from typing import TypedDict

from trove.cluster import service as cluster_service
from trove.cluster import views as cluster_views
from trove.common import exception
from trove.common import extensions
from trove.common import pagination
from trove.common import policy
from trove.common import utils
from trove.common import wsgi
from trove.datastore import models as datastore_models
from trove.extensions.common import service as root_service
from trove.instance import models as instance_models
from trove.instance import service as instance_service

from trove_pxc.api import accounts
from trove_pxc.api import backups
from trove_pxc.api import body as request_body
from trove_pxc.api import creation
from trove_pxc.api import instances
from trove_pxc.api import listing
from trove_pxc.api import members
from trove_pxc.api import ownership
from trove_pxc.api import page
from trove_pxc.api import reading
from trove_pxc.api import restoration
from trove_pxc.api import routes
from trove_pxc.api import validation
from trove_pxc import faults
from trove_pxc import masking
from trove_pxc.protocols import Arguments
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Json
from trove_pxc.protocols import Request
from trove_pxc.protocols import Result
from trove_pxc import quotas

_CLUSTERS = {'member_name': 'cluster',
             'collection_name': '{tenant_id}/clusters'}
_ROOT_PARENT = {**_CLUSTERS, 'member_name': 'instance'}

#: keys of an update of an instance that would harm a member, and why
_HARMFUL = {
    'access': 'a change of its access would cut it off from the other '
              'members.',
    'configuration': 'a configuration group is attached to a whole cluster '
                     'when it is created, and cannot be changed. Create a '
                     'cluster with the group that you want, and move the '
                     'data.',
    'datastore_version': 'an upgrade of only one member would take it out '
                         'of the cluster without preparation.',
}


class GaleraExtension(extensions.ExtensionDescriptor):
    """The additional resources of a cluster.

    Trove creates it when trove-api starts. From then on passwords are masked
    in the log of this process, and quotas are counted by the driver of this
    package.
    """

    def __init__(self) -> None:
        masking.install()
        quotas.install()

    def get_name(self) -> str:
        return 'Galera'

    def get_description(self) -> str:
        return 'Members and health of Galera clusters'

    def get_alias(self) -> str:
        return 'GALERA'

    def get_namespace(self) -> str:
        return 'https://docs.openstack.org/trove-pxc'

    def get_updated(self) -> str:
        return '2026-11-23T00:00:00-00:00'

    def get_resources(self) -> list[Any]:
        return [
            routes.Resource('{tenant_id}/clusters', ClustersController(),
                            _concerns_clusters),
            routes.Resource('{tenant_id}/instances', InstancesController(),
                            _concerns_instances,
                            collection_actions={'detail': 'GET'}),
            routes.Resource('{tenant_id}/backups',
                            backups.BackupsController(), backups.concerns),
            routes.Resource('backups', backups.ClusterBackupsController(),
                            parent=_CLUSTERS),
            *instances.sub_resources(),
            routes.Resource('members', MembersController(),
                            parent=_CLUSTERS),
            routes.Resource('health', HealthController(), parent=_CLUSTERS),
            routes.Resource('instances', ShowMemberController(),
                            routes.clusters, parent=_CLUSTERS),
            # Trove's own route. It comes before the last resource, whose
            # routes would hide it. The filter of api/pipeline handles it
            # for clusters of this package.
            extensions.ResourceExtension(
                'root', root_service.RootController(), parent=_ROOT_PARENT),
            routes.Resource('{tenant_id}/clusters/{cluster_id}',
                            ActionsController(), routes.clusters),
        ]


def _concerns_clusters(request: Request, args: Mapping[str, str]) -> bool:
    """The list is always handled here: it has the clusters of all packages."""
    if args.get('action') == 'create':
        return creation.concerns(request, request_body.read(request))
    return routes.clusters(request, args)


def _concerns_instances(request: Request, args: Mapping[str, str]) -> bool:
    """Lists with members, and creates of instances that are refused."""
    if args.get('action') == 'create':
        return _refusal(request, request_body.read(request)) is not None
    if args.get('action') in ('index', 'detail'):
        return bool(request.GET.get(
            'include_clustered', '').lower() == 'true')
    return routes.members(request, args)


def root_of_clusters() -> routes.Resource:
    """The root of a cluster. api/pipeline puts it before Trove's route."""
    return routes.Resource('root', RootController(), routes.clusters,
                           parent=_ROOT_PARENT)


def root_of_members() -> routes.Resource:
    """The root of an instance."""
    return routes.Resource(
        'root', MemberRootController(), routes.members, parent={
            'member_name': 'instance',
            'collection_name': '{tenant_id}/instances'},
        collection_actions={'delete': 'DELETE'})


class ClustersController(cluster_service.ClusterController):
    """Trove's controller, with names of instances and a faster list.

    Requests for which Trove would answer with 500 are refused before.
    """

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(self, action, action_args)

    def index(self, req: Request, tenant_id: str) -> Any:
        context: Context = req.environ[wsgi.CONTEXT_KEY]
        if not context.is_admin and context.project_id != tenant_id:
            raise exception.TroveOperationAuthError(
                tenant_id=context.project_id)
        policy.authorize_on_tenant(context, 'cluster:index')
        clusters, marker = page.load(context, tenant_id)
        view = cluster_views.ClustersView(clusters, req=req)
        paged = pagination.SimplePaginatedDataView(
            req.url, 'clusters', view, marker)
        return wsgi.Result(paged.data(), 200)

    def create(self, req: Request, body: creation.NewCluster,
               tenant_id: str) -> Any:
        """Pass the names of instances as extended properties.

        Trove drops the names, but keeps extended properties.
        """
        wanted = body['cluster']
        disqualification = creation.disqualification(wanted['datastore'])
        if disqualification:
            raise disqualification
        creation.check(body)
        wanted['datastore'] = ownership.by_id(req, wanted['datastore'])
        names = [node.get('name') for node in wanted['instances']]
        if any(name is not None for name in names):
            wanted['extended_properties'] = {
                **wanted.get('extended_properties', {}),
                validation.NAMES: names}
        return super().create(req, body, tenant_id)


class ActionsController(wsgi.Controller):
    """POST /clusters/{id}, which Routes names "create".

    Trove's action, with the check of the body of api/body.
    """

    def validate_request(self, action: str, action_args: Arguments) -> None:
        body = action_args.get('body')
        if isinstance(body, dict) and len(body) > 1:
            raise validation.refused(
                'The body of the request must name one action, not '
                f'{len(body)}.')
        request_body.check(ClustersController, 'action', action_args)

    def create(self, req: Request, body: dict[str, Json], tenant_id: str,
               cluster_id: str) -> Any:
        return ClustersController().action(req, body, tenant_id, cluster_id)


class ShowMemberController(wsgi.Controller):
    """GET /clusters/{id}/instances/{id}, with the check of api/body."""

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(self, action, action_args)

    def show(self, req: Request, tenant_id: str, cluster_id: str,
             id: str) -> Any:
        return ClustersController().show_instance(
            req, tenant_id, cluster_id, id)


class RootController(root_service.RootController):
    """/clusters/{id}/root: Trove's controller, which calls api/root."""

    def validate_request(self, action: str, action_args: Arguments) -> None:
        body = action_args.pop('body', None)
        if action == 'create' and body:
            action_args['body'] = body
            request_body.check(self, action, action_args,
                               accounts.ENABLE_ROOT)

    def delete(self, req: Request, tenant_id: str, instance_id: str,
               id: str) -> Any:
        """DELETE /clusters/{id}/root/{id}, for which Trove's has one id.

        Trove has no route to its method without the second id.
        """
        raise exception.NotFound(uuid=id)


class MemberRootController(root_service.RootController):
    """/instances/{id}/root: Trove's controller, which calls api/root."""

    validate_request = RootController.validate_request


class ChangedInstance(TypedDict):
    """The body of an update, after the check of Trove's schema."""

    instance: dict[str, Any]


class InstancesController(instance_service.InstanceController):
    """Trove's controller, without requests that would harm a member."""

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(self, action, action_args)

    def index(self, req: Request, tenant_id: str) -> Any:
        return listing.show(req, 'index') or super().index(req, tenant_id)

    def detail(self, req: Request, tenant_id: str) -> Any:
        return listing.show(req, 'detail') or super().detail(req, tenant_id)

    def show(self, req: Request, tenant_id: str, id: str) -> Any:
        return _with_whole_fault(req, id, _with_addresses(
            req, super().show(req, tenant_id, id)))

    def create(self, req: Request, body: Json, tenant_id: str) -> Any:
        """Refuse the request; _concerns_instances() passes others to Trove."""
        refusal = _refusal(req, body)
        if refusal is not None:
            raise refusal
        return super().create(req, body, tenant_id)

    def update(self, req: Request, id: str, body: ChangedInstance,
               tenant_id: str) -> Any:
        changes = body['instance']
        # Trove detaches the configuration group if the body has no key.
        harmful = sorted(_HARMFUL.keys() & changes.keys()) or (
            [] if changes else ['configuration'])
        row = harmful and ownership.visible(req, id)
        if row:
            raise validation.refused(
                f'{row.name} ({row.id}) is a member of a cluster: '
                f'{_HARMFUL[harmful[0]]}')
        _check_name(req, id, changes.get('name'))
        return super().update(req, id, body, tenant_id)

    def delete(self, req: Request, tenant_id: str, id: str) -> Any:
        instances.refuse_deletion(req, id)
        return super().delete(req, tenant_id, id)


def _with_whole_fault(req: Request, instance_id: str,
                      result: Result) -> Result:
    """Show the whole message of a fault, which Trove cuts off."""
    shown = result.data(req.best_match_content_type())['instance']
    if 'fault' in shown:
        shown['fault']['message'] = faults.whole(
            instance_id, shown['fault']['message'])
    return result


def _with_addresses(req: Request, result: Result) -> Result:
    """Add missing addresses to an answer of Trove."""
    members.show_addresses(
        req, [result.data('application/json')['instance']],
        ownership.is_version)
    return result


def _check_name(req: Request, instance_id: str, name: str | None) -> None:
    """Refuse the name of another member of the cluster.

    The server uses the name as wsrep_node_name, which identifies the member in
    donor lists and in the view of the cluster.
    """
    row = name and ownership.visible(req, instance_id)
    if not row:
        return
    others: list[InstanceRow] = instance_models.DBInstance.find_all(
        cluster_id=row.cluster_id, deleted=False).all()
    for other in others:
        if other.id != row.id and other.name == name:
            raise validation.refused(
                f'{row.name} ({row.id}) cannot be named {name}: another '
                f'member of its cluster has this name ({other.id}). Choose '
                'another name, or rename that member first.')


def _refusal(req: Request, body: Json) -> Exception | None:
    """Return the error for a create of an instance, or None.

    :param body: of the request, unchecked. Trove handles an invalid body.
    """
    wanted = body.get('instance') if isinstance(body, dict) else None
    if not isinstance(wanted, dict):
        return None
    source = wanted.get('replica_of') or wanted.get('slave_of')
    if source:
        return _refusal_of_replica(req, source)
    datastore = wanted.get('datastore', {})
    if not isinstance(datastore, dict) or creation.disqualification(datastore):
        return None
    return _refusal_of_single(datastore) or restoration.refusal_for_instance(
        req.environ[wsgi.CONTEXT_KEY], wanted.get('restorePoint'))


def _refusal_of_replica(req: Request, source: Json) -> Exception | None:
    """Return the error for a replica of a member."""
    row = ownership.visible(req, utils.get_id_from_href(str(source)))
    return None if row is None else validation.refused(
        f'{row.name} ({row.id}) is a member of a cluster, which cannot have '
        'replicas: every other member holds the same data already.')


def _refusal_of_single(datastore: dict[str, Json]) -> Exception | None:
    """Return the error for a single instance of Percona XtraDB Cluster."""
    try:
        _, version = datastore_models.get_datastore_version(**datastore)
    except exception.TroveError:
        return None     # Trove refuses it
    return None if version.manager != 'pxc' else validation.refused(
        'Percona XtraDB Cluster is only available as a cluster, and '
        f'{version.name} is a version of it. Create a cluster, or an '
        'instance of another datastore.')


class MembersController(wsgi.Controller):
    """The members, as they report themselves."""

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(self, action, action_args)

    def index(self, req: Request, tenant_id: str, cluster_id: str) -> Any:
        cluster = backups.load(req, cluster_id, 'members')
        return wsgi.Result({'members': [
            answer.to_dict() for answer in reading.ask(cluster)]}, 200)


class HealthController(wsgi.Controller):
    """The health of a cluster, from the reports of its members."""

    def validate_request(self, action: str, action_args: Arguments) -> None:
        request_body.check(self, action, action_args)

    def index(self, req: Request, tenant_id: str, cluster_id: str) -> Any:
        cluster = backups.load(req, cluster_id, 'health')
        answers = reading.ask(cluster)
        found = reading.diagnose(cluster, answers)
        shown = {
            'state': found.state.value,
            'summary': found.sentence,
            # The old key, for clients and scripts of the last release.
            'sentence': found.sentence,
            'next_action': found.next_action,
            'members': len(answers),
            'reachable': sum(answer.reachable for answer in answers),
        }
        expire = reading.certificates_expire(answers)
        if expire is not None:
            shown['certificates_expire'] = expire
        backup = backups.running(cluster)
        if backup is not None:
            shown['backup'] = backup
        return wsgi.Result({'health': shown}, 200)
