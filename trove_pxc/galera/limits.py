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

"""Which names, hosts and passwords a server takes, and why not others.

Pure. The API asks before a guest is called, and the guest asks again before
any SQL. Each function returns a sentence that names the value and the reason,
or None if a server of that series takes the value. No sentence quotes a
password.

Control characters, which most servers take, are refused too: nobody can
see them in a list, and a name with one cannot be typed.

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
#: characters that take three bytes in the name of a folder; others five
_SHORT = re.compile(
    '[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0241\u0250-\u02af\u0388-\u0481'
    '\u048a-\u050f\u0531-\u0585\u1e00-\u1ef9\u1f00-\u1ffc\u2160-\u217f'
    '\u24b6-\u24e9\uff21-\uff3a\uff41-\uff5a]')


def reserved_user(name: str) -> str | None:
    """Why no request may show, change or drop a user of this name, or None.

    What is not reserved may have a name that could not be made by a request:
    users who can log in make others by SQL.
    """
    if not reserved.is_reserved_user(name):
        return None
    return f'The user {_shown(name)} is reserved for the server or for Trove.'


def reserved_database(name: str) -> str | None:
    """Why no request may drop or take away this database, or None."""
    if not reserved.is_reserved_database(name):
        return None
    return (f'The database {_shown(name)} is reserved for the server or for '
            'Trove.')


def user_name(dialect: Dialect, name: str) -> str | None:
    """Why no user of this name can be made, or None."""
    if name and reserved.is_reserved_user(name):
        return reserved_user(name)
    return _name('user name', name) or _length(
        'user name', name, dialect.longest_user, dialect)


def host(dialect: Dialect, text: str) -> str | None:
    """Why no user can have this host, or None; % and _ are wildcards."""
    for character in text:
        if not '!' <= character <= '~' or character == '@':
            return (f'The host {_shown(text)} holds {character!r}; a host is '
                    'a name, an address or a pattern in printable ASCII '
                    'characters without @ and spaces.')
    if not text:
        return no_host()
    if text.lower() == _GUEST:
        return (f'The host {_shown(text)} is the guest of the member itself, '
                'from where only the server and Trove log in. Name the host '
                'of the clients, or write % for any.')
    return _length('host', text, dialect.longest_host, dialect)


def no_host() -> str:
    """Why a host without a character is none, though servers take it as %."""
    return 'The host is empty; leave it out, or write % for any.'


def database(dialect: Dialect, name: str) -> str | None:
    """Why no database of this name can be made or given, or None."""
    wrong = reserved_database(name) or _name('database name', name) or _length(
        'database name', name, LONGEST_DATABASE, dialect)
    if wrong is None and _folder_bytes(name) > _LONGEST_FOLDER:
        return (f'The name of the folder for the database {_shown(name)} '
                f'would have {_folder_bytes(name)} bytes; the server takes '
                f'up to {_LONGEST_FOLDER}. A character other than a letter, '
                'a digit and _ takes up to five; choose a shorter name.')
    return wrong


def password(text: str) -> str | None:
    """Why this cannot be a password, or None."""
    if not text:
        return 'The password is empty.'
    if len(text) > LONGEST_PASSWORD:
        return (f'The password has {len(text)} characters; up to '
                f'{LONGEST_PASSWORD} are taken.')
    if any(_is_control(character) for character in text.replace('\t', '')):
        return ('The password holds a control character, such as the end of '
                'a line; printable characters and tabs are taken.')
    return None


def word(what: str, text: str) -> str | None:
    """Why this is no name of a character set or collation, or None.

    Which ones there are depends on the server's patch release; the server
    itself refuses those that it does not have.

    :param what: 'character set' or 'collation'.
    """
    if _WORD.fullmatch(text):
        return None
    return (f'The {what} {_shown(text)} does not exist; its name has 1 to '
            '64 letters, digits and _.')


def _name(what: str, name: str) -> str | None:
    """Why this can be the name of nothing, or None."""
    if not name:
        return f'The {what} is empty.'
    if name.endswith(' '):
        return (f'The {what} {_shown(name)} ends with a space, which the '
                'server does not keep.')
    for character in name:
        if _is_control(character) or character > _LAST_CHARACTER:
            return (f'The {what} {_shown(name)} holds {character!a}, which '
                    'names cannot have; leave it out.')
    return None


def _length(what: str, text: str, most: int,
            dialect: Dialect) -> str | None:
    if len(text) <= most:
        return None
    return (f'The {what} {_shown(text)} has {len(text)} characters; '
            f'{dialect.name} takes up to {most}.')


def _folder_bytes(name: str) -> int:
    """The length of the name of the folder that the server makes."""
    return sum(1 if _PLAIN.match(character) else
               3 if _SHORT.match(character) else 5 for character in name)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ('Cc', 'Cs')


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f'{text[:_SHOWN]}...')
