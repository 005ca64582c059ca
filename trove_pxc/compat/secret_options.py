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

"""Options of Trove that are secrets, but are not marked as secret.

Imported by masking. A service of Trove logs all its options at debug level
when it starts. oslo.config hides the values of options that are marked as
secret. An option is marked when it is created, and oslo.config has no public
way to mark an option of another package later. Trove's options are in the list
trove.common.cfg.common_opts.

If an option is not in the list any more, its value is readable in the log at
debug level.
"""

from collections.abc import Collection
from typing import Any

from oslo_log import log as logging
from trove.common import cfg

LOG = logging.getLogger(__name__)

_PLACE = 'common_opts'


def mark(names: Collection[str]) -> None:
    """Mark these options of [DEFAULT] as secret, in this process."""
    options: list[Any] = getattr(cfg, _PLACE, [])
    found = [option for option in options if option.name in names]
    for option in found:
        option.secret = True
    missing = sorted(set(names) - {option.name for option in found})
    if missing:
        LOG.warning('This release of Trove has moved the options %s. At '
                    'debug level, the log may contain their values',
                    ', '.join(missing))
