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
"""A filter that checks the policy before a member is changed.

Imported by api/pipeline. A member is an instance of Trove with all routes of
instances, and Trove's default policy lets readers change it. Each request
passes this filter, whichever controller handles it.
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

#: ignores the format of a route, as in "ID.json"
_PATH = re.compile(r'/[^/]+/(?P<kind>instances|clusters)/(?P<id>[^/.]+)'
                   r'(?:\.[^/]*)?(?:/(?P<what>[^/.]+))?')
_READING = ('GET', 'HEAD', 'OPTIONS')


class Guard:
    """A filter of trove-api's pipeline, behind the one of the context."""

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
        return   # api/cluster and api/actions check the policy
    context: Context = request.environ[wsgi.CONTEXT_KEY]
    # Trove answers 404 for a member of another project.
    if owner is not None and (context.is_admin
                              or owner == context.project_id):
        policies.authorize(
            context, 'accounts' if accounts else 'instance', owner)


def _may_change(request: Request) -> bool:
    """Whether the request may do more than read.

    Routes also takes the method from the query.
    """
    return request.method not in _READING or '_method' in request.query_string


def _owner_of_member(request: Request, instance_id: str) -> str | None:
    row = ownership.member(request, instance_id)
    return None if row is None else str(row.tenant_id)


def _owner_of_cluster(request: Request, cluster_id: str) -> str | None:
    row = ownership.cluster(request, cluster_id)
    return None if row is None else str(row.tenant_id)
