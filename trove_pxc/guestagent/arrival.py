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

"""Waits in the guest until its server is Synced.

The service uses it. The taskmanager would have to ask for reports in short
intervals. Each costs messages and, while the server does not listen, a list
of its processes; here a look for the file of its socket is enough.
"""

import contextlib
import os

from trove_pxc import exceptions
from trove_pxc.guestagent import database
from trove_pxc import waiting

_INTERVAL = 0.1


def wait(socket_path: str, admin: database.Database, seconds: float) -> None:
    """Wait until the server is Synced in a primary component.

    :param socket_path: of the server, which listens only when it has its
        data.
    :param seconds: how long to wait; afterwards the call returns, too.
    """
    def probe() -> None:
        if not os.path.exists(socket_path):
            raise waiting.NotYet('the server does not listen')
        try:
            seen = admin.view()
        except exceptions.ServerNotAnswering as failure:
            raise waiting.NotYet(str(failure)) from failure
        if not (seen.in_primary and seen.is_synced):
            raise waiting.NotYet('the server is not Synced')
    with contextlib.suppress(exceptions.DeadlineExceeded):
        waiting.until('the server to be Synced', probe, seconds, _INTERVAL)
