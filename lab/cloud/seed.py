# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The initial resources of the cloud: flavors, networks, a volume type.

The services of ``lab.cloud`` and the lab's command line use these names.
"""

import dataclasses
import ipaddress

from lab.cloud import http
from lab.cloud import store as cloud_store
from lab import home as lab_home

NETWORK_ID = '10880000-0000-4000-8000-000000000001'
SUBNET_ID = '10880000-0000-4000-8000-000000000002'
ROUTER_ID = '10880000-0000-4000-8000-000000000003'
ROUTER_PORT_ID = '10880000-0000-4000-8000-000000000004'
VOLUME_TYPE_ID = '10880000-0000-4000-8000-000000000005'
NETWORK_NAME = 'lab-net'
IPV6_NETWORK_ID = '10880000-0000-4000-8000-000000000006'
DUAL_NETWORK_ID = '10880000-0000-4000-8000-000000000007'
NETWORK_IDS = {NETWORK_NAME: NETWORK_ID, 'lab-net-ipv6': IPV6_NETWORK_ID,
               'lab-net-dual': DUAL_NETWORK_ID}
SUBNET_IDS = {
    '10.88.0.1/16': SUBNET_ID,
    'fd10:88::1/64': '10880000-0000-4000-8000-000000000008',
    '10.89.0.1/16': '10880000-0000-4000-8000-000000000009',
    'fd10:89::1/64': '10880000-0000-4000-8000-000000000010',
}
VOLUME_TYPE = 'lvmdriver-1'
ADMIN_PROJECT = 'admin'
ZONE = 'nova'
MTU = 1500
LIMITS = {'instances': 200, 'cores': 400, 'ram': 800_000,
          'volumes': 200, 'gigabytes': 2000, 'ports': 500}


@dataclasses.dataclass(frozen=True)
class Flavor:
    id: str
    name: str
    ram: int
    vcpus: int
    disk: int


FLAVORS = (
    Flavor('1', 'db.tiny', 512, 1, 5),
    Flavor('2', 'db.small', 1024, 1, 10),
    Flavor('3', 'db.medium', 2048, 2, 20),
    Flavor('4', 'db.large', 4096, 2, 40),
)


def flavor(flavor_id: str) -> Flavor | None:
    """A flavor by its ID, or None."""
    for candidate in FLAVORS:
        if candidate.id == flavor_id:
            return candidate
    return None


def sow(store: cloud_store.Store) -> None:
    """Add the networks and their resources to a store."""
    if store.get('networks', NETWORK_ID):
        return
    for name, gateways in lab_home.NETWORKS.items():
        store.put('networks', {
            'id': NETWORK_IDS[name], 'name': name,
            'subnets': [SUBNET_IDS[one] for one in gateways],
            'admin_state_up': True, 'status': 'ACTIVE', 'shared': True,
            'router:external': False, 'mtu': MTU, **_owner()})
        for gateway in gateways:
            store.put('subnets', _subnet(name, gateway))
    store.put('routers', {
        'id': ROUTER_ID, 'name': 'lab-router', 'status': 'ACTIVE',
        'admin_state_up': True, 'external_gateway_info': None, **_owner()})
    store.put('ports', {
        'id': ROUTER_PORT_ID, 'name': '', 'network_id': NETWORK_ID,
        'device_id': ROUTER_ID, 'status': 'ACTIVE',
        'device_owner': 'network:router_interface',
        'mac_address': 'fa:16:3e:ff:ff:ff', 'security_groups': [],
        'admin_state_up': True, 'description': '',
        'fixed_ips': [
            {'subnet_id': SUBNET_IDS[one], 'ip_address': one.split('/')[0]}
            for one in lab_home.NETWORKS[NETWORK_NAME]],
        **_owner()})


def _subnet(network: str, gateway: str) -> http.Document:
    """A subnet as Neutron shows it; IPv6 addresses are assigned by DHCP."""
    interface = ipaddress.ip_interface(gateway)
    mode = 'dhcpv6-stateful' if interface.version == 6 else None
    return {
        'id': SUBNET_IDS[gateway], 'network_id': NETWORK_IDS[network],
        'name': f'{network}-ipv{interface.version}',
        'cidr': str(interface.network), 'gateway_ip': str(interface.ip),
        'ip_version': interface.version, 'ipv6_address_mode': mode,
        'ipv6_ra_mode': mode, 'enable_dhcp': True, 'dns_nameservers': [],
        'host_routes': [], 'allocation_pools': [], **_owner()}


def limits(store: cloud_store.Store) -> dict[str, int]:
    """The quota of each resource."""
    changed = store.get('settings', 'limits') or {}
    return {name: int(changed.get(name, value))
            for name, value in LIMITS.items()}


def _owner() -> http.Document:
    return {'tenant_id': ADMIN_PROJECT, 'project_id': ADMIN_PROJECT}
