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

"""The quota driver of this process.

Imported by quotas. Trove creates its quota engine when trove.quota.quota is
imported, and takes the driver from [DEFAULT] quota_driver. That option belongs
to the operator. There is no public way to read the driver of the engine, or to
replace it.

If the engine has no such attribute, Trove's own driver stays. Then parallel
requests may count wrong, as in Trove without this package.
"""

from collections.abc import Callable
from typing import Any

from oslo_log import log as logging
from trove.quota import quota

LOG = logging.getLogger(__name__)


def replace_driver(usual: type, make: Callable[[Any], Any]) -> bool:
    """Replace the driver of the engine.

    :param usual: the class of the driver to replace. A driver of another
        class, which an operator has configured, stays.
    :param make: returns the new driver, for the resources of the engine.
    :returns: whether it was replaced.
    """
    engine = quota.QUOTAS
    try:
        found, resources = engine._driver, engine._resources
    except AttributeError as missing:
        LOG.warning(
            'The quota engine of this release of Trove has no such driver '
            "(%s). Trove's own driver is used: parallel requests may exceed "
            'a quota or lose a count', missing)
        return False
    if type(found) is not usual:
        return False
    engine._driver = make(resources)
    return True
