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

"""What members are called, and the order that follows from it.

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
# A dot finds itself, too; so ordinary names stay as they are.
_SPECIAL = re.compile(r'[\\^$|?*+()\[\]{}]')
_PLAIN_NAME = re.compile(r'[A-Za-z0-9][A-Za-z0-9._-]{0,63}')


def member_name(cluster_name: str, number: int) -> str:
    """The name that a member gets by itself: ``products-1``."""
    return f'{cluster_name}-{number}'


def member_number(cluster_name: str, name: str) -> int | None:
    """The number in such a name; None for a name of another kind."""
    found = re.fullmatch(re.escape(cluster_name) + r'-([1-9][0-9]*)', name)
    return int(found.group(1)) if found else None


def server_filter(name: str) -> str:
    """What finds the servers of this name, and perhaps others, in Nova.

    Its filter is a regular expression, and one that is none is a 400
    ("List servers" of the Compute API).
    """
    return _SPECIAL.sub(r'\\\g<0>', name)


def kept_as(number: int, last: int) -> str:
    """What a member's row keeps: ``2/3`` for the second of three.

    :param last: the number of the last one that the same request asks for.
    """
    return f'{number}/{last}'


def kept_number(text: str | None) -> int | None:
    """The member's number in what its row keeps, if that is one."""
    found = _KEPT.fullmatch(text or '')
    return int(found[1]) if found else None


def last_asked(text: str | None) -> int | None:
    """The last number of the member's request, if its row keeps that."""
    found = _KEPT.fullmatch(text or '')
    return int(found[2]) if found and found[2] else None


def number_of(cluster_name: str, name: str, kept: str | None) -> int | None:
    """A member's number; None for one that was renamed since."""
    number = kept_number(kept)
    return member_number(cluster_name, name) if number is None else number


def next_number(cluster_name: str,
                ever: Iterable[tuple[str, str | None]]) -> int:
    """The lowest number above all that were used in a cluster.

    Their count is such a number too: numbers are given out without a gap,
    and a member that was renamed does not tell its own any more.

    :param ever: the name of each member that there ever was, and what its
        row keeps of its number.
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
    """The members by number; those without one after them, by age.

    Numbers order as numbers: ``c-10`` follows ``c-9``.

    :param name: gives a member's name.
    :param age: gives what orders members without a number: when it was
        created, and its id.
    :param kept: gives what its row keeps of a member's number, which goes
        before the number in its name.
    """
    def key(member: Member) -> tuple[int, tuple[str, str]]:
        number = number_of(cluster_name, name(member), kept(member))
        return (_UNNUMBERED if number is None else number, age(member))
    return sorted(members, key=key)


def labels(names: Mapping[str, str]) -> dict[str, str]:
    """How sentences name members, by id: no two of them alike.

    :param names: of all members, by id.
    """
    often = collections.Counter(names.values())
    return {one: name if often[name] == 1 else f'{name} ({one})'
            for one, name in names.items()}


def node_name(name: str, number: int) -> str:
    """The name that the server gets in the cluster (wsrep_node_name).

    Users may call a cluster anything, but donor lists separate names by
    commas and a configuration file ends a value at the line's end.
    """
    return name if _PLAIN_NAME.fullmatch(name) else f'member-{number}'


def wsrep_cluster_name(cluster_id: str) -> str:
    """The cluster's id in hex without dashes: 32 letters."""
    return cluster_id.replace('-', '').lower()


def server_group_name(cluster_id: str) -> str:
    """The name of the group that keeps a cluster's servers together or apart.

    Trove names the group of an instance after its id in the same way.
    """
    return f'locality_{cluster_id}'
