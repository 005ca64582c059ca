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

"""One page of a project's instances with members, with few statements.

Imported by api/extension. Trove reads the datastore, the status and the ports
of each instance separately, and twice the rows of all instances of the
project. This module reads those of all members on the page together. Instances
of others are read by Trove, and a page without members is left to it.
"""

from typing import Any

from trove.common import pagination
from trove.common import policy
from trove.common import wsgi
from trove.instance import models as instance_models
from trove.instance import views as instance_views

from trove_pxc.api import members
from trove_pxc.api import ownership
from trove_pxc.api import page
from trove_pxc.protocols import Context
from trove_pxc.protocols import InstanceRow
from trove_pxc.protocols import Request

_VIEWS = {'index': instance_views.InstanceView,
          'detail': instance_views.InstanceDetailView}
Page = tuple[list[instance_models.SimpleInstance], str | None]


def show(req: Request, action: str) -> Any:
    """Return the answer to GET /instances or /instances/detail.

    :param action: index or detail.
    :returns: None if Trove has to answer; see load().
    """
    context: Context = req.environ[wsgi.CONTEXT_KEY]
    policy.authorize_on_tenant(context, f'instance:{action}')
    found = load(context, with_faults=action == 'detail')
    if found is None:
        return None
    instances, marker = found
    view = instance_views.InstancesView(
        instances, item_view=_VIEWS[action], req=req)
    return wsgi.Result(pagination.SimplePaginatedDataView(
        req.url, 'instances', view, marker).data(), 200)


def load(context: Context, with_faults: bool) -> Page | None:
    """Return the instances, as Trove's Instances.load(), and the next marker.

    :param with_faults: whether the faults of the instances are needed.
    :returns: None if no member of this package is on the page, or if Trove has
        to answer an invalid limit.
    """
    limit = _limit(context)
    if limit is None:
        return None
    wanted = instance_models.DBInstance.find_all(
        tenant_id=context.project_id, deleted=False)
    rows = instance_models.DBInstance.find_by_pagination(
        'instances', wanted, 'unused', marker=context.marker, limit=limit)
    ours = _members(context, rows.collection)
    if not ours:
        return None
    if with_faults:
        faults = instance_models.DBInstanceFault.find_by_filter(
            filters=[instance_models.DBInstanceFault.instance_id.in_(
                list(ours))]).all()
        for member in ours.values():
            member.know_faults(faults)
    others = [row.id for row in rows.collection if row.id not in ours]
    found: list[Any] = list(ours.values())
    if others:
        found += instance_models.Instances.load(context, True, others)[0]
    return found, rows.next_page_marker


def _limit(context: Context) -> int | None:
    most = int(instance_models.Instances.DEFAULT_LIMIT)
    text = str(context.limit or most)
    if not (text.isascii() and text.isdecimal()) or not int(text):
        return None
    return min(int(text), most)


def _members(context: Context,
             rows: list[InstanceRow]) -> dict[str, members.Member]:
    """Return the members among instances, by their ids."""
    of_clusters = [row for row in rows if row.cluster_id]
    if not of_clusters:
        return {}
    kinds = page.datastores(row.datastore_version_id for row in of_clusters)
    ours = [row for row in of_clusters if members.is_member(
        row, lambda version_id: ownership.is_manager(
            kinds[version_id].ds_version.manager))]
    return members.of_rows(
        context, ours,
        lambda row: kinds[row.datastore_version_id]) if ours else {}
