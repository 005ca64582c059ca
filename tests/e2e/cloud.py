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

"""The cloud below Trove, as a test reaches it.

For end-to-end tests: failures on demand.
"""

import contextlib
import json
from typing import Any
import urllib.request

from lab import home as lab_home
from lab import netns

TIMEOUT = 30


@contextlib.contextmanager
def failing(home: lab_home.Home, operation: str, name: str,
            message: str):
    """While the block runs, the next such operation on this name fails."""
    _request(home, 'POST', '/lab/faults', {
        'operation': operation, 'name': name, 'message': message})
    try:
        yield
    finally:
        _request(home, 'DELETE', '/lab/faults')


def _request(home: lab_home.Home, method: str, path: str,
             body: Any = None) -> None:
    request = urllib.request.Request(
        f'{home.cloud_url}{path}', method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={'Content-Type': 'application/json'})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with netns.entered(netns.path(home.controller)):
        with opener.open(request, timeout=TIMEOUT):
            pass
