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

"""The names of members, and the member order.

Pure. Every module of trove_pxc may import it.
"""

import collections
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
import re
from typing import TypeVar

Member = TypeVar('Member')

_UNNUMBERED = 2 ** 31
_KEPT = re.compile(r'([1-9][0-9]*)(?:/([1-9][0-9]*))?')
# A dot is not escaped, because it also matches itself.
_SPECIAL = re.compile(r'[\\^$|?*+()\[\]{}]')
_PLAIN_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]{0,63}')


def member_name(cluster_name: str, number: int) -> str:
    """The default name of a member: ``products-1``."""
    return f'{cluster_name}-{number}'


def member_number(cluster_name: str, name: str) -> int | None:
    """The number in a default name; None for other names."""
    found = re.fullmatch(re.escape(cluster_name) + r'-([1-9][0-9]*)', name)
    return int(found.group(1)) if found else None


def server_filter(name: str) -> str:
    """The filter for servers of this name in Nova; it may match others.

    Nova uses it as a regular expression, and answers 400 if it is invalid
    ("List servers" of the Compute API).
    """
    return _SPECIAL.sub(r'\\\g<0>', name)


def kept_as(number: int, last: int) -> str:
    """The text in a member's row: ``2/3`` for the second of three.

    :param last: the number of the last member of the same request.
    """
    return f'{number}/{last}'


def kept_number(text: str | None) -> int | None:
    """The member's number in the text of its row, if it has one."""
    found = _KEPT.fullmatch(text or '')
    return int(found[1]) if found else None


def last_asked(text: str | None) -> int | None:
    """The last number of the member's request, if the text has it."""
    found = _KEPT.fullmatch(text or '')
    return int(found[2]) if found and found[2] else None


def number_of(cluster_name: str, name: str, kept: str | None) -> int | None:
    """A member's number; None if it is unknown after a rename."""
    number = kept_number(kept)
    return member_number(cluster_name, name) if number is None else number


def next_number(cluster_name: str,
                ever: Iterable[tuple[str, str | None]]) -> int:
    """The lowest number above all that were used in a cluster.

    It is also above the number of members: numbers are assigned without
    gaps, and the number of a renamed member may be unknown.

    :param ever: the name of each member that ever existed, and the text in
        its row.
    """
    count = highest = 0
    for name, kept in ever:
        count += 1
        highest = max(highest, kept_number(kept) or 0,
                      member_number(cluster_name, name) or 0)
    return max(count, highest) + 1


def _nothing_kept(member: object) -> None:
    return None


def in_member_order(cluster_name: str, members: Iterable[Member],
                    name: Callable[[Member], str],
                    age: Callable[[Member], tuple[str, str]],
                    kept: Callable[[Member], str | None] = _nothing_kept
                    ) -> list[Member]:
    """The members by number, then those without a number by age.

    The order is numeric: ``c-10`` follows ``c-9``.

    :param name: returns a member's name.
    :param age: returns the sort key for members without a number: the time
        of creation and the id.
    :param kept: returns the text in a member's row, whose number has
        precedence over the one in the name.
    """
    def key(member: Member) -> tuple[int, tuple[str, str]]:
        number = number_of(cluster_name, name(member), kept(member))
        return (_UNNUMBERED if number is None else number, age(member))
    return sorted(members, key=key)


def labels(names: Mapping[str, str]) -> dict[str, str]:
    """The unique labels of members in sentences, by id.

    :param names: the names of all members, by id.
    """
    often = collections.Counter(names.values())
    return {one: name if often[name] == 1 else f'{name} ({one})'
            for one, name in names.items()}


def node_name(name: str, number: int) -> str:
    """The name of the server in the cluster (wsrep_node_name).

    The name of a cluster may contain any character, but donor lists separate
    names by commas, and a line break ends a value in a configuration file.
    """
    return name if _PLAIN_NAME.fullmatch(name) else f'member-{number}'


def wsrep_cluster_name(cluster_id: str) -> str:
    """The cluster's id in hex without dashes: 32 letters."""
    return cluster_id.replace('-', '').lower()


def server_group_name(cluster_id: str) -> str:
    """The name of a cluster's server group (affinity or anti-affinity).

    Trove names the server group of an instance in the same way.
    """
    return f'locality_{cluster_id}'
