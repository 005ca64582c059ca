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

"""Nova's servers: checks requests.

``lab.cloud.servers`` does the work on guests; ``lab.cloud.catalog`` has
flavors, groups and limits.
"""

from collections.abc import Callable
import functools
import uuid

from lab.cloud import faults as cloud_faults
from lab.cloud import http
from lab.cloud import image as cloud_image
from lab.cloud import network as cloud_network
from lab.cloud import seed
from lab.cloud import servers as cloud_servers
from lab.cloud import store as cloud_store
from lab.cloud import userdata
from lab.cloud import views
from lab.cloud import volume as cloud_volume

SERVER = '/v2.1/servers/<id>'
# While such an action turns the guest off, no other one may begin.
BUSY = 'Cannot \'{action}\' instance {id} while it is in {what}'
MAX_NAME = 255
DELETE_PATIENCE = 3.0


class ComputeService:
    """The servers of Nova 2.1."""

    def __init__(self, store: cloud_store.Store,
                 faults: cloud_faults.Faults,
                 images: cloud_image.ImageService,
                 networks: cloud_network.NetworkService,
                 volumes: cloud_volume.VolumeService,
                 keeper: cloud_servers.ServerKeeper) -> None:
        self._store = store
        self._faults = faults
        self._images = images
        self._networks = networks
        self._volumes = volumes
        self._keeper = keeper
        self._actions: dict[
            str, Callable[[http.Document, http.Document], None]] = {
            'reboot': self._reboot, 'os-start': self._start,
            'os-stop': self._stop, 'resize': self._resize,
            'confirmResize': self._confirm, 'revertResize': self._revert,
            'rebuild': self._rebuild, 'forceDelete': self._remove,
            'os-resetState': self._reset_state,
        }

    def routes(self) -> list[http.Route]:
        servers = '/v2.1/servers'
        attachments = f'{SERVER}/os-volume_attachments'
        return [
            http.Route('POST', servers, self._create),
            http.Route('GET', servers, self._list),
            http.Route('GET', f'{servers}/detail', self._list),
            http.Route('GET', SERVER, self._show),
            http.Route('PUT', SERVER, self._update),
            http.Route('DELETE', SERVER, self._delete),
            http.Route('POST', f'{SERVER}/action', self._action),
            http.Route('GET', f'{SERVER}/tags', self._tags),
            http.Route('PUT', f'{SERVER}/tags', self._set_tags),
            http.Route('GET', f'{SERVER}/metadata', self._metadata),
            http.Route('POST', f'{SERVER}/metadata', self._set_metadata),
            http.Route('GET', f'{SERVER}/os-interface', self._interfaces),
            http.Route('GET', attachments, self._attachments),
            http.Route('POST', attachments, self._attach),
            http.Route('DELETE', f'{attachments}/<volume>', self._detach),
        ]

    def _create(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'server')
        name = str(wanted.get('name') or '')
        message = self._faults.take('server-create', name)
        if message:
            raise http.ApiError(500, 'computeFault', message)
        server = self._checked(call.project, wanted, name)
        hints = call.body.get('os:scheduler_hints') or {}
        with self._store.exclusive():
            self._check_limits(server['flavor'])
            try:
                self._take_volumes(server, wanted)
                self._take_ports(server, wanted)
                self._join_group(server, hints.get('group'))
            except http.ApiError:
                for entry in server['volumes']:
                    self._volumes.release(entry['id'])
                raise
            self._store.put('servers', server)
        self._keeper.start(server['id'], self._keeper.build)
        return http.Reply(202, {'server': {
            'id': server['id'], 'links': views.links(server),
            'OS-DCF:diskConfig': 'MANUAL', 'adminPass': 'unused',
            'security_groups': [{'name': 'default'}]}})

    def _checked(self, project: str, wanted: http.Document,
                 name: str) -> http.Document:
        if not name or len(name) > MAX_NAME:
            raise http.bad_request('Invalid input for field/attribute name')
        flavor = str(wanted.get('flavorRef') or '')
        if seed.flavor(flavor) is None:
            raise http.bad_request(f'Flavor {flavor} could not be found.')
        image = str(wanted.get('imageRef') or '')
        if not image:
            raise http.bad_request('the lab boots from an image only: '
                                   'volume_rootdisk_support must be False')
        if self._images.find(image) is None:
            raise http.bad_request(f'Image {image} could not be found.')
        zone = wanted.get('availability_zone') or seed.ZONE
        if zone != seed.ZONE:
            raise http.bad_request('The requested availability zone is not '
                                   'available')
        return {
            'id': str(uuid.uuid4()), 'name': name, 'project': project,
            'flavor': flavor, 'old_flavor': None, 'image': image,
            'vm_state': 'building', 'task_state': 'spawning', 'fault': None,
            'metadata': dict(wanted.get('metadata') or {}),
            'tags': list(wanted.get('tags') or ()), 'zone': zone,
            'key_name': wanted.get('key_name'),
            'config_drive': bool(wanted.get('config_drive')),
            'number': self._store.next('server'), 'ports': [],
            'own_ports': [], 'volumes': [], 'created': http.now(),
            'updated': http.now(), 'launched_at': None, 'group': None,
            'userdata': userdata.parse(wanted.get('user_data'))}

    def _check_limits(self, flavor_id: str) -> None:
        limits = seed.limits(self._store)
        servers = self._store.all('servers')
        flavors = [seed.flavor(server['flavor']) for server in servers]
        flavors.append(seed.flavor(flavor_id))
        used = {'instances': len(servers) + 1,
                'cores': sum(flavor.vcpus for flavor in flavors if flavor),
                'ram': sum(flavor.ram for flavor in flavors if flavor)}
        for name, amount in used.items():
            if amount > limits[name]:
                raise http.forbidden(
                    f'Quota exceeded for {name}: Requested 1, but already '
                    f'used {amount} of {limits[name]} {name}')

    def _take_volumes(self, server: http.Document,
                      wanted: http.Document) -> None:
        mapping = wanted.get('block_device_mapping_v2') or ()
        keys = [str(entry['uuid']) for entry in mapping
                if entry.get('source_type') == 'volume']
        for key in keys:
            volume = self._store.get('volumes', key)
            if volume is None:
                raise http.bad_request(
                    f'Block Device Mapping is Invalid: failed to get '
                    f'volume {key}.')
        for entry in mapping:
            if entry.get('source_type') != 'volume':
                continue
            self._volumes.reserve(str(entry['uuid']))
            server['volumes'].append({
                'id': str(entry['uuid']),
                'device': _free_device(server, entry.get('device_name')),
                'delete_on_termination': bool(
                    entry.get('delete_on_termination'))})

    def _take_ports(self, server: http.Document,
                    wanted: http.Document) -> None:
        for entry in _networks(wanted):
            if entry.get('port'):
                port = self._store.get('ports', entry['port'])
                if port is None:
                    raise http.bad_request(
                        f'Port {entry["port"]} could not be found.')
                if port['device_id']:
                    raise http.conflict(f'Port {port["id"]} is still in use.')
            else:
                port = self._networks.make_port(server['project'], {
                    'network_id': entry.get('uuid'), 'fixed_ips': [
                        {'ip_address': entry.get('fixed_ip')}]})
                server['own_ports'].append(port['id'])
            self._store.update(
                'ports', port['id'], device_id=server['id'],
                device_owner=f'compute:{server["zone"]}')
            server['ports'].append(port['id'])

    def _join_group(self, server: http.Document, key: str | None) -> None:
        if key is None:
            return
        group = self._store.get('server_groups', key)
        if group is None:
            raise http.bad_request(f'Instance group {key} could not be '
                                   f'found.')
        server['group'] = key

    def _list(self, call: http.Call) -> http.Reply:
        detailed = views.wanted(self._store.all('servers'), call.query,
                                self._view_of(call))
        return http.Reply(200, {'servers': detailed})

    def _show(self, call: http.Call) -> http.Reply:
        server = self._get(call)
        return http.Reply(200, {'server': self._view_of(call)(server)})

    def _view_of(self, call: http.Call
                 ) -> Callable[[http.Document], http.Document]:
        return functools.partial(views.server, self._store, self._keeper,
                                 call.microversion)

    def _update(self, call: http.Call) -> http.Reply:
        server = self._get(call)
        name = http.required(call.body, 'server').get('name')
        if name:
            self._store.update('servers', server['id'], name=str(name))
        return self._show(call)

    def _delete(self, call: http.Call) -> http.Reply:
        self._remove(self._get(call), {})
        return http.Reply(204)

    def _remove(self, server: http.Document, body: http.Document) -> None:
        with self._store.exclusive():
            fresh = self._store.get('servers', server['id'])
            if fresh is None or fresh['task_state'] == 'deleting':
                return
            self._store.update('servers', server['id'],
                               task_state='deleting')
        # Most callers check for the end immediately, and then only seconds
        # later.
        self._keeper.start(server['id'], self._keeper.delete).join(
            DELETE_PATIENCE)

    def _action(self, call: http.Call) -> http.Reply:
        server = self._get(call)
        for name, body in call.body.items():
            action = self._actions.get(name)
            if action is None:
                raise http.bad_request(
                    f'the lab has no server action {name}')
            action(server, body or {})
        return http.Reply(202)

    def _begin(self, server: http.Document, action: str, task: str,
               states: tuple[str, ...] = ('active',)) -> None:
        """Set the task state, unless the action is not possible now."""
        with self._store.exclusive():
            fresh = self._store.get('servers', server['id']) or server
            if fresh['task_state'] or fresh['vm_state'] not in states:
                what = (f'task_state {fresh["task_state"]}'
                        if fresh['task_state']
                        else f'vm_state {fresh["vm_state"]}')
                raise http.conflict(BUSY.format(
                    action=action, id=server['id'], what=what))
            self._store.update('servers', server['id'], task_state=task,
                               updated=http.now())

    def _reboot(self, server: http.Document, body: http.Document) -> None:
        hard = body.get('type') == 'HARD'
        self._begin(server, 'reboot',
                    'rebooting_hard' if hard else 'rebooting',
                    ('active', 'resized', 'error'))
        self._keeper.start(server['id'], functools.partial(
            self._keeper.reboot, hard=hard))

    def _start(self, server: http.Document, body: http.Document) -> None:
        self._begin(server, 'start', 'powering-on')
        self._keeper.start(server['id'], self._keeper.power_on)

    def _stop(self, server: http.Document, body: http.Document) -> None:
        self._begin(server, 'stop', 'powering-off')
        self._keeper.start(server['id'], self._keeper.shut_down)

    def _resize(self, server: http.Document, body: http.Document) -> None:
        flavor = str(body.get('flavorRef'))
        if seed.flavor(flavor) is None:
            raise http.bad_request(f'Flavor {flavor} could not be found.')
        if flavor == server['flavor']:
            raise http.bad_request('When resizing, instances must change '
                                   'flavor!')
        self._begin(server, 'resize', 'resize_migrating')
        self._keeper.start(server['id'], functools.partial(
            self._keeper.resize, flavor=flavor, after='resized',
            old=server['flavor']))

    def _confirm(self, server: http.Document, body: http.Document) -> None:
        self._begin(server, 'confirmResize', 'resize_finish', ('resized',))
        self._store.update('servers', server['id'], vm_state='active',
                           task_state=None, old_flavor=None)

    def _revert(self, server: http.Document, body: http.Document) -> None:
        self._begin(server, 'revertResize', 'resize_reverting',
                    ('resized',))
        self._keeper.start(server['id'], functools.partial(
            self._keeper.resize, flavor=server['old_flavor'],
            after='active', old=None))

    def _rebuild(self, server: http.Document, body: http.Document) -> None:
        image = str(body.get('imageRef'))
        if self._images.find(image) is None:
            raise http.bad_request(f'Image {image} could not be found.')
        parsed = userdata.parse(body.get('user_data'))
        self._begin(server, 'rebuild', 'rebuilding', ('active', 'error'))
        self._store.update('servers', server['id'], image=image,
                           userdata=parsed)
        self._keeper.start(server['id'], self._keeper.rebuild)

    def _reset_state(self, server: http.Document,
                     body: http.Document) -> None:
        self._store.update('servers', server['id'], task_state=None,
                           vm_state=str(body.get('state', 'error')))

    def _tags(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'tags': self._get(call)['tags']})

    def _set_tags(self, call: http.Call) -> http.Reply:
        tags = list(call.body.get('tags') or ())
        self._store.update('servers', self._get(call)['id'], tags=tags)
        return http.Reply(200, {'tags': tags})

    def _metadata(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'metadata': self._get(call)['metadata']})

    def _set_metadata(self, call: http.Call) -> http.Reply:
        server = self._get(call)
        metadata = {**server['metadata'],
                    **http.required(call.body, 'metadata')}
        self._store.update('servers', server['id'], metadata=metadata)
        return http.Reply(200, {'metadata': metadata})

    def _interfaces(self, call: http.Call) -> http.Reply:
        ports = [self._store.get('ports', key)
                 for key in self._get(call)['ports']]
        return http.Reply(200, {'interfaceAttachments': [
            {'port_id': port['id'], 'net_id': port['network_id'],
             'mac_addr': port['mac_address'], 'port_state': port['status'],
             'fixed_ips': port['fixed_ips']} for port in ports if port]})

    def _attachments(self, call: http.Call) -> http.Reply:
        server = self._get(call)
        return http.Reply(200, {'volumeAttachments': [
            _attachment(server, entry) for entry in server['volumes']]})

    def _attach(self, call: http.Call) -> http.Reply:
        server = self._get(call)
        wanted = http.required(call.body, 'volumeAttachment')
        with self._store.exclusive():
            volume = self._volumes.reserve(str(wanted.get('volumeId')))
            entry = {'id': volume['id'], 'delete_on_termination': False,
                     'device': _free_device(server, wanted.get('device'))}
            server['volumes'].append(entry)
            self._store.put('servers', server)
        self._keeper.start(server['id'], functools.partial(
            self._keeper.attach, volume_id=volume['id']))
        return http.Reply(200, {'volumeAttachment':
                                _attachment(server, entry)})

    def _detach(self, call: http.Call) -> http.Reply:
        server = self._get(call)
        key = call.arguments['volume']
        if key not in [entry['id'] for entry in server['volumes']]:
            raise http.not_found('Volume attachment', key)
        self._store.update('volumes', key, status='detaching')
        self._keeper.start(server['id'], functools.partial(
            self._keeper.detach, volume_id=key))
        return http.Reply(202)

    def _get(self, call: http.Call) -> http.Document:
        key = call.arguments['id']
        server = self._store.get('servers', key)
        if server is None:
            raise http.not_found('Instance', key)
        return server


def _networks(wanted: http.Document) -> list[http.Document]:
    networks = wanted.get('networks') or 'auto'
    if networks == 'none':
        raise http.bad_request('a server of the lab needs a network')
    if networks == 'auto':
        return [{'uuid': seed.NETWORK_ID}]
    if len(networks) > 1:
        raise http.bad_request(
            'a server of the lab has one port; leave Trove\'s '
            'management_networks empty')
    return list(networks)


def _attachment(server: http.Document,
                entry: http.Document) -> http.Document:
    return {'id': entry['id'], 'volumeId': entry['id'],
            'serverId': server['id'], 'device': f'/dev/{entry["device"]}'}


def _free_device(server: http.Document, wanted: object) -> str:
    taken = {entry['device'] for entry in server['volumes']}
    name = str(wanted or '').removeprefix('/dev/')
    free = [device for device in cloud_servers.DEVICES
            if device not in taken]
    if name in free:
        return name
    if not free:
        raise http.bad_request(f'server {server["id"]} has no free device '
                               f'name')
    return free[0]
