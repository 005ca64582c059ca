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

"""Observes the member periodically, and reports its status to Trove.

The manager uses it.
"""

from collections.abc import Callable
import threading

from oslo_log import log as logging
import oslo_messaging as messaging

from trove.common import cfg

from trove_pxc.guestagent import status as statuses

LOG = logging.getLogger(__name__)
CONF = cfg.CONF

# With an interval of 2 s, a server that hangs is reported after 7 s: 4 s until
# it is observed, and 3 s in which it does not answer.
_SLOWLY = 2


class Reporter:
    """A thread that reports the member, independent of Trove's ticks.

    While the message broker is down it continues to observe the member. When
    the broker is back, it reports the state that is current then.

    :param status: observes the member, and reports changes.
    :param wait: waits so many seconds, or until the member's server ends.
    :param manager: the datastore manager, whose options apply.
    """

    def __init__(self, status: statuses.MemberStatus,
                 wait: Callable[[float], None], manager: str) -> None:
        self._status = status
        self._wait = wait
        self._manager = manager
        self._thread: threading.Thread | None = None
        self._unheard = False

    def keep_on(self) -> None:
        """Start the thread if it does not run, or ended with an error."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()

    def turn(self) -> None:
        """Report once.

        An outage of the broker is logged once, not in every turn.
        """
        try:
            self._status.report_member()
        except messaging.MessagingException as failure:
            if not self._unheard:
                LOG.warning('Cannot report the status of the member now; '
                            'trying again until it succeeds: %s', failure)
            self._unheard = True
        else:
            self._unheard = False

    def _run(self) -> None:
        while True:
            self.turn()
            seconds = CONF[self._manager].status_look_interval
            self._wait(_SLOWLY * seconds if self._status.at_rest else seconds)
