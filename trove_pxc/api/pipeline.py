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

"""The filter of this package in trove-api's pipeline.

Named in api-paste.ini as ``paste.filter_factory``, before Trove's extensions.
Trove's extension of users and databases has the same routes. If two extensions
have the same route, the order of the entry points decides, which depends on
the order of files in a directory. A filter before the extensions does not
depend on it. The filter also checks the policy before a member is changed as
an instance.
"""

from collections.abc import Callable
import re
from typing import Any

from trove.common import cfg
from trove.common import extensions
from trove.common import wsgi
import webob.dec

from trove_pxc.api import extension
from trove_pxc.api import guard
from trove_pxc.api import names
from trove_pxc.api import routes
from trove_pxc.api import secrecy
from trove_pxc.api import users
from trove_pxc import conf
from trove_pxc.protocols import Application
from trove_pxc.protocols import Request
from trove_pxc import retries

CONF = cfg.CONF
conf.register(CONF)

#: requests of users of clusters; the client also requests flavors
_OF_CLUSTERS = re.compile(
    r'/[^/]+/(mgmt/)?(clusters|instances|flavors)([/.]|$)')
_INSTANCES = {'member_name': 'instance',
              'collection_name': '{tenant_id}/instances'}
_USERS = {'member_name': 'user',
          'collection_name': '{tenant_id}/instances/:instance_id/users'}


class _Routes:
    """The interface of an extension manager, for Trove's middleware."""

    def get_resources(self) -> list[Any]:
        return [
            routes.Resource(
                'databases', users.DatabasesController(), routes.members,
                parent=_INSTANCES),
            routes.Resource(
                'users', users.UsersController(), routes.members,
                parent=_INSTANCES, member_actions={'update': 'PUT'},
                collection_actions={'update_all': 'PUT'}),
            routes.Resource(
                'databases', users.UserAccessController(), routes.members,
                parent=_USERS, collection_actions={'update': 'PUT'}),
            extension.root_of_clusters(),
            extension.root_of_members(),
        ]

    def get_actions(self) -> list[Any]:
        return []

    def get_request_extensions(self) -> list[Any]:
        return []


class _Repeating:
    """Retries calls to the cloud while a request is answered."""

    def __init__(self, application: Application) -> None:
        self._application = application

    @webob.dec.wsgify(RequestClass=wsgi.Request)
    def __call__(self, request: Request) -> Any:
        if not _OF_CLUSTERS.match(request.path_info):
            return self._application
        with retries.repeated(
                float(CONF[conf.OWN_GROUP].request_retry_timeout)):
            return request.get_response(self._application)


def factory(global_config: dict[str, str],
            **local_config: str) -> Callable[[Application], Application]:
    """Return the filter, for paste.deploy."""
    def front(application: Application) -> Application:
        routed = extensions.TroveExtensionMiddleware(
            application, _Routes())
        return secrecy.Secrecy(names.Names(guard.Guard(
            _Repeating(routed))))
    return front
