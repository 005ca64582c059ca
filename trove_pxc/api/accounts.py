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

"""Users and databases, converted from a request to the form of the guest.

Imported by api/users and api/root. Trove's own models refuse names that the
servers accept, and accept names that the servers refuse. Therefore
galera/limits decides, for the version of the member's server. A value that is
not possible is answered with 400, which has the value and the reason. The
guest is not called then.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import NotRequired
from typing import TypedDict

from trove.common.db import models as guest_models
from trove.common import exception

from trove_pxc.api.schemas import Schema
from trove_pxc.api import validation
from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera import limits
from trove_pxc.protocols import GuestDatabase
from trove_pxc.protocols import GuestUser
from trove_pxc.protocols import UserChange

ANY_HOST = '%'
#: limit of users or databases in one request
MOST = 100


class Named(TypedDict):
    name: str


class Database(Named):
    character_set: NotRequired[str]
    collate: NotRequired[str]


class User(Named):
    password: str
    host: NotRequired[str]
    databases: NotRequired[list[Named]]


class Users(TypedDict):
    """The body of a request, as the next types."""

    users: list[User]


class ChangedUser(TypedDict):
    user: UserChange


class Databases(TypedDict):
    databases: list[Database]


class Grant(TypedDict):
    databases: list[Named]


class Root(TypedDict):
    password: NotRequired[str]


_TEXT = {'type': 'string'}


def _object(required: Sequence[str] = (), **properties: object) -> Schema:
    """A schema of an object without other keys."""
    return {'type': 'object', 'required': list(required),
            'additionalProperties': False, 'properties': properties}


def _list(of: Schema) -> Schema:
    """A schema of a list. Each element costs at least one statement."""
    return {'type': 'array', 'minItems': 1, 'maxItems': MOST, 'items': of}


_ACCESS = _list(_object(['name'], name=_TEXT))
CREATE_USERS = _object(['users'], users=_list(_object(
    ['name', 'password'], name=_TEXT, password=_TEXT, host=_TEXT,
    databases={**_ACCESS, 'minItems': 0})))
CHANGE_PASSWORDS = _object(['users'], users=_list(_object(
    ['name', 'password'], name=_TEXT, password=_TEXT, host=_TEXT)))
CHANGE_USER = _object(['user'], user={
    **_object(name=_TEXT, password=_TEXT, host=_TEXT), 'minProperties': 1})
GRANT = _object(['databases'], databases=_ACCESS)
CREATE_DATABASES = _object(['databases'], databases=_list(_object(
    ['name'], name=_TEXT, character_set=_TEXT, collate=_TEXT)))
ENABLE_ROOT = _object(password=_TEXT)


def users(dialect: Dialect, described: Sequence[User]) -> list[GuestUser]:
    """Convert the users of a request to the form of the guest.

    :raises trove.common.exception.TroveError: for the first value that the
        server would refuse.
    """
    made: list[GuestUser] = []
    known = set()
    for one in described:
        name, host = one['name'], host_of(one)
        check_user(dialect, name, host)
        check_password(one['password'])
        if (name, host) in known:
            raise exception.DatabaseInitialUserDuplicateError()
        known.add((name, host))
        made.append(_user(name, host, one['password'], granted(
            dialect, one.get('databases', ()))))
    return made


def databases(dialect: Dialect,
              described: Sequence[Database]) -> list[GuestDatabase]:
    """Convert the databases of a request to the form of the guest.

    :raises trove.common.exception.TroveError: as users().
    """
    made: dict[str, GuestDatabase] = {}
    for one in described:
        name = one['name']
        _check(limits.database(dialect, name))
        if name in made:
            raise exception.DatabaseInitialDatabaseDuplicateError()
        schema = guest_models.DatastoreSchema(name=name)
        for what, key, text in (
                ('character set', 'character_set', one.get('character_set')),
                ('collation', 'collate', one.get('collate'))):
            if text is not None:
                _check(limits.word(what, text))
                setattr(schema, key, text)
        made[name] = schema.serialize()
    return list(made.values())


def granted(dialect: Dialect, described: Sequence[Named]) -> list[str]:
    """Return the names of the databases to grant, without duplicates.

    :raises trove.common.exception.TroveError: as users().
    """
    names = list(dict.fromkeys(one['name'] for one in described))
    for name in names:
        _check(limits.database(dialect, name))
    return names


def host_of(described: Mapping[str, object]) -> str:
    """Return the host of a user in lower case, as servers store it.

    :raises trove.common.exception.BadRequest: if it is empty.
    """
    host = str(described.get('host', ANY_HOST)).lower()
    _check(None if host else limits.no_host())
    return host


def check_user(dialect: Dialect, name: str, host: str) -> None:
    """:raises trove.common.exception.BadRequest: if it is not possible."""
    _check(limits.user_name(dialect, name) or limits.host(dialect, host))


def check_password(password: str) -> None:
    """:raises trove.common.exception.BadRequest: if it is not possible."""
    _check(limits.password(password))


def check_database_not_reserved(name: str) -> None:
    """:raises trove.common.exception.BadRequest: if it is reserved."""
    _check(limits.reserved_database(name))


def check_user_not_reserved(name: str) -> None:
    """:raises trove.common.exception.BadRequest: if it is reserved."""
    _check(limits.reserved_user(name))


def named(text: str) -> list[tuple[str, str]]:
    """Return the possible users of a path, as name and host.

    The most likely one comes first. A name may contain @: "a@b" is the user
    "a" of the host "b", or the user "a@b" of any host.
    """
    name, at, host = text.rpartition('@')
    found = [(name, host.lower())] if at and name and host else []
    return [*found, (text, ANY_HOST)]


def _user(name: str, host: str, password: str | None = None,
          databases: Sequence[str] = ()) -> GuestUser:
    made: GuestUser = guest_models.DatastoreUser(
        name=name, host=host, password=password,
        databases=list(databases)).serialize()
    return made


def to_delete(name: str, host: str) -> GuestUser:
    """Return a user in the form for delete_user of the guest."""
    return _user(name, host)


def database_to_delete(name: str) -> GuestDatabase:
    """Return a database in the form for delete_database of the guest."""
    made: GuestDatabase = guest_models.DatastoreSchema(name=name).serialize()
    return made


def _check(sentence: str | None) -> None:
    if sentence is not None:
        raise validation.refused(sentence)
