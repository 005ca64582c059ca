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

"""Server defaults that are the same on all members of a cluster, for life.

Pure. They are chosen when a cluster is created, and stored in the settings of
its members. Members that join later get them from there. With different
values of wsrep_mode, a statement may succeed on one member and fail on
another, which is then evicted (measured on MariaDB 10.11.19).

Sources: "Galera Cluster system variables: wsrep_mode", "Setting character
sets and collations" (mariadb.com/kb); "Server character set and collation"
of the MySQL manuals.
"""

from collections.abc import Mapping
from collections.abc import Sequence

from trove_pxc.galera.dialect import Dialect

Defaults = tuple[tuple[str, str], ...]

CHARACTER_SET = 'character_set_server'
COLLATION = 'collation_server'
MODE = 'wsrep_mode'


def choose(dialect: Dialect, *, collation: str | None,
           mode: Sequence[str] = (),
           group: Mapping[str, object] | None = None) -> Defaults:
    """The defaults of a new cluster, as names and values of variables.

    :param collation: the collation that the operator configured; None for
        the server's default for utf8mb4, '' to set neither collation nor
        character set.
    :param mode: values of wsrep_mode, if the server has this variable.
    :param group: the values of the cluster's configuration group. A server
        does not start if collation and character set do not match, so a
        value that the group does not set follows the one that it sets.
    """
    chosen: list[tuple[str, str]] = []
    said = {name.lower().replace('-', '_'): str(value)
            for name, value in (group or {}).items()}
    wanted = dialect.collation if collation is None else collation
    if CHARACTER_SET not in said:
        following = said.get(COLLATION, wanted)
        if following:
            chosen.append((CHARACTER_SET, character_set(following)))
        if following and COLLATION not in said:
            chosen.append((COLLATION, following))
    if dialect.is_mariadb and mode:
        chosen.append((MODE, ','.join(mode)))
    return tuple(chosen)


def character_set(collation: str) -> str:
    """The character set of a collation: the first part of its name.

    MariaDB has collations without one, for several sets: uca1400_...
    (mariadb.com/kb, "Supported character sets and collations").
    """
    first = collation.partition('_')[0]
    return 'utf8mb4' if first == 'uca1400' else first
