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

"""Sends requests to the lab's cloud, from the machine.

Imported by ``lab.cli`` and the end-to-end tests.
"""

from typing import Any

from lab import errors
from lab import home as lab_home
from lab import identity
from lab import netns
from lab import web

_TIMEOUT = 30


def request(home: lab_home.Home, method: str, path: str,
            body: Any = None) -> Any:
    """Send a request; return the body of the answer.

    :raises LabError: the cloud refuses or does not answer
    """
    wanted = web.request(method, f'{home.cloud_url}{path}', body,
                         _token(home))
    with netns.entered(netns.path(home.controller)):
        answer = web.ask(wanted, _TIMEOUT)
    if not answer.good:
        raise errors.LabError(f'{method} {path}: {answer.words}')
    return answer.body


def _token(home: lab_home.Home) -> str | None:
    """The token of an administrator; None in a lab without Keystone."""
    if not home.with_keystone:
        return None
    return identity.login(home, identity.ADMIN).token
