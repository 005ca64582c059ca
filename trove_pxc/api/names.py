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

"""A filter for names of users and databases in the path of a request.

Used by api/pipeline. A name may contain characters that Trove's routes do not
pass on unchanged: a dot, which Routes takes for the suffix of a file; a slash,
which separates parts of a path and which Trove's client does not quote; and
characters outside ASCII. A name may also be "new" or "edit", which are routes.
In paths of members, this filter quotes every byte of a name, so that it is one
part of the path. decoded() restores the name.
"""

import re
from typing import Any
from urllib import parse

import webob
import webob.dec

from trove.common import wsgi

from trove_pxc.api import body
from trove_pxc.api import ownership
from trove_pxc.protocols import Application
from trove_pxc.protocols import Request

_PATH = re.compile(r'(?P<front>/[^/]+/instances/(?P<id>[^/]+)'
                   r'/(?P<kind>users|databases)/)(?P<rest>.+)', re.DOTALL)
_ACCESS = re.compile(r'(?P<user>.+?)/databases(?:/(?P<database>.+)?)?',
                     re.DOTALL)


class Names:
    """A filter of trove-api's pipeline, before the routes."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @webob.dec.wsgify(RequestClass=wsgi.Request)
    def __call__(self, request: Request) -> Any:
        try:
            found = _PATH.fullmatch(request.path_info)
        except UnicodeDecodeError:
            # Trove's error responses read the path, too.
            return _refused('The path of the request is not UTF-8.')
        if found and ownership.member(
                request, found['id']) is not None:
            rest = _as_sent(request, found)
            # Trove stores the name in a fault.
            character = body.unstorable(rest)
            if character:
                return _refused(str(body.refused_character(character, rest)))
            request.environ['PATH_INFO'] = found['front'] + _parts(
                found['kind'], rest)
        return self._application


def _as_sent(request: Request, found: re.Match[str]) -> str:
    """Return the names with all slashes; paste.urlmap merges them.

    Eventlet's server has the path as it was sent. Other servers may not.
    """
    sent = parse.unquote(request.environ.get('RAW_PATH_INFO', ''))
    _, _, rest = sent.partition(f'/instances/{found["id"]}/{found["kind"]}/')
    return rest or found['rest']


def _refused(message: str) -> webob.Response:
    """Return an answer like Trove's for a bad request."""
    return webob.Response(status=400, json_body={
        'badRequest': {'code': 400, 'message': message}})


def decoded(part: str) -> str:
    """Return the name that a part of a path stands for."""
    return parse.unquote(part)


def _parts(kind: str, rest: str) -> str:
    access = kind == 'users' and _ACCESS.fullmatch(rest)
    if not access:
        return _quoted(rest)
    database = access['database']
    return f'{_quoted(access["user"])}/databases' + (
        f'/{_quoted(database)}' if database else '')


def _quoted(name: str) -> str:
    return ''.join(f'%{byte:02X}' for byte in name.encode())
