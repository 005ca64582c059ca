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

"""The next application of trove-api's pipeline behind an extension.

Imported by api/routes. The first extension with a route answers a request, for
every datastore. It cannot pass the request to the next one. For requests that
match no route, Trove's middleware stores the next application in the
environment of the request, under a name that is not documented.

If the name is missing, the routes of this package answer requests for all
instances with Trove's controllers, on which they are based.
"""

from oslo_log import log as logging
import webob
import webob.exc

LOG = logging.getLogger(__name__)

_BEHIND = 'extended.app'


def hand_on(request: webob.Request) -> None:
    """Pass a request unchanged to the next application.

    Must be called before anything else is done with the request. Returns if
    the next application is unknown.

    :raises webob.exc.HTTPException: webob uses it as the answer.
    """
    application = request.environ.get(_BEHIND)
    if application is None:
        LOG.warning('This release of Trove does not store the application '
                    'behind its extensions. This package answers %s %s',
                    request.method, request.path_info)
        return
    raise webob.exc.HTTPException('not of this package', application)
