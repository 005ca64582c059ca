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
"""HTTP requests to the services of a lab, without a proxy.

Every module of the lab may import it. Standard library only, so that it is
fast.
"""

from collections.abc import Mapping
import json
from typing import Any, NamedTuple
import urllib.error
import urllib.request

PATIENCE = 60
FIRST_REFUSAL = 400


class Answer(NamedTuple):
    """The answer to a request, also an error."""

    code: int
    headers: Mapping[str, str]
    text: str

    @property
    def good(self) -> bool:
        return self.code < FIRST_REFUSAL

    @property
    def body(self) -> Any:
        """The body, decoded from JSON; None if it is empty."""
        return json.loads(self.text) if self.text else None

    @property
    def words(self) -> str:
        """The message of an error, from the JSON of OpenStack."""
        try:
            inner = next(iter(self.body.values()))
            return str(inner['message'])
        except (ValueError, KeyError, TypeError, AttributeError,
                StopIteration):
            return self.text.strip()


def request(method: str, url: str, body: Any = None,
            token: str | None = None) -> urllib.request.Request:
    """A request with a JSON body, which is not sent yet."""
    headers = {'Content-Type': 'application/json'}
    if token is not None:
        headers['X-Auth-Token'] = token
    return urllib.request.Request(
        url, method=method, headers=headers,
        data=None if body is None else json.dumps(body).encode())


def ask(wanted: urllib.request.Request, patience: float = PATIENCE) -> Answer:
    """Send a request.

    :param patience: seconds to wait for the answer
    :raises OSError: there is no answer
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(wanted, timeout=patience)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    with answer:
        return Answer(answer.status, answer.headers,
                      answer.read().decode(errors='replace'))
