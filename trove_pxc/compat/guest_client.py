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

"""Trove's client of a guest, whose calls go through one method.

Imported by guestagent/api. Trove's client has a method for each call of a
guest. All of them use _call(), which logs every result at debug level, and
some results are passwords. Trove has no option against that, and has too many
public methods to override each.

If Trove's methods do not use _call() any more, they work as in Trove without
this package: the log may contain passwords at debug level, and errors of a
guest contain its traceback. Calls of this package do not change.
"""

import functools
from typing import Any

from oslo_log import log as logging
from trove.guestagent import api as guest_api

LOG = logging.getLogger(__name__)


class Client(guest_api.API):
    """Trove's client. A subclass defines how a guest is called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _look_for_call()

    def call_guest(self, method: str, seconds: float, version: str, /,
                   **arguments: object) -> Any:
        """Call a method of the guest and return its answer.

        :param seconds: the time-out.
        :param version: the version of the RPC API that has the method.
        """
        raise NotImplementedError

    def _call(self, method_name: str, timeout_sec: float, version: str,
              **kwargs: object) -> Any:
        return self.call_guest(method_name, timeout_sec, version, **kwargs)


@functools.cache
def _look_for_call() -> None:
    """Warn once in a process if Trove's client has no such method."""
    if not hasattr(guest_api.API, '_call'):
        LOG.warning('This release of Trove calls its guests in another way. '
                    'At debug level, the log may contain passwords in the '
                    'answers of guests')
