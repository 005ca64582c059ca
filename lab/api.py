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
"""The client of Trove's REST API for the lab's commands.

Imported by ``lab.status``, ``lab.members`` and ``lab.demo``. Standard
library only, so that it is fast.
"""

from typing import Any
import urllib.request

from lab import errors
from lab import home as lab_home
from lab import identity
from lab import web

Record = dict[str, Any]
NOT_FOUND = 404


class NotThere(errors.LabError):
    """Trove answers 404: the resource does not exist, or was deleted."""


def get(home: lab_home.Home, path: str) -> Record:
    """The answer to a GET request.

    :param path: below the project's path
    :raises LabError: the API refuses or does not answer; with its message
    """
    try:
        answer = web.ask(request(home, 'GET', path))
    except OSError as error:
        raise errors.LabError(
            f'Trove does not answer at {home.api_url} ({error}); '
            f'check "lab status"') from error
    if not answer.good:
        kind = NotThere if answer.code == NOT_FOUND else errors.LabError
        raise kind(
            f'Trove answers {answer.code} to GET {path}: {answer.words}')
    return dict(answer.body)


def request(home: lab_home.Home, method: str, path: str,
            body: Any = None,
            who: str = lab_home.PROJECT) -> urllib.request.Request:
    """Send a request of a project.

    :param path: below the project's path
    :param who: a project; with Keystone a user of one
    """
    project, token = who, None
    if home.with_keystone:
        token, project = identity.login(home, who)
    return web.request(
        method, f'http://127.0.0.1:{home.api_port}/v1.0/{project}{path}',
        body, token)


def clusters(home: lab_home.Home) -> list[Record]:
    """All clusters, without the details of their members."""
    return list(get(home, '/clusters?limit=100')['clusters'])


def cluster(home: lab_home.Home, cluster_id: str) -> Record:
    return dict(get(home, f'/clusters/{cluster_id}')['cluster'])


def instance(home: lab_home.Home, instance_id: str) -> Record:
    return dict(get(home, f'/instances/{instance_id}')['instance'])


def addresses(record: Record) -> list[str]:
    """The addresses of an instance or a member, which differ in format."""
    return [entry['address'] if isinstance(entry, dict) else str(entry)
            for entry in record.get('ip') or record.get('addresses') or []]
