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

"""Nova without servers: flavors, server groups, zones and limits."""

import uuid

from lab.cloud import http
from lab.cloud import seed
from lab.cloud import store as cloud_store
from lab.cloud import views

POLICIES = ('affinity', 'anti-affinity', 'soft-affinity',
            'soft-anti-affinity')


class CatalogService:
    """The small resources of Nova 2.1."""

    def __init__(self, store: cloud_store.Store) -> None:
        self._store = store

    def routes(self) -> list[http.Route]:
        groups = '/v2.1/os-server-groups'
        return [
            http.Route('GET', '/v2.1/flavors', self._flavors),
            http.Route('GET', '/v2.1/flavors/detail', self._flavors),
            http.Route('GET', '/v2.1/flavors/<id>', self._flavor),
            http.Route('GET', '/v2.1/flavors/<id>/os-extra_specs',
                       self._extra_specs),
            http.Route('GET', groups, self._groups),
            http.Route('POST', groups, self._create_group),
            http.Route('GET', f'{groups}/<id>', self._group),
            http.Route('DELETE', f'{groups}/<id>', self._delete_group),
            http.Route('GET', '/v2.1/limits', self._limits),
            http.Route('GET', '/v2.1/os-availability-zone', self._zones),
            http.Route('GET', '/v2.1/os-availability-zone/detail',
                       self._zones),
        ]

    def _flavors(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'flavors': [
            views.flavor(flavor) for flavor in seed.FLAVORS]})

    def _flavor(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'flavor': views.flavor(self._find(call))})

    def _extra_specs(self, call: http.Call) -> http.Reply:
        self._find(call)
        return http.Reply(200, {'extra_specs': {}})

    def _find(self, call: http.Call) -> seed.Flavor:
        flavor = seed.flavor(call.arguments['id'])
        if flavor is None:
            raise http.not_found('Flavor', call.arguments['id'])
        return flavor

    def _groups(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'server_groups': [
            self._view(group, call.microversion)
            for group in self._store.all('server_groups')]})

    def _create_group(self, call: http.Call) -> http.Reply:
        asked = http.required(call.body, 'server_group')
        policy = asked.get('policy') or (asked.get('policies') or [None])[0]
        if policy not in POLICIES:
            raise http.bad_request(
                f'Invalid input for field/attribute policies: {policy}')
        group = {'id': str(uuid.uuid4()), 'name': str(asked.get('name')),
                 'policy': policy, 'project_id': call.project,
                 'user_id': 'admin'}
        self._store.put('server_groups', group)
        return http.Reply(200, {'server_group':
                                self._view(group, call.microversion)})

    def _group(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'server_group': self._view(
            self._find_group(call), call.microversion)})

    def _delete_group(self, call: http.Call) -> http.Reply:
        self._store.delete('server_groups', self._find_group(call)['id'])
        return http.Reply(204)

    def _find_group(self, call: http.Call) -> http.Document:
        group = self._store.get('server_groups', call.arguments['id'])
        if group is None:
            raise http.not_found('Instance group', call.arguments['id'])
        return group

    def _view(self, group: http.Document,
              version: tuple[int, int]) -> http.Document:
        members = [server['id'] for server in self._store.all('servers')
                   if server['group'] == group['id']]
        policy: http.Document = {'policies': [group['policy']],
                                 'metadata': {}}
        if version >= views.POLICY_SINCE:
            policy = {'policy': group['policy'], 'rules': {}}
        return {'id': group['id'], 'name': group['name'],
                'members': members, 'project_id': group['project_id'],
                'user_id': group['user_id'], **policy}

    def _limits(self, call: http.Call) -> http.Reply:
        limits = seed.limits(self._store)
        flavors = [seed.flavor(server['flavor'])
                   for server in self._store.all('servers')]
        return http.Reply(200, {'limits': {'rate': [], 'absolute': {
            'maxTotalInstances': limits['instances'],
            'maxTotalCores': limits['cores'],
            'maxTotalRAMSize': limits['ram'],
            'totalInstancesUsed': len(flavors),
            'totalCoresUsed': sum(flavor.vcpus for flavor in flavors
                                  if flavor),
            'totalRAMUsed': sum(flavor.ram for flavor in flavors
                                if flavor)}}})

    def _zones(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'availabilityZoneInfo': [
            {'zoneName': seed.ZONE, 'zoneState': {'available': True},
             'hosts': None}]})
