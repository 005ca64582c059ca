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

"""Trove's manager with the periodic tasks of this package.

The option ``taskmanager_manager`` names it; no module of this package
imports it. Each duty is a separate periodic task, so that a failure of one
does not affect the others. Work that takes long runs in a thread. While
Trove creates a member, calls to the cloud are retried.
"""

from oslo_log import log as logging
from oslo_service import periodic_task
from trove.cluster import models as cluster_models
from trove.common import cfg
from trove.taskmanager import manager

from trove_pxc import conf
from trove_pxc import masking
from trove_pxc.protocols import Context
from trove_pxc import quotas
from trove_pxc import retries
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager.watchers import automatic
from trove_pxc.taskmanager.watchers import resume

conf.register(cfg.CONF)

LOG = logging.getLogger(__name__)

# At every [DEFAULT] report_interval; the default of oslo is a minute.
_EACH_TIME = 1
_HOURLY = 3600


class Manager(manager.Manager):
    """Trove's manager, which also resumes operations and recovers clusters."""

    def __init__(self) -> None:
        # trove-taskmanager creates the manager before it logs its options
        # and before it takes a message (trove/common/rpc/service.py).
        masking.install()
        quotas.install()
        # From the start, so that each call has a timeout.
        retries.install()
        super().__init__()
        self._resume = resume.Resumption()
        self._watch = automatic.Watch()

    def create_instance(self, context: Context, *args: object,
                        **kwargs: object) -> None:
        """Create an instance; for a member, retry calls to the cloud."""
        a_member = (kwargs.get('cluster_config')
                    and kwargs.get('datastore_manager') in conf.MANAGERS)
        if a_member:
            instance_creation.begin(str(kwargs['instance_id']))
        seconds = cfg.CONF[conf.OWN_GROUP].cloud_retry_timeout
        with retries.repeated(float(seconds) if a_member else 0.0):
            super().create_instance(context, *args, **kwargs)

    def delete_cluster(self, context: Context, cluster_id: str) -> None:
        """Delete a cluster; nothing if another request has deleted it."""
        row = cluster_models.DBCluster.get_by(id=cluster_id)
        if row is not None and row.deleted:
            LOG.info('Cluster %s was deleted before', cluster_id)
            return
        super().delete_cluster(context, cluster_id)

    @periodic_task.periodic_task(spacing=_EACH_TIME, run_immediately=True)
    def resume_operations(self, context: Context) -> None:
        """Resume the operations of taskmanagers that have died."""
        self._resume.look()

    @periodic_task.periodic_task(spacing=_EACH_TIME, run_immediately=True)
    def recover_clusters(self, context: Context) -> None:
        """Recover clusters of which no member serves, if that is safe."""
        self._watch.look()

    @periodic_task.periodic_task(spacing=_HOURLY, run_immediately=True)
    def repair_quotas(self, context: Context) -> None:
        """Release the reservations of requests that did not end."""
        quotas.repair()
