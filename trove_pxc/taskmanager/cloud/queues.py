# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Deletes the message queues of a removed guest.

Imported by cleanup. The agent of a guest creates its queues, and Trove does
so before its first call to the guest. Trove does not delete them.
"""

from oslo_log import log as logging
from trove import rpc

from trove_pxc.compat import rabbit_queues

LOG = logging.getLogger(__name__)


def forget(instance_id: str) -> None:
    """Delete the queues of the guest of an instance, if they exist.

    To be called when the server is gone. If the broker does not delete them,
    their names are logged, and the deletion of the instance goes on.
    """
    topic = f'guestagent.{instance_id}'
    names = (topic, f'{topic}.{instance_id}')
    try:
        rabbit_queues.delete(rpc.TRANSPORT, names)
    except rabbit_queues.NotDeleted as error:
        LOG.warning('The message queues %s could not be deleted: %s; delete '
                    'them with rabbitmqctl delete_queue',
                    ', '.join(names), error)
