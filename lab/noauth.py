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

"""A WSGI filter that replaces Keystone's authtoken.

trove-api loads it through the lab's api-paste.ini. It accepts each request for
the project in the URL; the project ``admin`` has the role of an administrator.
It gives each request a token of that project, which the lab's Swift accepts.
"""

from collections.abc import Callable, Iterable
import re
from typing import Any

from cryptography import fernet

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

ADMIN_PROJECT = 'admin'
NAME = re.compile(r'[A-Za-z0-9_-]+')


class ProjectOfUrl:
    """Sets project and user of a request from the first part of the path.

    :param key: the Fernet key of Swift's tokens
    """

    def __init__(self, application: Application, key: str) -> None:
        self._application = application
        self._key = key

    def __call__(self, environ: dict[str, Any],
                 start_response: Callable[..., Any]) -> Iterable[bytes]:
        project = environ.get('PATH_INFO', '').lstrip('/').partition('/')[0]
        is_admin = project == ADMIN_PROJECT
        environ.update({
            'HTTP_X_IDENTITY_STATUS': 'Confirmed',
            'HTTP_X_AUTH_TOKEN': token(self._key, project),
            'HTTP_X_TENANT_ID': project,
            'HTTP_X_PROJECT_ID': project,
            'HTTP_X_USER_ID': project,
            'HTTP_X_ROLE': 'admin' if is_admin else 'member',
            'HTTP_X_ROLES': 'admin' if is_admin else 'member',
        })
        return self._application(environ, start_response)


def token(key: str, project: str) -> str:
    """A token for the project's account, as Swift's tempauth gives it.

    It contains the user's groups, separated by commas, of which the account is
    one. Other names than those of projects get no groups: groups with a dot
    have rights.
    """
    groups = (f'{project},{project}:{project},AUTH_{project}'
              if NAME.fullmatch(project) else '')
    return 'AUTH_ftk' + fernet.Fernet(key).encrypt(groups.encode()).decode()


def factory(global_config: dict[str, str],
            **local_config: str) -> Callable[[Application], ProjectOfUrl]:
    """The factory for paste.deploy."""
    key = local_config['key']
    return lambda application: ProjectOfUrl(application, key)
