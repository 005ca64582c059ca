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

"""Faults for tests: the next operations of a kind fail.

The services of ``lab.cloud`` call ``check`` before they do their work.
"""

from lab.cloud import http
from lab.cloud import seed
from lab.cloud import store as cloud_store

OPERATIONS = ('server-create', 'server-boot', 'server-delete',
              'volume-create', 'port-create')
DEFAULT_MESSAGE = 'this failure was requested with POST /lab/faults'


class Faults:
    """The pending faults, and the limits of the cloud."""

    def __init__(self, store: cloud_store.Store) -> None:
        self._store = store

    def routes(self) -> list[http.Route]:
        return [
            http.Route('GET', '/faults', self._list),
            http.Route('POST', '/faults', self._add),
            http.Route('DELETE', '/faults', self._clear),
            http.Route('GET', '/limits', self._show_limits),
            http.Route('PUT', '/limits', self._set_limits),
        ]

    def take(self, operation: str, name: str = '') -> str | None:
        """The message of the fault for this operation, or None.

        :param name: of the server or volume; a fault may be for only one
        """
        with self._store.exclusive():
            for fault in self._store.all('faults'):
                if fault['operation'] != operation:
                    continue
                if fault['name'] and fault['name'] != name:
                    continue
                fault['times'] -= 1
                if fault['times'] > 0:
                    self._store.put('faults', fault)
                else:
                    self._store.delete('faults', fault['id'])
                return str(fault['message'])
        return None

    def _list(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'faults': self._store.all('faults')})

    def _add(self, call: http.Call) -> http.Reply:
        operation = call.body.get('operation')
        if operation not in OPERATIONS:
            raise http.bad_request(
                f'operation must be one of {", ".join(OPERATIONS)}')
        self._store.put('faults', {
            'id': str(self._store.next('fault')), 'operation': operation,
            'times': int(call.body.get('times', 1)),
            'name': str(call.body.get('name', '')),
            'message': str(call.body.get('message', DEFAULT_MESSAGE))})
        return self._list(call)

    def _clear(self, call: http.Call) -> http.Reply:
        for fault in self._store.all('faults'):
            self._store.delete('faults', fault['id'])
        return http.Reply(204)

    def _show_limits(self, call: http.Call) -> http.Reply:
        return http.Reply(200, {'limits': seed.limits(self._store)})

    def _set_limits(self, call: http.Call) -> http.Reply:
        unknown = set(call.body) - set(seed.LIMITS)
        if unknown:
            raise http.bad_request(
                f'unknown limit {", ".join(sorted(unknown))}; the limits are '
                + ', '.join(seed.LIMITS))
        limits = {**seed.limits(self._store), **call.body}
        self._store.put('settings', {'id': 'limits', **limits})
        return self._show_limits(call)
