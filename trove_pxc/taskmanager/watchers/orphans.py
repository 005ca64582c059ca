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

"""Takes creations of members that waited in a taskmanager that died.

Imported by manager. Such a creation has not begun, and its message is stored,
so it can be created here. One that has begun is not taken; see
cloud/instance_creation.
"""

from collections.abc import Callable

from oslo_log import log as logging
from trove.common import cfg

from trove_pxc import conf
from trove_pxc import queued
from trove_pxc import starts

CONF = cfg.CONF
LOG = logging.getLogger(__name__)


class Orphans:
    """Checks all waiting creations each time that look() is called.

    :param own: the id of this process.
    :param create: called with the message of each creation that is taken.
    """

    def __init__(self, own: str, create: Callable[[str], None]) -> None:
        self._own = own
        self._create = create
        self._watched = queued.Watched()

    def look(self) -> None:
        """Take the creations whose taskmanagers have died."""
        lease = max(float(CONF[manager].operation_lease)
                    for manager in conf.MANAGERS)
        found = {instance_id: start
                 for instance_id, start in queued.creations().items()
                 if start.place and start.place.process != self._own}
        self._watched.look({start.place.process for start in found.values()
                            if start.place})
        for instance_id, start in found.items():
            assert start.place is not None
            if self._watched.is_silent(start.place.process, lease):
                self._take(instance_id, start, lease)

    def _take(self, instance_id: str, start: starts.Start,
              lease: float) -> None:
        """Take a creation, unless another taskmanager was faster."""
        if not int(start.request):
            return      # without a message; its operation reports it
        message = queued.leave(instance_id, start)
        if message is None:
            return
        LOG.warning('The creation of instance %s: the taskmanager on %s, in '
                    'which it waited, showed no life for %g s; creating it '
                    'on this host', instance_id, start.host, lease)
        self._create(message)
