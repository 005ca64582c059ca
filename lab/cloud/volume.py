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

"""Cinder: volumes as sparse files, which become loop devices of guests."""

from pathlib import Path
import uuid

from lab.cloud import faults as cloud_faults
from lab.cloud import http
from lab.cloud import seed
from lab.cloud import store as cloud_store
from lab.guest import disks
from lab import home as lab_home

GIGABYTE = 1 << 30
DELETABLE = ('available', 'error', 'error_deleting')


class VolumeService:
    """Volumes and volume types of Cinder v3."""

    def __init__(self, home: lab_home.Home, store: cloud_store.Store,
                 faults: cloud_faults.Faults) -> None:
        self._folder = home.cloud / 'volumes'
        self._folder.mkdir(parents=True, exist_ok=True)
        self._store = store
        self._faults = faults

    def routes(self) -> list[http.Route]:
        return [
            http.Route('POST', '/v3/volumes', self._create),
            http.Route('GET', '/v3/volumes', self._list),
            http.Route('GET', '/v3/volumes/detail', self._list),
            http.Route('GET', '/v3/volumes/<id>', self._show),
            http.Route('PUT', '/v3/volumes/<id>', self._update),
            http.Route('DELETE', '/v3/volumes/<id>', self._delete),
            http.Route('POST', '/v3/volumes/<id>/action', self._action),
            http.Route('GET', '/v3/types', self._types),
            http.Route('GET', '/v3/types/<id>', self._type),
            http.Route('GET', '/v3/limits', self._limits),
            http.Route('GET', '/v3/snapshots', self._no_snapshots),
            http.Route('GET', '/v3/snapshots/detail', self._no_snapshots),
        ]

    def file(self, volume_id: str) -> Path:
        """The file with the volume's data."""
        return self._folder / f'{volume_id}.img'

    def reserve(self, volume_id: str) -> http.Document:
        """Reserve a volume for a server.

        :raises ApiError: if it does not exist or is not available
        """
        with self._store.exclusive():
            volume = self._get(volume_id)
            if volume['status'] != 'available':
                raise http.bad_request(
                    f'Invalid volume: volume {volume_id} is '
                    f'{volume["status"]}, not available')
            volume['status'] = 'attaching'
            self._store.put('volumes', volume)
        return volume

    def attached(self, volume_id: str, server_id: str, device: str) -> None:
        """Record that the volume is attached to a server."""
        self._store.update(
            'volumes', volume_id, status='in-use', attachments=[{
                'id': volume_id, 'attachment_id': str(uuid.uuid4()),
                'volume_id': volume_id, 'server_id': server_id,
                'device': f'/dev/{device}', 'attached_at': http.now(),
                'host_name': None}])

    def release(self, volume_id: str) -> None:
        """Record that the volume is not attached any more."""
        self._store.update('volumes', volume_id, status='available',
                           attachments=[])

    def destroy(self, volume_id: str) -> None:
        """Remove an unattached volume and its data."""
        disks.detach(str(self.file(volume_id)))
        self.file(volume_id).unlink(missing_ok=True)
        self._store.delete('volumes', volume_id)

    def _create(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'volume')
        size = _size(wanted.get('size'))
        kind = wanted.get('volume_type') or seed.VOLUME_TYPE
        if kind not in (seed.VOLUME_TYPE, seed.VOLUME_TYPE_ID):
            raise http.not_found('Volume type with name', str(kind))
        for unknown in ('imageRef', 'snapshot_id', 'source_volid'):
            if wanted.get(unknown):
                raise http.bad_request(
                    f'the lab creates only empty volumes, not by {unknown}')
        with self._store.exclusive():
            self._check_number()
            self._check_size(size)
            volume: http.Document = {
                'id': str(uuid.uuid4()), 'name': wanted.get('name'),
                'description': wanted.get('description'), 'size': size,
                'status': 'creating', 'volume_type': seed.VOLUME_TYPE,
                'availability_zone': seed.ZONE, 'bootable': 'false',
                'encrypted': False, 'multiattach': False, 'attachments': [],
                'metadata': wanted.get('metadata') or {},
                'snapshot_id': None, 'source_volid': None,
                'created_at': http.now(), 'updated_at': None,
                'user_id': 'admin',
                'os-vol-tenant-attr:tenant_id': call.project}
            self._store.put('volumes', volume)
        # A sparse file is created at once; the answer still says "creating".
        self._make(volume)
        return http.Reply(202, {'volume': volume})

    def _make(self, volume: http.Document) -> None:
        message = self._faults.take('volume-create',
                                    str(volume['name'] or ''))
        if message:
            self._store.update('volumes', volume['id'], status='error')
            return
        with self.file(volume['id']).open('wb') as file:
            file.truncate(volume['size'] * GIGABYTE)
        self._store.update('volumes', volume['id'], status='available')

    def _check_number(self) -> None:
        limit = seed.limits(self._store)['volumes']
        if len(self._store.all('volumes')) >= limit:
            raise http.ApiError(
                413, 'overLimit',
                f'VolumeLimitExceeded: Maximum number of volumes allowed '
                f'({limit}) exceeded for quota \'volumes\'.')

    def _check_size(self, more: int) -> None:
        limit = seed.limits(self._store)['gigabytes']
        used = sum(volume['size'] for volume in self._store.all('volumes'))
        if used + more > limit:
            raise http.ApiError(
                413, 'overLimit',
                f'VolumeSizeExceedsAvailableQuota: Requested volume '
                f'exceeds allowed gigabytes quota. Requested {more}G, '
                f'quota is {limit}G and {used}G has been consumed.')

    def _list(self, call: http.Call) -> http.Reply:
        name, status = call.one('name'), call.one('status')
        return http.Reply(200, {'volumes': [
            volume for volume in self._store.all('volumes')
            if name in (None, volume['name'])
            and status in (None, volume['status'])]})

    def _show(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'volume': self._get(call.arguments['id'])})

    def _update(self, call: http.Call) -> http.Reply:
        wanted = http.required(call.body, 'volume')
        volume = self._get(call.arguments['id'])
        volume.update({name: wanted[name] for name in (
            'name', 'description', 'metadata') if name in wanted})
        self._store.put('volumes', volume)
        return http.Reply(200, {'volume': volume})

    def _delete(self, call: http.Call) -> http.Reply:
        with self._store.exclusive():
            volume = self._get(call.arguments['id'])
            if volume['status'] not in DELETABLE:
                raise http.bad_request(
                    'Invalid volume: Volume status must be available or '
                    f'error and must not be attached; it is '
                    f'{volume["status"]}.')
            self._store.update('volumes', volume['id'], status='deleting')
        self.destroy(volume['id'])
        return http.Reply(202)

    def _action(self, call: http.Call) -> http.Reply:
        volume = self._get(call.arguments['id'])
        if 'os-extend' in call.body:
            self._extend(volume, _size(call.body['os-extend']['new_size']))
            return http.Reply(202)
        if 'os-reset_status' in call.body:
            self._store.update(
                'volumes', volume['id'],
                status=call.body['os-reset_status']['status'])
            return http.Reply(202)
        raise http.bad_request(
            f'the lab has no volume action {", ".join(call.body)}')

    def _extend(self, volume: http.Document, size: int) -> None:
        if volume['status'] not in ('available', 'in-use'):
            raise http.bad_request(
                f'Invalid volume: Volume {volume["id"]} status must be '
                f'available or in-use to extend; it is '
                f'{volume["status"]}.')
        if size <= volume['size']:
            raise http.bad_request(
                f'Invalid input received: New size for extend must be '
                f'greater than current size. (current: {volume["size"]}, '
                f'extended: {size}).')
        with self._store.exclusive():
            self._check_size(size - volume['size'])
            path = self.file(volume['id'])
            with path.open('r+b') as file:
                file.truncate(size * GIGABYTE)
            disks.refresh_size(str(path))
            self._store.update('volumes', volume['id'], size=size)

    def _types(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'volume_types': [_type()]})

    def _type(self, call: http.Call) -> http.Reply:
        key = call.arguments['id']
        if key not in (seed.VOLUME_TYPE_ID, seed.VOLUME_TYPE):
            raise http.not_found('Volume type', key)
        return http.Reply(200, {'volume_type': _type()})

    def _limits(self, call: http.Call) -> http.Reply:
        limits = seed.limits(self._store)
        volumes = self._store.all('volumes')
        return http.Reply(200, {'limits': {'rate': [], 'absolute': {
            'maxTotalVolumes': limits['volumes'],
            'maxTotalVolumeGigabytes': limits['gigabytes'],
            'totalVolumesUsed': len(volumes),
            'totalGigabytesUsed': sum(volume['size']
                                      for volume in volumes)}}})

    def _no_snapshots(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'snapshots': []})

    def _get(self, key: str) -> http.Document:
        volume = self._store.get('volumes', key)
        if volume is None:
            raise http.not_found('Volume', key)
        return volume


def _size(value: object) -> int:
    try:
        size = int(str(value))
    except ValueError:
        size = 0
    if size < 1:
        raise http.bad_request(
            f'Invalid input received: volume size {value} must be a '
            f'positive whole number of GB')
    return size


def _type() -> http.Document:
    return {'id': seed.VOLUME_TYPE_ID, 'name': seed.VOLUME_TYPE,
            'description': 'a sparse file and a loop device',
            'is_public': True, 'extra_specs': {}, 'qos_specs_id': None,
            'os-volume-type-access:is_public': True}
