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
"""Asks before the member of a cluster is changed as an instance.

Imported by api/pipeline. A member is an instance of Trove's, with all of
its routes, and Trove's own rules let a reader change it. Here every one of
them passes, whichever controller it leads to.
"""

import re
from typing import Any

import webob.dec
import webob.exc

from trove.common import exception
from trove.common import wsgi

from trove_pxc.api import ownership
from trove_pxc.api import policies
from trove_pxc.protocols import Application
from trove_pxc.protocols import Context
from trove_pxc.protocols import Request

#: of a route's name for a format, as in "ID.json", nothing is kept
_PATH = re.compile(r'/[^/]+/(?P<kind>instances|clusters)/(?P<id>[^/.]+)'
                   r'(?:\.[^/]*)?(?:/(?P<what>[^/.]+))?')
_READING = ('GET', 'HEAD', 'OPTIONS')


class Guard:
    """A piece of trove-api's pipeline, behind the context."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @webob.dec.wsgify(RequestClass=wsgi.Request)
    def __call__(self, request: Request) -> Any:
        try:
            _check(request)
        except exception.PolicyNotAuthorized as refusal:
            return wsgi.Fault(webob.exc.HTTPForbidden(str(refusal)))
        return self._application


def _check(request: Request) -> None:
    found = _PATH.match(request.path_info)
    if not found or not _may_change(request):
        return
    accounts = found['what'] in policies.ACCOUNTS
    if found['kind'] == 'instances':
        owner = _owner_of_member(request, found['id'])
    elif accounts:
        owner = _owner_of_cluster(request, found['id'])
    else:
        return   # the model of the cluster asks
    context: Context = request.environ[wsgi.CONTEXT_KEY]
    # What is another project's Trove does not find.
    if owner is not None and (context.is_admin
                              or owner == context.project_id):
        policies.authorize(
            context, 'accounts' if accounts else 'instance', owner)


def _may_change(request: Request) -> bool:
    """Whether it does more than read, by whatever name of its method.

    The routes take a method from the query, too.
    """
    return request.method not in _READING or '_method' in request.query_string


def _owner_of_member(request: Request, instance_id: str) -> str | None:
    row = ownership.member(request, instance_id)
    return None if row is None else str(row.tenant_id)


def _owner_of_cluster(request: Request, cluster_id: str) -> str | None:
    row = ownership.cluster(request, cluster_id)
    return None if row is None else str(row.tenant_id)
