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

"""The volume of a guest in memory; tests.functional.galera has the guest."""

from collections.abc import Callable
from typing import Any

import oslo_messaging as messaging

from trove_pxc.galera import view


class Volumes:
    """The RPC methods of a guest for its volume.

    :ivar mounted: whether its file system is mounted.
    """

    galera: Any
    name: str
    server: view.ServerState
    mounted: bool
    habit: Callable[[str], Any]

    def unmount_volume(self, context: Any, device_path: str,
                       mount_point: str) -> None:
        assert self.server != view.ServerState.RUNNING
        self.galera.tell(f'unmount {self.name}')
        self.mounted = False

    def resize_fs(self, context: Any, device_path: str, mount_point: str,
                  online: bool = False) -> None:
        if self.habit('cannot_grow'):
            raise messaging.RemoteError(
                'GuestError', 'resize2fs: Permission denied')
        self.galera.tell(f'grow {self.name}')

    def mount_volume(self, context: Any, device_path: str,
                     mount_point: str) -> None:
        self.galera.tell(f'mount {self.name}')
        self.mounted = True

    def get_volume_info(self, context: Any) -> dict[str, float]:
        return {'used': 0.1, 'total': 1.0}
