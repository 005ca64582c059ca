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

"""Checks names, hosts and passwords of users and databases.

Pure. The API checks before it calls a guest, and the guest checks again before
any SQL. Each function returns a sentence with the value and the reason, or
None if a server of that series accepts the value. No sentence contains a
password.

Control characters are refused, too, although most servers accept them: they
are invisible in lists, and cannot be typed.

Sources: MySQL 8.4 manual, 11.2 "Schema object names", 11.2.4 "Mapping of
identifiers to file names", 8.2.4 "Specifying account names"; measured with
MariaDB 10.11: spaces at the end of a user's name are dropped, a database's
name may not end with one (error 1102), a host may not hold @ (error 1105),
a database whose folder's name is longer than 255 bytes cannot be made
(error 13).
"""

import re
import unicodedata

from trove_pxc.galera import reserved
from trove_pxc.galera.series import Dialect

LONGEST_DATABASE = 64
LONGEST_PASSWORD = 255

_LONGEST_FOLDER = 255           # bytes, of Linux's file systems
_LAST_CHARACTER = '\uffff'      # names are utf8mb3
_SHOWN = 80
_GUEST = 'localhost'            # its users are not listed, as in Trove
_WORD = re.compile(r'[A-Za-z0-9_]{1,64}')
_PLAIN = re.compile(r'[A-Za-z0-9_]')
#: Characters with three bytes in the name of a folder; others have five.
_SHORT = re.compile(
    '[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0241\u0250-\u02af\u0388-\u0481'
    '\u048a-\u050f\u0531-\u0585\u1e00-\u1ef9\u1f00-\u1ffc\u2160-\u217f'
    '\u24b6-\u24e9\uff21-\uff3a\uff41-\uff5a]')


def reserved_user(name: str) -> str | None:
    """Why requests cannot show, change or drop this user, or None.

    Users with other names that a request could not create are allowed,
    because users can create them by SQL.
    """
    if not reserved.is_reserved_user(name):
        return None
    return f'The user {_shown(name)} is reserved for the server or for Trove.'


def reserved_database(name: str) -> str | None:
    """Why requests cannot drop or revoke this database, or None."""
    if not reserved.is_reserved_database(name):
        return None
    return (f'The database {_shown(name)} is reserved for the server or for '
            'Trove.')


def user_name(dialect: Dialect, name: str) -> str | None:
    """Why a user of this name cannot be created, or None."""
    if name and reserved.is_reserved_user(name):
        return reserved_user(name)
    return _name('user name', name) or _length(
        'user name', name, dialect.longest_user, dialect)


def host(dialect: Dialect, text: str) -> str | None:
    """Why a user cannot have this host, or None; % and _ are wildcards."""
    for character in text:
        if not '!' <= character <= '~' or character == '@':
            return (f'The host {_shown(text)} contains {character!r}; a host '
                    'is a name, an address or a pattern in printable ASCII '
                    'characters without @ and spaces.')
    if not text:
        return no_host()
    if text.lower() == _GUEST:
        return (f'The host {_shown(text)} is the guest of the member itself, '
                'from which only the server and Trove log in. Name the host '
                'of the clients, or use % for any host.')
    return _length('host', text, dialect.longest_host, dialect)


def no_host() -> str:
    """Why an empty host is refused, although servers treat it as %."""
    return 'The host is empty; omit it, or use % for any host.'


def database(dialect: Dialect, name: str) -> str | None:
    """Why a database of this name cannot be created or granted, or None."""
    wrong = reserved_database(name) or _name('database name', name) or _length(
        'database name', name, LONGEST_DATABASE, dialect)
    if wrong is None and _folder_bytes(name) > _LONGEST_FOLDER:
        return (f'The name of the folder for the database {_shown(name)} '
                f'would have {_folder_bytes(name)} bytes; the limit is '
                f'{_LONGEST_FOLDER}. A character other than a letter, a '
                'digit and _ takes up to five; choose a shorter name.')
    return wrong


def password(text: str) -> str | None:
    """Why this password is refused, or None."""
    if not text:
        return 'The password is empty.'
    if len(text) > LONGEST_PASSWORD:
        return (f'The password has {len(text)} characters; the limit is '
                f'{LONGEST_PASSWORD}.')
    if any(_is_control(character) for character in text.replace('\t', '')):
        return ('The password contains a control character, for example a '
                'line break; use printable characters and tabs only.')
    return None


def word(what: str, text: str) -> str | None:
    """Why this is not a name of a character set or collation, or None.

    The available ones depend on the patch release of the server, which
    refuses those that it does not have.

    :param what: 'character set' or 'collation'.
    """
    if _WORD.fullmatch(text):
        return None
    return (f'The {what} {_shown(text)} does not exist; a name has 1 to 64 '
            'letters, digits and _.')


def _name(what: str, name: str) -> str | None:
    """Why this is not a valid name, or None."""
    if not name:
        return f'The {what} is empty.'
    if name.endswith(' '):
        return (f'The {what} {_shown(name)} ends with a space, which the '
                'server does not keep.')
    for character in name:
        if _is_control(character) or character > _LAST_CHARACTER:
            return (f'The {what} {_shown(name)} contains {character!a}, '
                    'which is not allowed in names; remove it.')
    return None


def _length(what: str, text: str, most: int,
            dialect: Dialect) -> str | None:
    if len(text) <= most:
        return None
    return (f'The {what} {_shown(text)} has {len(text)} characters; '
            f'the limit of {dialect.name} is {most}.')


def _folder_bytes(name: str) -> int:
    """The length of the folder name of a database, in bytes."""
    return sum(1 if _PLAIN.match(character) else
               3 if _SHORT.match(character) else 5 for character in name)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ('Cc', 'Cs')


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f'{text[:_SHOWN]}...')
