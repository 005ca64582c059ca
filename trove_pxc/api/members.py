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

"""The members of one cluster as trove-api sees them: rows, server, ports.

Imported by api/cluster; knows nothing of requests and views.
"""

from typing import Any

from novaclient import exceptions as nova_exceptions
from oslo_utils import netutils
from trove.common import cfg
from trove.common import clients
from trove.common import exception
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance import tasks as instance_tasks

from trove_pxc.galera import naming

CONF = cfg.CONF
Statuses = service_status.ServiceStatuses

_NOT_BUILT_YET = (Statuses.NEW, Statuses.BUILDING, Statuses.INSTANCE_READY)


def rows(cluster_id: str, cluster_name: str) -> list[Any]:
    """The instance rows of a cluster that are not deleted, in order."""
    found = instance_models.DBInstance.find_all(
        cluster_id=cluster_id, deleted=False).all()
    return naming.in_member_order(
        cluster_name, found, name=lambda row: str(row.name),
        age=lambda row: (str(row.created), str(row.id)))


def load(context: Any, cluster_id: str, cluster_name: str) -> list[Any]:
    """Trove's view of each member, in member order.

    A member that vanished in between is left out.
    """
    loaded = []
    for row in rows(cluster_id, cluster_name):
        try:
            status = instance_models.InstanceServiceStatus.find_by(
                instance_id=row.id)
        except exception.ModelNotFoundError:
            continue
        row.server_status = _server_status(context, row)
        row.addresses = _addresses(context, row)
        loaded.append(instance_models.SimpleInstance(context, row, status))
    return loaded


def shown_status(member: Any) -> str:
    """A member's status as users read it.

    Trove calls an instance ACTIVE as soon as its guest is ready; a member
    is BUILD until its cluster was completed.
    """
    status = str(member.status)
    if (status == instance_models.InstanceStatus.ACTIVE
            and member.datastore_status.status in _NOT_BUILT_YET):
        return str(instance_models.InstanceStatus.BUILD)
    return status


def _server_status(context: Any, row: Any) -> str:
    building = instance_tasks.InstanceTasks.BUILDING.action
    if not row.compute_instance_id:
        return ('BUILD' if row.task_status.action == building
                else 'SHUTDOWN')
    nova = clients.create_nova_client(context, row.region_id)
    try:
        return str(nova.servers.get(row.compute_instance_id).status)
    except nova_exceptions.NotFound:
        return 'SHUTDOWN'


def _addresses(context: Any, row: Any) -> list[dict[str, Any]]:
    """Private and public addresses outside the management networks.

    The ports carry Trove's name for them, so that they are found even
    before the server exists.
    """
    neutron = clients.create_neutron_client(context, row.region_id)
    found: list[dict[str, Any]] = []
    for port in neutron.list_ports(name=f'trove-{row.id}')['ports']:
        if port['network_id'] in CONF.management_networks:
            continue
        found.extend(
            {'address': fixed['ip_address'], 'type': 'private',
             'network': port['network_id']}
            for fixed in port['fixed_ips']
            if netutils.is_valid_ipv4(fixed.get('ip_address')))
        floating = neutron.list_floatingips(port_id=port['id'])
        found.extend(
            {'address': ip['floating_ip_address'], 'type': 'public'}
            for ip in floating['floatingips'][:1])
    return found
