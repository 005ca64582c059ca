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

Imported by api/extension and api/pipeline.
"""

from typing import Any

from trove.common import base_exception
from trove.common import extensions
from trove.common import wsgi

_OFFERED = 'application/json'


class Deserializer(wsgi.RequestDeserializer):
    """Trove's, which ends with a 500 on XML and on some that is not JSON."""

    def deserialize_body(self, request: Any, action: Any) -> Any:
        try:
            return super().deserialize_body(request, action)
        except (UnicodeDecodeError, RecursionError) as failure:
            raise base_exception.MalformedRequestBody(
                reason='it cannot be read as JSON') from failure

    def get_body_deserializer(self, content_type: Any) -> Any:
        """Trove's reader of XML takes texts, and is given bytes."""
        if content_type != _OFFERED:
            raise base_exception.InvalidContentType(
                content_type=content_type)
        return super().get_body_deserializer(content_type)


class Resource(extensions.ResourceExtension):
    """Trove's, with the deserializer above; its own takes none."""

    def __init__(self, collection: str, controller: Any,
                 **options: Any) -> None:
        super().__init__(collection, controller, **options)
        self.deserializer = Deserializer()
