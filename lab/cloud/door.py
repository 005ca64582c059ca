# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.
"""Authenticates requests to the cloud in a lab with Keystone.

For ``lab.cloud.__main__``. Without Keystone, the cloud accepts all requests
for each project.
"""

from collections.abc import Callable, Iterable
import json
from typing import Any

from keystonemiddleware import auth_token

from lab import home as lab_home
from lab import identity

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: paths without authentication, which only the lab uses
OPEN = ('lab', 'healthcheck')


def guarded(home: lab_home.Home, application: Application) -> Application:
    """The application behind Keystone's middleware."""
    with_token = auth_token.AuthProtocol(
        _of_project_alone(application), {
            'auth_type': 'password', 'auth_url': home.identity_url,
            'www_authenticate_uri': home.identity_url,
            'username': identity.CLOUD.name,
            'password': home.secret(identity.CLOUD.secret),
            'project_name': identity.CLOUD.project,
            'user_domain_name': 'Default', 'project_domain_name': 'Default',
            # there is no file with options of the middleware
            'delay_auth_decision': False})

    def front(environ: dict[str, Any],
              start_response: Callable[..., Any]) -> Iterable[bytes]:
        first = environ.get('PATH_INFO', '').lstrip('/').partition('/')[0]
        chosen = application if first in OPEN else with_token
        answer: Iterable[bytes] = chosen(environ, start_response)
        return answer
    return front


def _of_project_alone(application: Application) -> Application:
    """Accept a token for its project, and an administrator's for all."""
    def inner(environ: dict[str, Any],
              start_response: Callable[..., Any]) -> Iterable[bytes]:
        parts = environ.get('PATH_INFO', '').split('/')
        roles = environ.get('HTTP_X_ROLES', '').split(',')
        if (parts[2:3] == [environ.get('HTTP_X_PROJECT_ID')]
                or identity.ADMIN in roles):
            return application(environ, start_response)
        start_response('403 Forbidden',
                       [('Content-Type', 'application/json')])
        return [json.dumps({'forbidden': {
            'code': 403, 'message': 'the token is for another project'}
        }).encode()]
    return inner
