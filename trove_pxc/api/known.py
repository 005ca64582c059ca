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

"""The state of a cluster in Trove's tables and in Nova.

Imported by api/reading, api/actions and api/growth. It calls no member.
"""

from collections.abc import Iterable
import dataclasses

from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.instance import models as instance_models

from trove_pxc.api.model import Cluster
from trove_pxc.api.model import Member
from trove_pxc.api import validation
from trove_pxc import faults
from trove_pxc.galera import diagnosis
from trove_pxc.galera import lost
from trove_pxc.galera import naming
from trove_pxc import guest_statuses
from trove_pxc import handles

CONF = cfg.CONF

UnderWay = diagnosis.UnderWay

_UNDER_WAY = {
    ClusterTasks.NONE.code: UnderWay.NOTHING,
    ClusterTasks.BUILDING_INITIAL.code: UnderWay.CREATE,
    ClusterTasks.DELETING.code: UnderWay.DELETE,
}


def of_cluster(cluster: Cluster) -> diagnosis.Known:
    """Return what a diagnosis needs besides the reports of the members."""
    found = cluster.members
    complete = ever_complete(member.id for member in found)
    under_way = _UNDER_WAY.get(
        cluster.db_info.task_status.code, UnderWay.CHANGE)
    blamed = failed(found) if complete else failed(found) or [
        member.id for member in found]
    causes = {one: faults.cause(one) for one in blamed}
    if not complete and under_way is not UnderWay.NOTHING:
        causes = {}     # the create still runs
    return diagnosis.Known(
        names={member.id: str(member.name) for member in found},
        cluster=handles.of_cluster(cluster),
        under_way=under_way, complete=complete,
        failed=causes, gone=gone(found),
        least=CONF.get(cluster.ds_version.manager).min_cluster_member_count)


def lost_member(cluster: Cluster, member: Member) -> lost.Member:
    """Describe a member that has to be replaced."""
    labels = naming.labels({one.id: str(one.name)
                            for one in cluster.members})
    return lost.Member(
        handles.of_cluster(cluster), member.id, labels[member.id],
        len(cluster.members),
        CONF.get(cluster.ds_version.manager).min_cluster_member_count)


def ever_complete(instance_ids: Iterable[str]) -> bool:
    """Whether the creation of the cluster of these members was completed.

    Reads the stored status of the guests, not the one that Trove shows after a
    guest has sent no report for a long time.
    """
    model = instance_models.InstanceServiceStatus
    return any(
        status.status not in guest_statuses.INCOMPLETE
        for status in model.find_by_filter(
            filters=[model.instance_id.in_(list(instance_ids))]).all())


def check_complete(cluster: Cluster, instance_ids: Iterable[str]) -> None:
    """Refuse an action for a cluster whose creation was never completed.

    :raises trove.common.exception.BadRequest: with the reason why the create
        failed, and the next action.
    """
    if not ever_complete(instance_ids):
        found = diagnosis.diagnose(dataclasses.replace(
            of_cluster(cluster), under_way=UnderWay.NOTHING), {})
        raise validation.refused(
            f'{found.sentence} {found.next_action}')


def failed(found: Iterable[Member]) -> list[str]:
    """Return the ids of the members that failed to join or leave."""
    return [member.id for member in found
            if member.db_info.task_status.is_error]


def gone(found: Iterable[Member]) -> list[str]:
    """Return the ids of the members whose server was deleted in Nova."""
    return [member.id for member in found if member.server_gone]
