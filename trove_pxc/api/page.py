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

"""One page of a project's clusters, with few statements.

Imported by api/extension and api/listing. Trove reads the datastore of each
cluster and the members of each view separately. This module reads all of them
together.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from trove.cluster import models as cluster_models
from trove.common.strategies.cluster import strategy
from trove.datastore import models as datastore_models
from trove.db import models as db_models

from trove_pxc.api import body
from trove_pxc.api import cluster as cluster_model
from trove_pxc.api import members
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import Context
from trove_pxc.protocols import Datastore
from trove_pxc.protocols import DatastoreVersion
from trove_pxc import queued
from trove_pxc import restores


def load(context: Context,
         tenant_id: str) -> tuple[list[cluster_models.Cluster], str | None]:
    """Return the clusters, as Cluster.load_all() does, and the next marker.

    The clusters of this package already have their members.
    """
    wanted = cluster_models.DBCluster.find_all(
        tenant_id=tenant_id, deleted=False)
    page = cluster_models.DBCluster.find_by_pagination(
        'clusters', wanted, 'unused', marker=context.marker,
        limit=body.page_size(
            context, cluster_models.Cluster.DEFAULT_LIMIT))
    found = _with_datastores(context, page.collection)
    ours = [cluster for cluster in found
            if isinstance(cluster, cluster_model.GaleraCluster)]
    known = members.load(context, ours) if ours else {}
    for cluster in ours:
        cluster.know(known[cluster.id])
    _know_queues([cluster for cluster in ours if not cluster.is_idle])
    return found, page.next_page_marker


def _know_queues(clusters: Sequence[cluster_model.GaleraCluster]) -> None:
    if not clusters:
        return
    found = queued.before([
        one for cluster in clusters
        for one in (cluster.id, *(member.id for member in cluster.members))])
    restored = restores.of(
        [cluster.id for cluster in clusters if cluster.is_building])
    for cluster in clusters:
        cluster.know_queue(found)
        cluster.know_restores(restored)


def _with_datastores(context: Context, rows: Iterable[ClusterRow]
                     ) -> list[cluster_models.Cluster]:
    rows = list(rows)
    kinds = datastores(row.datastore_version_id for row in rows)
    found = []
    for row in rows:
        store, version = kinds[row.datastore_version_id]
        kind = strategy.load_api_strategy(version.manager).cluster_class
        if not issubclass(kind, cluster_model.GaleraCluster):
            kind = cluster_models.Cluster   # as Trove lists them
        found.append(kind(context, row, store, version))
    return found


class Kind(NamedTuple):
    """A datastore, and one of its versions."""

    ds: Datastore
    ds_version: DatastoreVersion


def datastores(version_ids: Iterable[str]) -> dict[str, Kind]:
    """Return the datastores with these versions, by the ids of the versions.

    It takes two statements for any number of them.
    """
    versions = {row.id: datastore_models.DatastoreVersion(row)
                for row in _by_id(datastore_models.DBDatastoreVersion,
                                  set(version_ids))}
    stores = {row.id: datastore_models.Datastore(row)
              for row in _by_id(datastore_models.DBDatastore, {
                  version.datastore_id for version in versions.values()})}
    return {one: Kind(stores[version.datastore_id], version)
            for one, version in versions.items()}


def _by_id(model: type[db_models.DatabaseModelBase],
           ids: set[str]) -> list[Any]:
    if not ids:
        return []
    return list(model.find_by_filter(filters=[model.id.in_(ids)]).all())
