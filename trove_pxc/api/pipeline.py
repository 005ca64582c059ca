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

"""A filter of trove-api's pipeline, before Trove's own extensions.

Named in api-paste.ini as ``paste.filter_factory``. Trove's extension of
users and databases has the same routes, and of two extensions the one that
happens to be found first gets a request: the order of entry points is that
of a folder's files. A filter of its own in front leaves nothing to luck. It
asks the policy as well, before a member is changed as an instance.
"""

from collections.abc import Callable
from typing import Any

from trove.common import extensions

from trove_pxc.api import extension
from trove_pxc.api import guard
from trove_pxc.api import names
from trove_pxc.api import routes
from trove_pxc.api import secrecy
from trove_pxc.api import users

_INSTANCES = {'member_name': 'instance',
              'collection_name': '{tenant_id}/instances'}
_USERS = {'member_name': 'user',
          'collection_name': '{tenant_id}/instances/:instance_id/users'}


class _Routes:
    """What Trove's middleware asks its manager of extensions for."""

    def get_resources(self) -> list[Any]:
        return [
            routes.Resource(
                'databases', users.DatabasesController(), parent=_INSTANCES),
            routes.Resource(
                'users', users.UsersController(), parent=_INSTANCES,
                member_actions={'update': 'PUT'},
                collection_actions={'update_all': 'PUT'}),
            routes.Resource(
                'databases', users.UserAccessController(), parent=_USERS,
                collection_actions={'update': 'PUT'}),
            extension.root_of_clusters(),
            extension.root_of_members(),
        ]

    def get_actions(self) -> list[Any]:
        return []

    def get_request_extensions(self) -> list[Any]:
        return []


def factory(global_config: dict[str, str],
            **local_config: str) -> Callable[[Any], Any]:
    """What paste.deploy calls."""
    def front(application: Any) -> Any:
        routed = extensions.TroveExtensionMiddleware(
            application, _Routes())
        return secrecy.Secrecy(names.Names(guard.Guard(routed)))
    return front
