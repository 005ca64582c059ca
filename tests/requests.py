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
"""Requests that read a cluster, and requests that change it.

For the tests of policies, in functional and e2e.
"""

from typing import Any

Request = tuple[str, str, Any]

_SHOP = {'databases': [{'name': 'shop'}]}
_JOE = {'name': 'joe', 'password': 'a-Pass-word-1'}


def readings(cluster_id: str, member_id: str) -> list[Request]:
    """Every request that reads a cluster or its member."""
    cluster, member = f'/clusters/{cluster_id}', f'/instances/{member_id}'
    return [('GET', path, None) for path in (
        cluster, f'{cluster}/members', f'{cluster}/health',
        f'{cluster}/instances/{member_id}', f'{cluster}/root', member,
        f'{member}/users', f'{member}/databases', f'{member}/root',
        f'{member}/configuration')]


def actions(cluster_id: str, member_id: str,
            network: str) -> list[Request]:
    """Every action of a cluster that this package supports or refuses."""
    return [('POST', f'/clusters/{cluster_id}', {name: body})
            for name, body in (
                ('grow', [{'flavorRef': '1', 'volume': {'size': 1},
                           'nics': [{'network_id': network}]}]),
                ('shrink', [{'id': member_id}]),
                ('restart', None),
                ('restart', {'instance': member_id}),
                ('recover', None),
                ('recover', {'force': member_id}),
                ('resize', {'flavorRef': '2'}),
                ('resize', {'instance': member_id, 'volume': {'size': 2}}),
                ('upgrade', {'datastore_version': 'x'}),
                ('configuration_attach', {'configuration': member_id}),
                ('reset-status', {}),
                ('reset-status', {'force_delete': True}),
                ('rotate_certificates', None),
                ('of_another_package', {}))]


def changes(cluster_id: str, member_id: str, network: str) -> list[Request]:
    """Every request that changes a cluster, directly or by a member."""
    cluster, member = f'/clusters/{cluster_id}', f'/instances/{member_id}'
    return [
        *actions(cluster_id, member_id, network),
        ('POST', f'{cluster}/root', None),
        ('DELETE', f'{cluster}/root', None),
        ('POST', f'{member}/root', None),
        ('DELETE', f'{member}/root', None),
        ('POST', f'{member}/databases', _SHOP),
        ('DELETE', f'{member}/databases/shop', None),
        ('POST', f'{member}/users', {'users': [_JOE]}),
        ('PUT', f'{member}/users', {'users': [_JOE]}),
        ('PUT', f'{member}/users/joe', {'user': {'host': '10.0.0.1'}}),
        ('DELETE', f'{member}/users/joe', None),
        ('PUT', f'{member}/users/joe/databases', _SHOP),
        ('DELETE', f'{member}/users/joe/databases/shop', None),
        ('PUT', member, {'instance': {'name': 'stolen'}}),
        ('PATCH', member, {'instance': {'name': 'stolen'}}),
        ('POST', f'{member}/action', {'restart': {}}),
        ('POST', f'{member}/action', {'reset_status': {}}),
        ('POST', f'{member}/log', {'name': 'general', 'publish': 1}),
        ('DELETE', member, None),
        # The routes accept a method from the query, too.
        ('GET', f'{member}?_method=DELETE', None),
        ('GET', f'{cluster}?_method=DELETE', None),
        ('DELETE', f'{member}.json', None),
        ('DELETE', f'{cluster}.json', None),
        ('DELETE', cluster, None),
    ]
