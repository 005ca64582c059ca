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

"""What stands behind a route of an API extension in trove-api.

Imported by api/routes. Trove offers extensions to have routes of their own
alone. The first extension with a route answers it, for every datastore; it
cannot pass a request on to the next. Trove's middleware keeps what stands
behind it in the environment of a request, under a name that it does not
document, for a request that matches no route.

If it keeps nothing there any more, our routes answer for all instances by
Trove's controllers, which they are made of.
"""


from oslo_log import log as logging
import webob
import webob.exc

LOG = logging.getLogger(__name__)

_BEHIND = 'extended.app'


def hand_on(request: webob.Request) -> None:
    """Have a request answered by what stands behind, as it came.

    To be called before anything else is done with the request. It returns
    if nothing is known to stand behind.

    :raises webob.exc.HTTPException: webob takes it for the answer.
    """
    application = request.environ.get(_BEHIND)
    if application is None:
        LOG.warning('This release of Trove does not tell what stands behind '
                    'its extensions; this package answers %s %s',
                    request.method, request.path_info)
        return
    raise webob.exc.HTTPException('not of this package', application)
