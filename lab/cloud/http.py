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

"""Arguments, results and exceptions of a service's handler.

Every module of ``lab.cloud`` may import it.
"""

from collections.abc import Callable, Mapping
import dataclasses
import datetime
from typing import Any

Document = dict[str, Any]


@dataclasses.dataclass
class Call:
    """One request to one of the services."""

    project: str
    arguments: Mapping[str, str]
    query: Mapping[str, list[str]]
    body: Document
    microversion: tuple[int, int]

    def one(self, name: str) -> str | None:
        """The first value of a query parameter."""
        values = self.query.get(name)
        return values[0] if values else None


@dataclasses.dataclass
class Reply:
    """A status and a JSON body, or none."""

    status: int = 200
    body: Document | None = None


@dataclasses.dataclass(frozen=True)
class Route:
    """A method and a path, with ``<name>`` for its arguments."""

    method: str
    path: str
    handler: Callable[[Call], Reply]


class ApiError(Exception):
    """An error answer.

    :param kind: the name of this class of error in the service
    """

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


def not_found(what: str, name: str) -> ApiError:
    return ApiError(404, 'itemNotFound', f'{what} {name} could not be found.')


def bad_request(message: str) -> ApiError:
    return ApiError(400, 'badRequest', message)


def conflict(message: str) -> ApiError:
    return ApiError(409, 'conflictingRequest', message)


def forbidden(message: str) -> ApiError:
    return ApiError(403, 'forbidden', message)


def now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')


def required(body: Mapping[str, Any], name: str) -> Document:
    """The object of this name, which a request's body must contain."""
    content = body.get(name)
    if not isinstance(content, dict):
        raise bad_request(f"the request's body has no object '{name}'")
    return content
