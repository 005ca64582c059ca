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

"""A route of ours, which can read whatever body comes.

Imported by api/extension, api/instances and api/pipeline. Trove's routes for
instances, clusters and backups are those of every datastore: a route of ours
says which requests concern it. All others go on, as they came, to what
stands behind it.
"""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

from trove.common import base_exception
from trove.common import extensions
from trove.common import wsgi

from trove_pxc.api import ownership
from trove_pxc.compat import middleware
from trove_pxc.protocols import Request

_OFFERED = 'application/json'

#: whether a request, with what its path says, concerns a route of ours
Concerns = Callable[[Request, Mapping[str, str]], bool]


def everything(request: Request, args: Mapping[str, str]) -> bool:
    """For a path that Trove does not have."""
    return True


def members(request: Request, args: Mapping[str, str]) -> bool:
    """The path of an instance: if it is a member of ours, whoever asks."""
    instance_id = args.get('instance_id') or args.get('id')
    return (instance_id is not None
            and ownership.member(request, instance_id) is not None)


def clusters(request: Request, args: Mapping[str, str]) -> bool:
    """The path of a cluster: if it is not one of another package."""
    cluster_id = (args.get('cluster_id') or args.get('instance_id')
                  or args.get('id'))
    return (cluster_id is None
            or not ownership.is_foreign(request, cluster_id))


class Deserializer(wsgi.RequestDeserializer):
    """Trove's, which ends with a 500 on XML and on some that is not JSON."""

    def __init__(self, concerns: Concerns = everything) -> None:
        super().__init__()
        self._concerns = concerns

    def deserialize(self, request: Request) -> Any:
        """The first that Trove does with a request for a route.

        :raises webob.exc.HTTPException: it concerns others; webob has it
            answered by what stands behind.
        """
        if not self._concerns(
                request, self.get_action_args(request.environ)):
            middleware.hand_on(request)
        return super().deserialize(request)

    def deserialize_body(self, request: Request, action: str) -> Any:
        try:
            return super().deserialize_body(request, action)
        except (UnicodeDecodeError, RecursionError) as failure:
            raise base_exception.MalformedRequestBody(
                reason='it cannot be read as JSON') from failure

    def get_body_deserializer(self, content_type: str) -> Any:
        """Trove's reader of XML takes texts, and is given bytes."""
        if content_type != _OFFERED:
            raise base_exception.InvalidContentType(
                content_type=content_type)
        return super().get_body_deserializer(content_type)


class Resource(extensions.ResourceExtension):
    """Trove's, with the deserializer above; its own takes none.

    :param concerns: which requests are ours; all others go on.
    """

    def __init__(self, collection: str, controller: wsgi.Controller,
                 concerns: Concerns = everything, **options: object) -> None:
        super().__init__(collection, controller, **options)
        self.deserializer = Deserializer(concerns)
