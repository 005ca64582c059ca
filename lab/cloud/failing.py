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

"""Makes a random share of the cloud's answers fail.

The application of ``lab.cloud`` calls ``due`` before it answers. Each request
fails independently, as with a service behind a proxy that restarts. In
contrast, ``faults`` makes one operation fail.
"""

from collections.abc import Callable
import dataclasses
import secrets

from lab.cloud import http
from lab.cloud import store as cloud_store

SERVICES = {'nova': 'compute', 'neutron': 'network', 'cinder': 'volume',
            'glance': 'image'}
ALL = 'all'
#: the request is done, but the answer is too late for the client
TIMEOUT = 'timeout'
#: the request is not done
CODES = ('429', '500', '502', '503', '504')
KINDS = (*CODES, TIMEOUT)
DEFAULT_KINDS = ('500', '503', TIMEOUT)
#: longer than [trove_pxc] cloud_call_timeout in the lab
TIMEOUT_SECONDS = 20
_ID = 'failing'


@dataclasses.dataclass(frozen=True)
class Failure:
    """The failure of one request.

    :ivar kind: one of KINDS.
    """

    kind: str

    @property
    def carried_out(self) -> bool:
        return self.kind == TIMEOUT

    def error(self) -> http.ApiError:
        """The answer; for a time-out, that of a proxy after its time-out."""
        code = 504 if self.kind == TIMEOUT else int(self.kind)
        return http.ApiError(
            code, 'computeFault', 'this failure was requested with '
            '"lab cloud fail"')


class Failing:
    """The configured share of failing answers.

    :param draw: returns a random number from 0 to 1.
    """

    def __init__(self, store: cloud_store.Store,
                 draw: Callable[[], float] = secrets.SystemRandom().random
                 ) -> None:
        self._store = store
        self._draw = draw

    def routes(self) -> list[http.Route]:
        return [http.Route('GET', '/failing', self._show),
                http.Route('PUT', '/failing', self._set)]

    def due(self, service: str) -> Failure | None:
        """The failure of the next request to this service, or None."""
        wanted = self._wanted()
        if service not in wanted['services']:
            return None
        if self._draw() >= wanted['share']:
            return None
        kinds = wanted['kinds']
        chosen = min(int(self._draw() * len(kinds)), len(kinds) - 1)
        return Failure(kinds[chosen])

    def _wanted(self) -> http.Document:
        return self._store.get('settings', _ID) or {
            'id': _ID, 'share': 0.0, 'services': [], 'kinds': []}

    def _show(self, call: http.Call) -> http.Reply:
        wanted = self._wanted()
        del wanted['id']
        return http.Reply(200, {'failing': wanted})

    def _set(self, call: http.Call) -> http.Reply:
        share = call.body.get('share')
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise http.bad_request('share must be a number from 0 to 1')
        service = call.body.get('service', ALL)
        if service not in (*SERVICES, ALL):
            raise http.bad_request(
                f'service must be one of {", ".join((*SERVICES, ALL))}')
        kinds = list(call.body.get('kinds') or DEFAULT_KINDS)
        if not set(kinds) <= set(KINDS):
            raise http.bad_request(
                f'kinds must be some of {", ".join(KINDS)}')
        self._store.put('settings', {
            'id': _ID, 'share': float(share), 'kinds': kinds,
            'services': (list(SERVICES.values()) if service == ALL
                         else [SERVICES[service]])})
        return self._show(call)
