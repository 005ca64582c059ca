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

"""The message queues of a guest that is gone.

Imported by removal. A guest's agent makes its queues and so does Trove
before it calls the guest for the first time. Nobody else deletes them.
"""

from oslo_log import log as logging
from trove import rpc

from trove_pxc.compat import rabbit_queues

LOG = logging.getLogger(__name__)


def forget(instance_id: str) -> None:
    """Delete the queues of this instance's guest, if they are there.

    To be called when the server is gone. If the broker does not do it, the
    names are in the log, and the rest is deleted all the same.
    """
    topic = f'guestagent.{instance_id}'
    names = (topic, f'{topic}.{instance_id}')
    try:
        rabbit_queues.delete(rpc.TRANSPORT, names)
    except rabbit_queues.NotDeleted as error:
        LOG.warning('The message queues %s stay in the broker: %s; delete '
                    'them with rabbitmqctl delete_queue',
                    ', '.join(names), error)
