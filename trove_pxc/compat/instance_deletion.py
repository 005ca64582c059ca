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

"""Trove's deletion of an instance, without its resources.

Imported by taskmanager/cloud/cleanup. Trove's delete_async() deletes server,
ports and volumes with its method _delete_resources(), and then the rows. It is
the only function that deletes all rows of an instance. It has no option to
skip the resources, which cleanup has already deleted: Trove's method ignores
errors, and waits for a guest agent that does not exist any more.

If Trove has no such method any more, it looks for the resources again. The
deletion takes longer then, but has the same result.
"""

import datetime
import functools

from oslo_log import log as logging
from trove.taskmanager import models as task_models

LOG = logging.getLogger(__name__)


class Deletion(task_models.FreshInstanceTasks):
    """An instance without resources, which delete_async() deletes."""

    def resources_deleted(self, deleted_at: datetime.datetime) -> None:
        """Called before the rows are deleted.

        :param deleted_at: the time for the rows.
        """
        raise NotImplementedError

    def _delete_resources(self, deleted_at: datetime.datetime) -> None:
        self.resources_deleted(deleted_at)

    def delete_async(self) -> None:
        _look_for_deletion()
        super().delete_async()


@functools.cache
def _look_for_deletion() -> None:
    """Warn once in a process if Trove has no such method."""
    if not hasattr(task_models.FreshInstanceTasks, '_delete_resources'):
        LOG.warning('This release of Trove deletes the resources of an '
                    'instance in another way. It looks for resources of '
                    'members that are already deleted, which takes longer')
