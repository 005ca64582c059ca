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

"""The driver that counts Trove's quotas in this process.

Imported by quotas. Trove makes its engine of quotas when trove.quota.quota
is imported, and takes the driver from [DEFAULT] quota_driver. That option is
the operator's; there is no public way to see which driver was made, nor to
give the engine another one.

If the engine has no such driver any more, Trove's own stays. Then requests
at the same time may count wrong, as in Trove without this package.
"""

from collections.abc import Callable
from typing import Any

from oslo_log import log as logging
from trove.quota import quota

LOG = logging.getLogger(__name__)


def replace_driver(usual: type, make: Callable[[Any], Any]) -> bool:
    """Put another driver in the place of the usual one.

    :param usual: the class of the driver that may be replaced; one of
        another class, which an operator has configured, stays.
    :param make: gives the new driver, for the resources of the engine.
    :returns: whether it was replaced.
    """
    engine = quota.QUOTAS
    try:
        found, resources = engine._driver, engine._resources
    except AttributeError as missing:
        LOG.warning(
            'This release of Trove keeps the driver of quotas elsewhere '
            '(%s). Its own driver counts: requests at the same time may '
            'exceed a quota or lose a count', missing)
        return False
    if type(found) is not usual:
        return False
    engine._driver = make(resources)
    return True
