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

"""A server as Nova shows it, for each microversion.

For ``lab.cloud.compute`` and ``lab.cloud.catalog``.
"""

from collections.abc import Callable, Iterable, Mapping
import ipaddress

from lab.cloud import http
from lab.cloud import seed
from lab.cloud import servers as cloud_servers
from lab.cloud import store as cloud_store

TASK_STATUS = {
    'rebooting': 'REBOOT', 'rebooting_hard': 'HARD_REBOOT',
    'resize_migrating': 'RESIZE', 'resize_reverting': 'REVERT_RESIZE',
    'rebuilding': 'REBUILD'}
STATE_STATUS = {'building': 'BUILD', 'error': 'ERROR',
                'resized': 'VERIFY_RESIZE'}
RUNNING, SHUTDOWN, NOSTATE = 1, 4, 0
TAGS_SINCE = (2, 26)
EMBEDDED_FLAVOR_SINCE = (2, 47)
POLICY_SINCE = (2, 64)


def status(server: http.Document, running: bool) -> str:
    """Nova's status: the task state takes precedence over the state."""
    if server['vm_state'] == 'error':
        return 'ERROR'
    task = TASK_STATUS.get(server['task_state'] or '')
    if task:
        return task
    state = STATE_STATUS.get(server['vm_state'])
    if state:
        return state
    return 'ACTIVE' if running else 'SHUTOFF'


def server(store: cloud_store.Store, keeper: cloud_servers.ServerKeeper,
           version: tuple[int, int], document: http.Document
           ) -> http.Document:
    """All fields of a server."""
    running = keeper.running(document['id'])
    shown = status(document, running)
    power = RUNNING if running else SHUTDOWN
    view = {
        'id': document['id'], 'name': document['name'], 'status': shown,
        'tenant_id': document['project'], 'user_id': 'admin',
        'hostId': document['id'].replace('-', ''),
        'created': document['created'], 'updated': document['updated'],
        'addresses': _addresses(store, document), 'accessIPv4': '',
        'accessIPv6': '', 'links': links(document),
        'image': {'id': document['image'], 'links': []},
        'flavor': _flavor(document['flavor'], version),
        'metadata': document['metadata'], 'key_name': document['key_name'],
        'config_drive': 'True' if document['config_drive'] else '',
        'OS-DCF:diskConfig': 'MANUAL', 'progress': 0,
        'OS-EXT-AZ:availability_zone': document['zone'],
        'OS-EXT-STS:vm_state': document['vm_state'],
        'OS-EXT-STS:task_state': document['task_state'],
        'OS-EXT-STS:power_state': (
            NOSTATE if document['vm_state'] == 'building' else power),
        'OS-EXT-SRV-ATTR:host': 'lab',
        'OS-EXT-SRV-ATTR:hypervisor_hostname': 'lab',
        'OS-EXT-SRV-ATTR:instance_name': f'g{document["number"]}',
        'OS-SRV-USG:launched_at': document['launched_at'],
        'OS-SRV-USG:terminated_at': None,
        'os-extended-volumes:volumes_attached': [
            {'id': entry['id'], 'delete_on_termination':
             entry['delete_on_termination']}
            for entry in document['volumes']],
        'security_groups': [{'name': 'default'}]}
    if version >= TAGS_SINCE:
        view.update(tags=document['tags'], description=None, locked=False)
    if document['fault']:
        view['fault'] = document['fault']
    return view


def wanted(documents: Iterable[http.Document],
           query: Mapping[str, list[str]],
           view: Callable[[http.Document], http.Document]
           ) -> list[http.Document]:
    """The servers of a list request, with all fields."""
    found = []
    for document in documents:
        if not _tagged(document, query):
            continue
        shown = view(document)
        fits = all(
            values[0] == str(shown[name])
            for name, values in query.items()
            if name in ('name', 'status', 'tenant_id'))
        if fits and ('uuid' not in query
                     or document['id'] in query['uuid']):
            found.append(shown)
    marker = query.get('marker', [None])[0]
    if marker:
        ids = [document['id'] for document in found]
        found = found[ids.index(marker) + 1:] if marker in ids else []
    limit = int(query.get('limit', ['0'])[0])
    return found[:limit] if limit > 0 else found


def links(document: http.Document) -> list[dict[str, str]]:
    return [{'rel': 'self', 'href': f'/v2.1/servers/{document["id"]}'}]


def flavor(chosen: seed.Flavor) -> http.Document:
    """All fields of a flavor."""
    return {'id': chosen.id, 'name': chosen.name, 'ram': chosen.ram,
            'vcpus': chosen.vcpus, 'disk': chosen.disk, 'swap': 0,
            'OS-FLV-EXT-DATA:ephemeral': 0, 'rxtx_factor': 1.0,
            'OS-FLV-DISABLED:disabled': False, 'description': None,
            'os-flavor-access:is_public': True, 'extra_specs': {},
            'links': [{'rel': 'self',
                       'href': f'/v2.1/flavors/{chosen.id}'},
                      {'rel': 'bookmark', 'href': f'/flavors/{chosen.id}'}]}


def _flavor(flavor_id: str, version: tuple[int, int]) -> http.Document:
    chosen = seed.flavor(flavor_id)
    if version < EMBEDDED_FLAVOR_SINCE or chosen is None:
        return {'id': flavor_id, 'links': []}
    return {'original_name': chosen.name, 'ram': chosen.ram,
            'vcpus': chosen.vcpus, 'disk': chosen.disk, 'swap': 0,
            'ephemeral': 0, 'extra_specs': {}}


def _addresses(store: cloud_store.Store,
               document: http.Document) -> http.Document:
    found: http.Document = {}
    ports = (store.get('ports', key) for key in document['ports'])
    for port in filter(None, ports):
        network = store.get('networks', port['network_id']) or {'name': ''}
        for address in port['fixed_ips']:
            found.setdefault(network['name'], []).append({
                'addr': address['ip_address'],
                'version': ipaddress.ip_address(
                    address['ip_address']).version,
                'OS-EXT-IPS:type': 'fixed',
                'OS-EXT-IPS-MAC:mac_addr': port['mac_address']})
    return found


def _tagged(document: http.Document,
            query: Mapping[str, list[str]]) -> bool:
    tags = set(document['tags'])
    every = query.get('tags', [''])[0]
    some = query.get('tags-any', [''])[0]
    return (not every or set(every.split(',')) <= tags) and (
        not some or bool(set(some.split(',')) & tags))
