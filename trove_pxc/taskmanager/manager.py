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
does not affect the others. Work that takes long runs in a thread. A request
for a cluster of this package does not hold a worker of the RPC server; see
admission. While Trove creates a member, calls to the cloud are retried.
"""

from collections.abc import Callable
from collections.abc import Sequence
import functools
from typing import Any

from oslo_log import log as logging
from oslo_service import periodic_task
from trove.cluster import models as cluster_models
from trove.common import cfg
from trove.common import notification
from trove.taskmanager import manager

from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc import masking
from trove_pxc.protocols import Context
from trove_pxc import queued
from trove_pxc import quotas
from trove_pxc import retries
from trove_pxc.taskmanager import admission
from trove_pxc.taskmanager import backing
from trove_pxc.taskmanager.cloud import instance_creation
from trove_pxc.taskmanager import messages
from trove_pxc.taskmanager import tasks
from trove_pxc.taskmanager.watchers import automatic
from trove_pxc.taskmanager.watchers import discovery
from trove_pxc.taskmanager.watchers import orphans
from trove_pxc.taskmanager.watchers import resume
from trove_pxc.taskmanager.watchers import unfinished

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
        self._admission = admission.Admission()
        self._resume = resume.Resumption(self._admission)
        self._orphans = orphans.Orphans(
            self._admission.process, self._create_from_message)
        self._unfinished = unfinished.Unfinished(self._admission)
        self._watch = automatic.Watch()

    def create_instance(self, context: Context, *args: object,
                        **kwargs: object) -> None:
        """Create an instance; a member when there is room for it."""
        create = functools.partial(super().create_instance, context, *args,
                                   **kwargs)
        if (kwargs.get('cluster_config')
                and kwargs.get('datastore_manager') in conf.MANAGERS):
            instance_id = str(kwargs['instance_id'])
            self._admission.admit_creation(
                instance_id, context,
                functools.partial(messages.pack, context, kwargs),
                functools.partial(_begin, context, instance_id),
                functools.partial(_create_member, create))
        else:
            create()

    def _create_from_message(self, message: str) -> None:
        context, arguments = messages.unpack(message)
        self.create_instance(context, **arguments)

    def create_cluster(self, context: Context, cluster_id: str) -> None:
        self._admit(admission.LONG, super().create_cluster, context,
                    cluster_id)

    def grow_cluster(self, context: Context, cluster_id: str,
                     new_instance_ids: Sequence[str]) -> None:
        self._admit(admission.LONG, super().grow_cluster, context,
                    cluster_id, new_instance_ids)

    def shrink_cluster(self, context: Context, cluster_id: str,
                       instance_ids: Sequence[str]) -> None:
        self._admit(admission.LONG, super().shrink_cluster, context,
                    cluster_id, instance_ids)

    def delete_cluster(self, context: Context, cluster_id: str) -> None:
        """Delete a cluster; nothing if another request has deleted it."""
        self._admit(admission.DELETIONS, functools.partial(
            _delete_cluster, super().delete_cluster), context, cluster_id)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """The function for a cast that Trove's manager has no method for."""
        action: Callable[..., None] = super().__getattr__(name)
        _, _, method = name.partition('_')
        if backing.ACTIONS.get(method) is action:
            return functools.partial(self._admit_backup, method)
        if tasks.ACTIONS.get(method) is not action:
            return action
        return functools.partial(self._admit, admission.LANES[method], action)

    def _admit(self, lane: str, run: Callable[..., None], context: Context,
               cluster_id: str, *args: object, **kwargs: Any) -> None:
        """Run an operation; of this package when there is room for it."""
        call = functools.partial(run, context, cluster_id, *args, **kwargs)
        if discovery.is_ours(cluster_id):
            self._admission.admit(lane, cluster_id, context, call)
        else:
            call()

    def _admit_backup(self, method: str, context: Context,
                      backup_id: str) -> None:
        self._admission.admit_backup(
            admission.LANES[method], backup_id, functools.partial(
                backing.ACTIONS[method], context, backup_id), context)

    @periodic_task.periodic_task(spacing=_EACH_TIME, run_immediately=True)
    def resume_operations(self, context: Context) -> None:
        """Resume the operations of taskmanagers that have died."""
        self._resume.look()

    @periodic_task.periodic_task(spacing=_EACH_TIME, run_immediately=True)
    def resume_backups(self, context: Context) -> None:
        """Go on with the backups of taskmanagers that have died."""
        self._unfinished.look()

    @periodic_task.periodic_task(spacing=_HOURLY, run_immediately=True)
    def clean_backups(self, context: Context) -> None:
        """Delete what is left of backups that failed or were deleted."""
        self._unfinished.clean()

    @periodic_task.periodic_task(spacing=_EACH_TIME, run_immediately=True)
    def take_creations(self, context: Context) -> None:
        """Create members that waited in taskmanagers that have died."""
        self._orphans.look()

    @periodic_task.periodic_task(spacing=_EACH_TIME, run_immediately=True)
    def recover_clusters(self, context: Context) -> None:
        """Recover clusters of which no member serves, if that is safe."""
        self._watch.look()

    @periodic_task.periodic_task(spacing=_HOURLY, run_immediately=True)
    def repair_quotas(self, context: Context) -> None:
        """Release the reservations of requests that did not end."""
        quotas.repair()

    @periodic_task.periodic_task(spacing=_HOURLY, run_immediately=True)
    def clean_records(self, context: Context) -> None:
        """Delete the records of requests of taskmanagers that have died."""
        queued.clean()


def _begin(context: Context, instance_id: str) -> None:
    """Record that the creation of a member begins.

    :raises OperationStopped: it must not be created here.
    """
    try:
        instance_creation.begin(instance_id)
    except exceptions.ClusterBeingDeleted:
        with notification.EndNotification(context, instance_id=instance_id):
            raise


def _create_member(create: Callable[[], None]) -> None:
    """Create a member as Trove does, and retry calls to the cloud."""
    with retries.repeated(float(
            cfg.CONF[conf.OWN_GROUP].cloud_retry_timeout)):
        create()


def _delete_cluster(delete: Callable[[Context, str], None], context: Context,
                    cluster_id: str) -> None:
    row = cluster_models.DBCluster.get_by(id=cluster_id)
    if row is not None and row.deleted:
        LOG.info('Cluster %s was deleted before', cluster_id)
        return
    delete(context, cluster_id)
