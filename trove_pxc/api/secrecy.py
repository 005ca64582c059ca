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
"""

from collections.abc import Callable
import json
from typing import Any

import webob
import webob.dec

from trove.common import wsgi

from trove_pxc import masking

MOST_PASSWORDS = 100
#: bytes of a body with passwords
LONGEST_BODY = 262144


class Secrecy:
    """A piece of trove-api's pipeline."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application

    @webob.dec.wsgify(RequestClass=wsgi.Request)
    def __call__(self, request: Any) -> Any:
        passwords = list(masking.passwords_in(_body(request)))
        if not passwords:
            return self._application
        if len(passwords) > MOST_PASSWORDS:
            return _too_much(
                f'The request holds {len(passwords)} passwords; a request '
                f'may hold up to {MOST_PASSWORDS}. Send several requests.')
        if len(request.body) > LONGEST_BODY:
            return _too_much(
                'The body of a request with passwords may have up to '
                f'{LONGEST_BODY} bytes. Send several requests.')
        with masking.hiding(*passwords):
            return request.get_response(self._application)


def _too_much(sentence: str) -> Any:
    """In the form of Trove's faults, as its own limit of requests has it."""
    return webob.Response(status=413, json_body={
        'overLimit': {'code': 413, 'message': sentence}})


def _body(request: Any) -> Any:
    """What the body says; None if it is none that can be read."""
    try:
        return json.loads(request.body) if request.body else None
    except (ValueError, RecursionError):
        return None
