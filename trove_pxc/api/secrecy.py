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

"""A filter that masks the passwords of a request in the logs.

Used by api/pipeline, around everything that answers a request: log lines of
Trove and oslo.messaging, and tracebacks, may quote a body. Each password takes
time for each log line, in proportion to its length, so there is a limit.
Requests for other instances that exceed the limit are passed on without
masking.
"""

import re
from typing import Any

import webob
import webob.dec

from trove.common import wsgi

from trove_pxc.api import body as request_body
from trove_pxc.api import ownership
from trove_pxc import masking
from trove_pxc.protocols import Application
from trove_pxc.protocols import Request

MOST_PASSWORDS = 100
#: limit of a body with passwords, in bytes
LONGEST_BODY = 262144
_PATH = re.compile(r'/[^/]+/(?:clusters\b|instances/(?P<id>[^/.]+))')


class Secrecy:
    """A filter of trove-api's pipeline."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @webob.dec.wsgify(RequestClass=wsgi.Request)
    def __call__(self, request: Request) -> Any:
        passwords = list(masking.passwords_in(request_body.read(request)))
        if not passwords:
            return self._application
        refusal = _refusal(len(passwords), len(request.body))
        if refusal is not None:
            # Requests for other instances are answered as without this
            # filter.
            return refusal if _is_ours(request) else self._application
        with masking.hiding(*passwords):
            return request.get_response(self._application)


def _refusal(passwords: int, size: int) -> webob.Response | None:
    """Return the answer to a request that exceeds a limit, or None."""
    if passwords > MOST_PASSWORDS:
        return _too_much(
            f'The request contains {passwords} passwords; the limit is '
            f'{MOST_PASSWORDS}. Send several requests.')
    if size > LONGEST_BODY:
        return _too_much(
            'The body of a request with passwords is limited to '
            f'{LONGEST_BODY} bytes. Send several requests.')
    return None


def _is_ours(request: Request) -> bool:
    """Whether the path is of clusters, or of a member or below it."""
    found = _PATH.match(request.environ['PATH_INFO'])
    return found is not None and (
        found['id'] is None
        or ownership.member(request, found['id']) is not None)


def _too_much(sentence: str) -> webob.Response:
    """Return an answer in the form of Trove's limit of requests."""
    return webob.Response(status=413, json_body={
        'overLimit': {'code': 413, 'message': sentence}})
