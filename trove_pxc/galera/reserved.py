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

"""Names of databases and users that belong to the server or to Trove.

Pure. The API and the guest refuse them in requests, and do not list them.

Sources: MySQL 8.4 manual, 8.2.9 "Reserved accounts" and 11.2.3 "Identifier
case sensitivity"; "Percona XtraDB Cluster 8.0: Restricted accounts";
"Telemetry" (percona.telemetry);
MariaDB's scripts/mariadb_system_tables.sql (mariadb.sys) and "Grant to
PUBLIC" (10.11). The server lists a folder that is not a database as
#mysql50# and its name (MySQL manual, 11.2.4).
"""

#: The prefix of folders whose names are not valid names of databases.
FOLDER_PREFIX = '#mysql50#'

_DATABASES = frozenset({
    'mysql', 'information_schema', 'performance_schema', 'sys', 'ndbinfo',
    'lost+found', 'trove_pxc_probe'})
_USERS = frozenset({
    '', 'root', 'os_admin', 'os_sst', 'mysql', 'public', 'exporter',
    'system user', 'event_scheduler', 'unauthenticated user'})
_USER_PREFIXES = ('mysql.', 'mariadb.', 'percona.')


def is_reserved_database(name: str) -> bool:
    """Whether users cannot create, drop, list or access this database.

    :param name: the plain name, without quotes or escaped wildcards, in
        upper or lower case.
    """
    plain = _comparable(name)
    return plain in _DATABASES or plain.startswith(FOLDER_PREFIX)


def is_reserved_user(name: str) -> bool:
    """Whether an account of this name belongs to the server or to Trove.

    :param name: without the host, in upper or lower case.
    """
    plain = _comparable(name)
    return plain in _USERS or plain.startswith(_USER_PREFIXES)


def _comparable(name: str) -> str:
    """Grant tables ignore spaces at the end of a name (PAD SPACE)."""
    return name.casefold().rstrip(' ')
