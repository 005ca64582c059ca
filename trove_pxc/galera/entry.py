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

"""What a name, host or password must be so that any server can take it.

Pure. The guest checks with it what a request brings, before any SQL. The
limits that differ between versions are the server's own to refuse.
"""

from trove_pxc.galera import errors
from trove_pxc.galera import reserved


def check_user(name: str, host: str) -> None:
    """A user's account that somebody wants to make, show, change or drop.

    :raises trove_pxc.galera.errors.Unusable: it cannot be one.
    """
    _check_name('user', name)
    _check_text('host', host)
    if reserved.is_reserved_user(name):
        raise errors.Unusable(
            f'The user name {name!r} is reserved for the server and Trove.')


def check_database(name: str) -> None:
    """A database that somebody wants to make, drop or reach.

    :raises trove_pxc.galera.errors.Unusable: it cannot be one.
    """
    _check_name('database', name)
    if reserved.is_reserved_database(name):
        raise errors.Unusable(
            f'The database name {name!r} is reserved for the server.')


def check_password(password: str) -> None:
    """The message does not hold it.

    :raises trove_pxc.galera.errors.Unusable: it cannot be one.
    """
    if not isinstance(password, str) or not password:
        raise errors.Unusable('A password must be a text that is not empty.')
    if _unwritable(password):
        raise errors.Unusable(
            'A password must not hold a NUL or half of a surrogate pair.')


def _check_name(kind: str, name: str) -> None:
    _check_text(kind, name)
    if not name:
        raise errors.Unusable(f'The name of a {kind} must not be empty.')
    if name.endswith(' '):
        raise errors.Unusable(
            f'The {kind} name {name!r} must not end with a space, which '
            'grant tables do not compare.')


def _check_text(kind: str, text: str) -> None:
    if not isinstance(text, str):
        raise errors.Unusable(f'The {kind} {text!r} is no text.')
    if _unwritable(text):
        raise errors.Unusable(
            f'The {kind} {ascii(text)} must not hold a NUL or half of a '
            'surrogate pair.')


def _unwritable(text: str) -> bool:
    return any(character == '\0' or '\ud800' <= character <= '\udfff'
               for character in text)
