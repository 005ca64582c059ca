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

"""Routes for the requests that concern this package.

Imported by api/extension, api/instances and api/pipeline. Trove's routes of
instances, clusters and backups are those of all datastores. A route of this
module decides which requests concern this package, and passes all others
unchanged to the next application of the pipeline.
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

#: whether a request, with the arguments of its path, is handled here
Concerns = Callable[[Request, Mapping[str, str]], bool]


def everything(request: Request, args: Mapping[str, str]) -> bool:
    """For a path that Trove does not have."""
    return True


def members(request: Request, args: Mapping[str, str]) -> bool:
    """Whether the path names a member of a cluster of this package."""
    instance_id = args.get('instance_id') or args.get('id')
    return (instance_id is not None
            and ownership.member(request, instance_id) is not None)


def clusters(request: Request, args: Mapping[str, str]) -> bool:
    """Whether the path does not name a cluster of another package."""
    cluster_id = (args.get('cluster_id') or args.get('instance_id')
                  or args.get('id'))
    return (cluster_id is None
            or not ownership.is_foreign(request, cluster_id))


class Deserializer(wsgi.RequestDeserializer):
    """Trove's deserializer, which answers 500 to XML and some other bodies."""

    def __init__(self, concerns: Concerns = everything) -> None:
        super().__init__()
        self._concerns = concerns

    def deserialize(self, request: Request) -> Any:
        """Pass requests of others on. Trove calls this before anything else.

        :raises webob.exc.HTTPException: for requests of others. webob lets the
            next application answer them.
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
        """Refuse XML, because Trove's XML reader fails on bytes."""
        if content_type != _OFFERED:
            raise base_exception.InvalidContentType(
                content_type=content_type)
        return super().get_body_deserializer(content_type)


class Resource(extensions.ResourceExtension):
    """Trove's resource, with the deserializer of this module.

    :param concerns: which requests are handled here. All others are passed on.
    """

    def __init__(self, collection: str, controller: wsgi.Controller,
                 concerns: Concerns = everything, **options: object) -> None:
        super().__init__(collection, controller, **options)
        self.deserializer = Deserializer(concerns)
