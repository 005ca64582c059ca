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

"""The engine with which Trove's agent talks to its server.

Imported by guestagent/app. Trove makes it once, with the password that holds
then, and keeps it in a global variable of its module
(trove.guestagent.datastore.mysql_common.service). No function makes it
again after the password of os_admin has changed.

If Trove keeps it elsewhere, nothing is forgotten: the agent may log in with
the old password until it is started again.
"""

from oslo_log import log as logging
from trove.guestagent.datastore.mysql_common import service

LOG = logging.getLogger(__name__)

_PLACE = 'ENGINE'


def forget() -> None:
    """Have Trove make its next connection with the password of then."""
    try:
        engine = getattr(service, _PLACE)
    except AttributeError as missing:
        LOG.warning('This release of Trove keeps its SQL engine elsewhere '
                    '(%s). Restart the agent if it cannot log in to its '
                    'server', missing)
        return
    if engine is not None:
        engine.dispose()
        setattr(service, _PLACE, None)
