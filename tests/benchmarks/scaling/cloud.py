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
"""A cloud without guests: servers boot after a time, in memory.

Imported by ``world``. It is the lab's cloud, with the same REST API, so that
Trove uses the real clients of Nova, Neutron, Cinder and Glance. Only what the
lab does with containers, files and loop devices is left out.
"""

import collections
from collections.abc import Callable
import pickle
import threading
from typing import Any

from lab.cloud import http
from lab.cloud import servers
from lab.cloud import store as cloud_store
from lab.cloud import volume
from lab import waiting

#: more than any run needs
LIMITS = dict.fromkeys(
    ('instances', 'cores', 'ram', 'volumes', 'gigabytes', 'ports'), 10 ** 9)


class MemoryStore(cloud_store.Store):
    """The lab's store of documents, in memory."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._kinds: dict[str, dict[str, bytes]] = (
            collections.defaultdict(dict))
        self._counters: dict[str, int] = collections.defaultdict(int)
        self.put('settings', {'id': 'limits', **LIMITS})

    def put(self, kind: str, document: http.Document) -> None:
        with self._lock:
            self._kinds[kind][document['id']] = pickle.dumps(document)

    def get(self, kind: str, key: str) -> http.Document | None:
        with self._lock:
            body = self._kinds[kind].get(key)
        return None if body is None else pickle.loads(body)

    def all(self, kind: str) -> list[http.Document]:
        with self._lock:
            bodies = list(self._kinds[kind].values())
        return [pickle.loads(body) for body in bodies]

    def delete(self, kind: str, key: str) -> None:
        with self._lock:
            self._kinds[kind].pop(key, None)

    def next(self, counter: str) -> int:
        with self._lock:
            self._counters[counter] += 1
            return self._counters[counter]


class Keeper(servers.ServerKeeper):
    """Servers that boot and are deleted.

    :cvar boot_seconds: from the request until a server is ACTIVE
    :ivar booted: called with each server that is ACTIVE
    :ivar gone: called with each server whose deletion begins
    """

    boot_seconds = 10.0

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.booted: Callable[[http.Document], None] = lambda server: None
        self.gone: Callable[[http.Document], None] = lambda server: None

    def running(self, server_id: str) -> bool:
        return True

    def resume(self) -> None:
        """There is nothing to resume: the store is empty at the start."""

    def refresh(self) -> None:
        """Nothing filters the traffic of these servers."""

    def build(self, server_id: str) -> None:
        waiting.pause(self.boot_seconds)
        server = self._store.get('servers', server_id)
        if server is None or server['task_state'] == 'deleting':
            return
        for port in server['ports']:
            self._store.update('ports', port, status='ACTIVE')
        for entry in server['volumes']:
            self._volumes.attached(entry['id'], server_id, entry['device'])
        self._store.update('servers', server_id, vm_state='active',
                           task_state=None, launched_at=http.now(),
                           userdata=None)
        self.booted(server)

    def delete(self, server_id: str) -> None:
        self.gone(self._server(server_id))
        super().delete(server_id)


class Volumes(volume.VolumeService):
    """Volumes without files."""

    def destroy(self, volume_id: str) -> None:
        self._store.delete('volumes', volume_id)

    def _make(self, made: http.Document) -> None:
        self._store.update('volumes', made['id'], status='available')
