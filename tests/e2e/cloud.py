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

"""The cloud of the lab, as its operator and a test use it.

For end-to-end tests: actions of Nova, failures on demand, open ports.
"""

import contextlib

from lab import cloud_api
from lab.guest import control
from lab import home as lab_home


def reboot(home: lab_home.Home, member: str, hard: bool = False) -> None:
    """Reboot a member's server with Nova; it answers before that is done.

    :param hard: like a loss of power, not an orderly shutdown
    """
    server = control.find(home, member).server_id
    cloud_api.request(
        home, 'POST',
        f'/compute/{lab_home.PROJECT}/v2.1/servers/{server}/action',
        {'reboot': {'type': 'HARD' if hard else 'SOFT'}})


@contextlib.contextmanager
def failing(home: lab_home.Home, operation: str, name: str,
            message: str):
    """While the block runs, the next such operation for this name fails."""
    cloud_api.request(home, 'POST', '/lab/faults', {
        'operation': operation, 'name': name, 'message': message})
    try:
        yield
    finally:
        cloud_api.request(home, 'DELETE', '/lab/faults')


@contextlib.contextmanager
def share_failing(home: lab_home.Home, share: float):
    """While the block runs, this share of the cloud's answers fails."""
    cloud_api.request(home, 'PUT', '/lab/failing', {'share': share})
    try:
        yield
    finally:
        cloud_api.request(home, 'PUT', '/lab/failing', {'share': 0})


@contextlib.contextmanager
def everybody_admitted(home: lab_home.Home, instance_id: str, first: int,
                       last: int):
    """While the block runs, ports of an instance are open to the network."""
    network = '/network/demo/v2.0'
    (group,) = cloud_api.request(
        home, 'GET', f'{network}/security-groups?name=trove_sg-{instance_id}'
    )['security_groups']
    rules = f'{network}/security-group-rules'
    rule = cloud_api.request(home, 'POST', rules, {'security_group_rule': {
        'direction': 'ingress', 'ethertype': 'IPv4', 'protocol': 'tcp',
        'security_group_id': group['id'], 'port_range_min': first,
        'port_range_max': last, 'remote_ip_prefix': '0.0.0.0/0'}}
    )['security_group_rule']
    try:
        yield
    finally:
        cloud_api.request(home, 'DELETE', f'{rules}/{rule["id"]}')
