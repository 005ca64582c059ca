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
"""Requests of the benchmark to trove-api and to the simulated world.

Imported by ``burst`` and ``rest``. The services are in a network namespace;
a thread enters it for each connection.
"""

import http.client
import json
import time
from typing import Any, NamedTuple

from lab import errors
from lab import home as lab_home
from lab import netns
from lab import web
from tests.benchmarks.scaling import place

PATIENCE = 600


class Timed(NamedTuple):
    """An answer and the seconds that it took."""

    answer: web.Answer
    seconds: float


def ask(home: place.Home, method: str, path: str, body: Any = None) -> Timed:
    """Send a request of the project to trove-api."""
    return _send(home, lab_home.TROVE_PORT, method,
                 f'/v1.0/{lab_home.PROJECT}{path}', body)


def get(home: place.Home, path: str) -> Any:
    """The body of an answer without an error.

    :raises LabError: trove-api refuses
    """
    answer = ask(home, 'GET', path).answer
    if not answer.good:
        raise errors.LabError(
            f'Trove answers {answer.code} to GET {path}: {answer.words}')
    return answer.body


def world(home: place.Home, what: str, **body: Any) -> Any:
    """What the simulated world tells about itself."""
    return _send(home, lab_home.CLOUD_PORT, 'POST', f'/scale/{what}',
                 body).answer.body


def _send(home: place.Home, port: int, method: str, path: str,
          body: Any) -> Timed:
    began = time.monotonic()
    link = http.client.HTTPConnection('127.0.0.1', port, timeout=PATIENCE)
    with netns.entered(netns.path(home.controller)):
        link.connect()
    link.request(
        method, path, None if body is None else json.dumps(body),
        {'Content-Type': 'application/json', 'Connection': 'close'})
    got = link.getresponse()
    text = got.read().decode(errors='replace')
    link.close()
    return Timed(web.Answer(got.status, got.headers, text),
                 time.monotonic() - began)
