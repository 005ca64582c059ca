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

"""An object store in memory, behind the functions of Trove's client.

``remote_swift_client`` names its function. Each token is valid until
expire() is called; a login gives a new one.
"""

from typing import Any

from swiftclient import exceptions

URL = 'http://swift.test/v1/AUTH_demo'


class Swift:
    """The objects of one account: headers by container and name.

    :ivar failure: raised by each request, if it is set.
    :ivar tokens: how many tokens were given.
    :ivar fixed: whether each login gives the same token.
    """

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], dict[str, str]] = {}
        self.failure: Exception | None = None
        self.tokens = 0
        self.fixed = False

    def put(self, location: str, headers: dict[str, str]) -> None:
        """Store an object of this URL."""
        container, name = location.removeprefix(f'{URL}/').split('/', 1)
        self.objects[container, name] = headers


class Client:
    """A connection of swiftclient, as far as it is used."""

    def __init__(self, store: Swift) -> None:
        self._store = store
        self.url, self.token = URL, ''

    def get_auth(self) -> tuple[str, str]:
        self._check()
        self._store.tokens += not (self._store.fixed and self._store.tokens)
        return self.url, f'token-{self._store.tokens}'

    def get_account(self) -> Any:
        self._check()

    def head_object(self, container: str, name: str) -> dict[str, str]:
        self._check()
        try:
            return self._store.objects[container, name]
        except KeyError:
            raise exceptions.ClientException(
                'Object HEAD failed', http_status=404) from None

    def get_container(self, container: str, *, prefix: str,
                      full_listing: bool) -> Any:
        self._check()
        return {}, [{'name': name} for there, name in self._store.objects
                    if there == container and name.startswith(prefix)]

    def delete_object(self, container: str, name: str,
                      query_string: str | None = None) -> None:
        """Delete an object; of a manifest also the segments."""
        self.head_object(container, name)
        for key in list(self._store.objects):
            if key == (container, name) or (
                    query_string and key[0] == container
                    and key[1].startswith(f'{name.split(".")[0]}.')):
                del self._store.objects[key]

    def _check(self) -> None:
        if self._store.failure is not None:
            raise self._store.failure


_CURRENT = [Swift()]


def use(store: Swift) -> None:
    """Set the store of the test that runs."""
    _CURRENT[0] = store


def current() -> Swift:
    return _CURRENT[0]


def client(context: Any, region_name: str | None = None) -> Client:
    """The function for remote_swift_client."""
    return Client(_CURRENT[0])
