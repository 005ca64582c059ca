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

"""Notifications for actions for which Trove has none.

trove-api creates them. Trove sends the name of the class with a message, and
the taskmanager uses it to send the end or the error.
"""

import copy

from trove.common import notification

from trove_pxc.protocols import Context

_OF_REQUEST = ('tenant_id', 'request_id', 'client_ip', 'server_ip',
               'server_type')


def of_member(context: Context) -> Context:
    """Return a context with the notification of a member's creation.

    With the notification of the cluster, Trove would report the start of the
    cluster again for each member, and a guest that is prepared would report
    its end.
    """
    own = copy.copy(context)
    of_cluster = context.notification.payload
    own.notification = notification.DBaaSInstanceCreate(
        own, **{key: of_cluster[key] for key in _OF_REQUEST})
    return own


class ClusterRecover(notification.DBaaSAPINotification):
    """dbaas.cluster_recover.start, .end, .error"""

    def event_type(self) -> str:
        return 'cluster_recover'

    def required_start_traits(self) -> list[str]:
        return ['cluster_id']

    def optional_start_traits(self) -> list[str]:
        return ['instance_id']


class ClusterResizeFlavor(notification.DBaaSAPINotification):
    """dbaas.cluster_resize_flavor.start, .end, .error"""

    def event_type(self) -> str:
        return 'cluster_resize_flavor'

    def required_start_traits(self) -> list[str]:
        return ['cluster_id', 'flavor_id']

    def optional_start_traits(self) -> list[str]:
        return ['instance_ids']


class ClusterResizeVolume(notification.DBaaSAPINotification):
    """dbaas.cluster_resize_volume.start, .end, .error"""

    def event_type(self) -> str:
        return 'cluster_resize_volume'

    def required_start_traits(self) -> list[str]:
        return ['cluster_id', 'new_size']

    def optional_start_traits(self) -> list[str]:
        return ['instance_ids']


class ClusterRotateCertificates(notification.DBaaSAPINotification):
    """dbaas.cluster_rotate_certificates.start, .end, .error"""

    def event_type(self) -> str:
        return 'cluster_rotate_certificates'

    def required_start_traits(self) -> list[str]:
        return ['cluster_id']
