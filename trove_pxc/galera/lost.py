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

"""What to do about a member whose server or port was deleted in the cloud.

Pure. Imported by api/ and the taskmanager. Neither comes back: the member is
replaced, by commands that need nothing of it.
"""

import shlex

_CLUSTER = 'openstack database cluster'


def replacement(cluster: str, instance_id: str, present: int,
                least: int) -> str:
    """The next action about a member that is lost for good.

    :param cluster: its name.
    :param present: how many members the cluster has with this one.
    :param least: how many it has to keep (min_cluster_member_count).
    """
    remove = _remove(cluster, instance_id)
    if present > least:
        return f'Remove it: {remove}.'
    return (f'Replace it: grow the cluster by one member '
            f'("{_CLUSTER} grow"), then remove this one: {remove}.')


def server_gone(server_id: str) -> str:
    """What happened to a member, after "its"."""
    return (f'server {server_id} is gone: it was deleted in Nova, past '
            'Trove')


def port_gone(name: str) -> str:
    """What happened to a member that serves all the same."""
    return (f'{name} serves, but Neutron has no port of it any more, so its '
            'address may be given to another server')


def without_port(cluster: str, instance_id: str, server_id: str,
                 present: int, least: int) -> str:
    """The next action about a member that serves without a port.

    It must not be told to others. Who may not be removed yet has to stop.
    """
    remove = _remove(cluster, instance_id)
    if present > least:
        return f'Remove it: {remove}.'
    return (f'An operator stops its server ("openstack server stop '
            f'{server_id}"); then grow the cluster by one member '
            f'("{_CLUSTER} grow") and remove this one: {remove}.')


def _remove(cluster: str, instance_id: str) -> str:
    return f'"{_CLUSTER} shrink {shlex.quote(cluster)} {instance_id}"'
