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

"""The SQL engine of Trove's guest agent.

Imported by guestagent/app. Trove creates it once, with the current password of
os_admin, and stores it in a global variable
(trove.guestagent.datastore.mysql_common.service). There is no function that
replaces it after a change of the password.

If the variable is missing, the engine stays: the agent may log in with the old
password until it is restarted.
"""

from oslo_log import log as logging
from trove.guestagent.datastore.mysql_common import service

LOG = logging.getLogger(__name__)

_PLACE = 'ENGINE'


def forget() -> None:
    """Drop the engine, so that the next connection uses the new password."""
    try:
        engine = getattr(service, _PLACE)
    except AttributeError as missing:
        LOG.warning('This release of Trove has moved its SQL engine (%s). '
                    'Restart the guest agent if it cannot log in to its '
                    'server', missing)
        return
    if engine is not None:
        engine.dispose()
        setattr(service, _PLACE, None)
