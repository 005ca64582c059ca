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

"""Which instances and clusters belong to this package.

Imported by the rest of api/. The routes and filters of this package come
before those of all datastores. Requests for other instances and clusters are
passed to Trove unchanged. Each row is read once per request.
"""

from collections.abc import Callable
from collections.abc import Mapping
from typing import TypeVar

from trove.cluster import models as cluster_models
from trove.common import cfg
from trove.common import exception
from trove.common.strategies.cluster import strategy
from trove.common import wsgi
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models

from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import members
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import Context
from trove_pxc.protocols import DatastoreVersion
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Request

_MEMBERS = 'trove_pxc.members'
_CLUSTERS = 'trove_pxc.clusters'
_DATASTORES = 'trove_pxc.datastores'
Found = TypeVar('Found')
Subject = TypeVar('Subject')


def is_manager(manager: str) -> bool:
    """Whether clusters of a datastore manager belong to this package.

    The option ``api_strategy`` of the manager decides. Trove has no clusters
    for a manager without this option.
    """
    try:
        kind = strategy.load_api_strategy(manager).cluster_class
    except (exception.TroveError, cfg.NoSuchOptError):
        return False
    return issubclass(kind, cluster_model.GaleraCluster)


def is_datastore(request: Request, datastore: Mapping[str, object]) -> bool:
    """The same for a datastore of a request; False if it does not exist."""
    named = _named(request, datastore)
    if named is not None:
        return is_manager(named.manager)
    try:
        _, version = datastore_models.get_datastore_version(**datastore)
    except exception.TroveError:
        return False
    return is_manager(version.manager)


def by_id(request: Request, datastore: dict[str, str]) -> dict[str, str]:
    """Return a datastore of a request with ids instead of names.

    Trove finds it by ids with two statements, and by names with five. Returned
    unchanged if Trove has to choose a default or to report an error.
    """
    named = _named(request, datastore)
    return datastore if named is None else {
        'type': named.datastore_id, 'version': named.id}


def _named(request: Request,
           datastore: Mapping[str, object]) -> DatastoreVersion | None:
    """Return the only version with these names or ids; else None."""
    if datastore.keys() != {'type', 'version'} or not all(
            datastore.values()):
        return None
    return _once(request, _DATASTORES, (
        str(datastore['type']), str(datastore['version'])), _version)


def _version(names: tuple[str, str]) -> DatastoreVersion | None:
    kinds = datastore_models.DBDatastore
    versions = datastore_models.DBDatastoreVersion
    kind, version = names
    with versions.query() as query:
        found: list[DatastoreVersion] = query.join(
            kinds, kinds.id == versions.datastore_id).filter(
                (kinds.id == kind) | (kinds.name == kind),
                (versions.id == version) | (versions.name == version)).all()
    return found[0] if len(found) == 1 else None


def is_version(version_id: str) -> bool:
    """The same for a datastore version, by its id."""
    row: DatastoreVersion | None = (
        datastore_models.DBDatastoreVersion.get_by(id=version_id))
    return row is not None and is_manager(row.manager)


def member(request: Request, instance_id: str) -> InstanceRow | None:
    """Return the row of an instance if it is a member of such a cluster.

    :returns: None if there is no such row, or it is another instance.
    """
    return _once(request, _MEMBERS, instance_id, _member)


def visible(request: Request, instance_id: str) -> InstanceRow | None:
    """Return the row of a member if the requester may see it, or None.

    As in Trove, users see instances of their project, and administrators see
    those of all projects.
    """
    row = member(request, instance_id)
    context: Context = request.environ[wsgi.CONTEXT_KEY]
    seen = row is not None and (
        context.is_admin or row.tenant_id == context.project_id)
    return row if seen else None


def cluster(request: Request, cluster_id: str) -> ClusterRow | None:
    """Return the row of a cluster if it belongs to this package, or None."""
    row, ours = _once(request, _CLUSTERS, cluster_id, _cluster)
    return row if ours else None


def is_foreign(request: Request, cluster_id: str) -> bool:
    """Whether a cluster exists and belongs to another package."""
    row, ours = _once(request, _CLUSTERS, cluster_id, _cluster)
    return row is not None and not ours


def _once(request: Request, key: str, subject: Subject,
          find: Callable[[Subject], Found]) -> Found:
    found: dict[Subject, Found] = request.environ.setdefault(key, {})
    if subject not in found:
        found[subject] = find(subject)
    return found[subject]


def _member(instance_id: str) -> InstanceRow | None:
    row: InstanceRow | None = instance_models.DBInstance.get_by(
        id=instance_id, deleted=False)
    ours = row is not None and members.is_member(row, is_version)
    return row if ours else None


def _cluster(cluster_id: str) -> tuple[ClusterRow | None, bool]:
    """Return the row or None, and whether it belongs to this package."""
    row: ClusterRow | None = cluster_models.DBCluster.get_by(
        id=cluster_id, deleted=False)
    return row, row is not None and is_version(row.datastore_version_id)
