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

"""Keeps the passwords of a request out of whatever is logged meanwhile.

A filter of api/pipeline, around all that answers a request: Trove's own
lines, those of oslo.messaging and tracebacks may quote a body. Each password
costs time for each line, in proportion to its length, so there is a limit.
Of what concerns none of ours, more than that is left as it is.
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
#: bytes of a body with passwords
LONGEST_BODY = 262144
_PATH = re.compile(r'/[^/]+/(?:clusters\b|instances/(?P<id>[^/.]+))')


class Secrecy:
    """A piece of trove-api's pipeline."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @webob.dec.wsgify(RequestClass=wsgi.Request)
    def __call__(self, request: Request) -> Any:
        passwords = list(masking.passwords_in(request_body.read(request)))
        if not passwords:
            return self._application
        refusal = _refusal(len(passwords), len(request.body))
        if refusal is not None:
            # Whatever others send is answered as without this filter.
            return refusal if _is_ours(request) else self._application
        with masking.hiding(*passwords):
            return request.get_response(self._application)


def _refusal(passwords: int, size: int) -> webob.Response | None:
    """The answer to what is too much to be hidden, or None."""
    if passwords > MOST_PASSWORDS:
        return _too_much(
            f'The request holds {passwords} passwords; a request '
            f'may hold up to {MOST_PASSWORDS}. Send several requests.')
    if size > LONGEST_BODY:
        return _too_much(
            'The body of a request with passwords may have up to '
            f'{LONGEST_BODY} bytes. Send several requests.')
    return None


def _is_ours(request: Request) -> bool:
    """Whether it is for clusters, or behind the address of a member."""
    found = _PATH.match(request.environ['PATH_INFO'])
    return found is not None and (
        found['id'] is None
        or ownership.member(request, found['id']) is not None)


def _too_much(sentence: str) -> webob.Response:
    """In the form of Trove's faults, as its own limit of requests has it."""
    return webob.Response(status=413, json_body={
        'overLimit': {'code': 413, 'message': sentence}})
