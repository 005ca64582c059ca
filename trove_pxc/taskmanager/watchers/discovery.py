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

"""Finds the clusters of this package in Trove's tables.

Imported by automatic, resume and manager. It takes the same number of
statements for any number of clusters. The database selects the clusters, so
that at rest no rows are transferred.
"""

from collections.abc import Callable
from collections.abc import Iterable
import datetime
from typing import Any
from typing import NamedTuple

from oslo_log import log as logging
import sqlalchemy
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import context as trove_context
from trove.common import exception
from trove.common.strategies.cluster import strategy
from trove.common import timeutils
from trove.datastore import models as datastore_models
from trove.instance import models as instance_models
from trove.instance import service_status

from trove_pxc import conf
from trove_pxc.protocols import ClusterRow
from trove_pxc.protocols import Context
from trove_pxc.taskmanager import tasks
from trove_pxc import transient

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


class Found(NamedTuple):
    """A cluster's row, and the manager of its datastore version."""

    row: ClusterRow
    manager: str

    @property
    def options(self) -> Any:
        """The options of its datastore."""
        return CONF.get(self.manager)


def clusters(task_ids: Iterable[int]) -> dict[str, Found]:
    """The clusters of this package with one of these tasks, by id."""
    table = cluster_models.DBCluster
    return _find(lambda manager: True, table.task_id.in_(list(task_ids)))


def unserved(wanted: Callable[[str], bool],
             known: Iterable[str]) -> dict[str, Found]:
    """The clusters that may need a recovery, by id.

    :param wanted: whether clusters of a manager are included.
    :param known: ids of clusters that are included with any task.
    :returns: clusters without a task of which no member has reported HEALTHY
        lately, and the known ones.
    """
    table = cluster_models.DBCluster
    instances = instance_models.DBInstance
    statuses = instance_models.InstanceServiceStatus
    expired = timeutils.utcnow() - datetime.timedelta(
        seconds=CONF.agent_heartbeat_expiry)
    serves = sqlalchemy.exists().where(
        instances.cluster_id == table.id,
        instances.deleted == sqlalchemy.false(),
        statuses.instance_id == instances.id,
        statuses.status_id == service_status.ServiceStatuses.HEALTHY.code,
        statuses.updated_at > expired)
    return _find(wanted, sqlalchemy.or_(
        sqlalchemy.and_(table.task_id == ClusterTasks.NONE.code, ~serves),
        table.id.in_(list(known))))


def _find(wanted: Callable[[str], bool],
          condition: Any) -> dict[str, Found]:
    managers = {
        version.id: str(version.manager) for version
        in datastore_models.DBDatastoreVersion.find_all().all()
        if version.manager in conf.MANAGERS and wanted(version.manager)
        and _is_of_plugin(version.manager)}
    table = cluster_models.DBCluster
    with table.query() as query:
        rows = query.filter_by(deleted=False).filter(
            table.datastore_version_id.in_(managers), condition).all()
    return {str(row.id): Found(row, managers[row.datastore_version_id])
            for row in rows}


def manager(row: ClusterRow) -> str:
    """The manager of the datastore version of a cluster."""
    return str(datastore_models.DBDatastoreVersion.find_by(
        id=row.datastore_version_id).manager)


def context(row: ClusterRow) -> Context:
    """A context of Trove's service account for the project of a cluster."""
    made: Context = trove_context.TroveContext(
        user_id=CONF.service_credentials.username, project_id=row.tenant_id,
        user_domain_name=CONF.service_credentials.user_domain_name,
        is_admin=True, overwrite=False)
    return made


def is_ours(cluster_id: str) -> bool:
    """Whether a cluster uses the classes of this package.

    If the database does not answer, it is assumed to do so.
    """
    try:
        return _is_of_plugin(manager(
            cluster_models.DBCluster.find_by(id=cluster_id)))
    except exception.ModelNotFoundError:
        return False
    except transient.DATABASE as error:
        LOG.warning('The datastore of cluster %s is unknown: %s', cluster_id,
                    error)
        return True


def _is_of_plugin(manager: str) -> bool:
    """Whether the clusters of a manager use the classes of this package."""
    loaded = strategy.load_taskmanager_strategy(manager)
    return loaded is not None and issubclass(
        loaded.task_manager_cluster_tasks_class, tasks.GaleraClusterTasks)
