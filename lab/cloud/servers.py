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

"""Builds, restarts, resizes and deletes servers.

For ``lab.cloud.compute``, which checks the requests. Each operation runs in a
separate thread and writes its result to the store.
"""

from collections.abc import Callable
import json
import logging
import os
from pathlib import Path
import threading
from typing import Any

from lab.cloud import faults as cloud_faults
from lab.cloud import groups as cloud_groups
from lab.cloud import http
from lab.cloud import image as cloud_image
from lab.cloud import seed
from lab.cloud import store as cloud_store
from lab.cloud import volume as cloud_volume
from lab import errors
from lab.guest import boot
from lab.guest import disk
from lab.guest import firewall
from lab.guest import spec as guest_spec
from lab import home as lab_home

LOG = logging.getLogger(__name__)
FAILURES = (errors.LabError, http.ApiError, OSError)
DEVICES = ('vdb', 'vdc', 'vdd', 'vde', 'vdf', 'vdg')


class ServerKeeper:
    """The guests of the servers."""

    def __init__(self, home: lab_home.Home, store: cloud_store.Store,
                 faults: cloud_faults.Faults,
                 images: cloud_image.ImageService,
                 volumes: cloud_volume.VolumeService) -> None:
        self.home = home
        self._store = store
        self._faults = faults
        self._images = images
        self._volumes = volumes
        # Set when the network service exists; it needs ``refresh``.
        self.groups: cloud_groups.GroupService | None = None

    def folder(self, server_id: str) -> guest_spec.GuestFolder:
        return guest_spec.GuestFolder(self.home, server_id)

    def running(self, server_id: str) -> bool:
        """Whether the server's guest has power."""
        return boot.init_pid(self.folder(server_id)) is not None

    def start(self, server_id: str,
              work: Callable[[str], None]) -> threading.Thread:
        """Run an operation on a server in a separate thread."""
        thread = threading.Thread(
            target=self._guarded, args=(server_id, work),
            name=f'server-{server_id}', daemon=True)
        thread.start()
        return thread

    def resume(self) -> None:
        """After a restart of the daemon: finish interrupted operations."""
        for server in self._store.all('servers'):
            if server['task_state'] == 'deleting':
                self.start(server['id'], self.delete)
            elif server['vm_state'] == 'building':
                self._fail(server['id'], 'the cloud was restarted while '
                           'the server was being built')
            elif server['task_state']:
                self._store.update('servers', server['id'], task_state=None)

    def build(self, server_id: str) -> None:
        """Create the root disk and boot."""
        server = self._server(server_id)
        message = self._faults.take('server-boot', server['name'])
        if message:
            raise errors.LabError(message)
        folder = self.folder(server_id)
        with boot.locked(folder):
            folder.path.mkdir(mode=0o700, exist_ok=True)
            self._write_userdata(folder, server['userdata'])
            spec = self._spec(server)
            disk.create(folder, spec, self._image_folder(server['image']))
            for entry in server['volumes']:
                spec.volumes.append(self._volume(entry))
            folder.save(spec)
            self._write_firewall(folder, server)
            boot.power_on(folder)
        for entry in server['volumes']:
            self._volumes.attached(entry['id'], server_id, entry['device'])
        self._store.update('servers', server_id, vm_state='active',
                           task_state=None, launched_at=http.now(),
                           userdata=None)

    def delete(self, server_id: str) -> None:
        """Remove the guest; then free its ports and volumes."""
        server = self._server(server_id)
        message = self._faults.take('server-delete', server['name'])
        if message:
            raise errors.LabError(message)
        folder = self.folder(server_id)
        if folder.path.exists():
            with boot.locked(folder):
                boot.delete(folder)
        for entry in server['volumes']:
            if not self._store.get('volumes', entry['id']):
                continue
            self._volumes.release(entry['id'])
            if entry['delete_on_termination']:
                self._volumes.destroy(entry['id'])
        for port in server['ports']:
            if port in server['own_ports']:
                self._store.delete('ports', port)
            else:
                self._store.update('ports', port, device_id='',
                                   device_owner='', status='DOWN')
        self._store.delete('servers', server_id)

    def reboot(self, server_id: str, hard: bool) -> None:
        folder = self.folder(server_id)
        with boot.locked(folder):
            boot.reboot(folder, hard)
        self._store.update('servers', server_id, task_state=None,
                           vm_state='active')

    def power_on(self, server_id: str) -> None:
        folder = self.folder(server_id)
        with boot.locked(folder):
            boot.power_on(folder)
        self._store.update('servers', server_id, task_state=None)

    def shut_down(self, server_id: str) -> None:
        folder = self.folder(server_id)
        with boot.locked(folder):
            boot.shut_down(folder)
        self._store.update('servers', server_id, task_state=None)

    def resize(self, server_id: str, flavor: str, after: str,
               old: str | None) -> None:
        """Shut down, change the flavor, and boot.

        :param after: the state afterwards, ``resized`` or ``active``
        :param old: the flavor for a revert; None if this is the revert
        """
        chosen = seed.flavor(flavor)
        folder = self.folder(server_id)
        with boot.locked(folder):
            boot.shut_down(folder)
            spec = folder.load()
            if chosen:
                spec.memory_mb, spec.vcpus = chosen.ram, chosen.vcpus
            folder.save(spec)
            boot.power_on(folder)
        self._store.update('servers', server_id, task_state=None,
                           vm_state=after, flavor=flavor, old_flavor=old)

    def rebuild(self, server_id: str) -> None:
        """Create a new root disk from another image; the volumes stay."""
        server = self._server(server_id)
        folder = self.folder(server_id)
        with boot.locked(folder):
            boot.shut_down(folder)
            boot.remove_disk(folder)
            self._write_userdata(folder, server['userdata'])
            spec = folder.load()
            spec.image = server['image']
            disk.create(folder, spec, self._image_folder(spec.image))
            folder.save(spec)
            boot.power_on(folder)
        self._store.update('servers', server_id, task_state=None,
                           vm_state='active', userdata=None)

    def attach(self, server_id: str, volume_id: str) -> None:
        """Attach a reserved volume to the guest."""
        server = self._server(server_id)
        entry = next(volume for volume in server['volumes']
                     if volume['id'] == volume_id)
        folder = self.folder(server_id)
        with boot.locked(folder):
            boot.attach_volume(folder, self._volume(entry))
        self._volumes.attached(volume_id, server_id, entry['device'])

    def detach(self, server_id: str, volume_id: str) -> None:
        """Detach a volume from the guest, unless it is mounted there."""
        folder = self.folder(server_id)
        try:
            with boot.locked(folder):
                boot.detach_volume(folder, volume_id)
        except errors.LabError as error:
            LOG.error('cannot detach from server %s volume %s: %s', server_id,
                      volume_id, error)
            self._store.update('volumes', volume_id, status='in-use')
            return
        server = self._server(server_id)
        server['volumes'] = [entry for entry in server['volumes']
                             if entry['id'] != volume_id]
        self._store.put('servers', server)
        self._volumes.release(volume_id)

    def refresh(self) -> None:
        """Update the filter of each guest from its groups."""
        for server in self._store.all('servers'):
            folder = self.folder(server['id'])
            if folder.spec_file.exists() and self._write_firewall(
                    folder, server):
                boot.apply_firewall(folder, folder.load())

    def _guarded(self, server_id: str, work: Callable[[str], None]) -> None:
        try:
            work(server_id)
        except FAILURES as error:
            LOG.exception('server %s failed', server_id)
            self._fail(server_id, str(error))

    def _fail(self, server_id: str, message: str) -> None:
        self._store.update(
            'servers', server_id, vm_state='error', task_state=None,
            userdata=None, fault={'code': 500, 'created': http.now(),
                                  'message': message, 'details': ''})

    def _server(self, server_id: str) -> http.Document:
        server = self._store.get('servers', server_id)
        if server is None:
            raise http.not_found('Instance', server_id)
        return server

    def _spec(self, server: http.Document) -> guest_spec.GuestSpec:
        port = self._store.get('ports', server['ports'][0])
        flavor = seed.flavor(server['flavor'])
        if port is None or flavor is None:
            raise errors.LabError(
                f'the port or the flavor of server {server["id"]} was deleted')
        self._store.update('ports', port['id'], status='ACTIVE')
        return guest_spec.GuestSpec(
            server_id=server['id'],
            instance_id=server['metadata'].get('trove_instance_id', ''),
            name=server['name'], number=server['number'],
            addresses=[self._address(fixed) for fixed in port['fixed_ips']],
            mac=port['mac_address'],
            mtu=seed.MTU, image=server['image'],
            memory_mb=flavor.ram, vcpus=flavor.vcpus)

    def _address(self, fixed: http.Document) -> guest_spec.Address:
        subnet = self._store.get('subnets', fixed['subnet_id']) or {}
        return guest_spec.Address(
            fixed['ip_address'], int(subnet['cidr'].partition('/')[2]),
            subnet['gateway_ip'])

    def _volume(self, entry: http.Document) -> guest_spec.Volume:
        return guest_spec.Volume(entry['id'], entry['device'],
                                 str(self._volumes.file(entry['id'])))

    def _image_folder(self, image_id: str) -> Path:
        if self._images.find(image_id) is None:
            raise errors.LabError(f'Image {image_id} could not be found.')
        return self.home.images / image_id

    def _write_firewall(self, folder: guest_spec.GuestFolder,
                        server: http.Document) -> bool:
        """:returns: whether the rules have changed."""
        rules: list[firewall.Ingress] = []
        for key in server['ports']:
            port = self._store.get('ports', key)
            if port and self.groups:
                rules += self.groups.ingress(port)
        text = firewall.security_groups(rules)
        if (folder.firewall_file.exists()
                and folder.firewall_file.read_text() == text):
            return False
        folder.firewall_file.write_text(text)
        return True

    def _write_userdata(self, folder: guest_spec.GuestFolder,
                        userdata: dict[str, Any] | None) -> None:
        folder.userdata_file.unlink(missing_ok=True)
        descriptor = os.open(folder.userdata_file,
                             os.O_WRONLY | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, 'w') as file:
            json.dump(userdata or {}, file)
