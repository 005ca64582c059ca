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

"""Chooses the address of a member: IPv4 if it has one, else IPv6.

Pure. Every module of trove_pxc may import it.

All members of a cluster use one version of the Internet Protocol for group
communication, state transfers and SQL. A member whose port has addresses of
both uses IPv4:

- Trove itself stores no other address of such an instance
  (load_simple_instance_addresses in trove/instance/models.py, Trove 26).
- Clusters that an older version of this package created on a network with both
  use IPv4. New members must use the same version.
- The SST scripts of all server versions support IPv4. IPv6 needs newer ones.

To use IPv6 on such a network, name its IPv6 subnet in the request.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import ipaddress

from trove_pxc.galera.series import Dialect

IPV6 = 6


def version(address: str) -> int:
    """4 or 6.

    :raises ValueError: if it is not an address.
    """
    return ipaddress.ip_address(address).version


def preferred(versions: Iterable[int]) -> int | None:
    """The version for a member with addresses of these versions."""
    return min(versions, default=None)


def usable(addresses: Iterable[str | None]) -> tuple[str, ...]:
    """The addresses of a port with the version of its member, in order.

    The first one is the address of the member. Invalid and link-local
    addresses (fe80::) are ignored.
    """
    known = [one for one in map(_parsed, addresses)
             if one is not None and not one.is_link_local]
    used = preferred(one.version for one in known)
    return tuple(str(one) for one in known if one.version == used)


def as_host(address: str) -> str:
    """The address as the host of a URL, for Galera and the SST scripts.

    An IPv6 address is in brackets (galera issues 338 and 534;
    wsrep_sst_common of MariaDB 10.6 and of PXC 5.7, later ones too).
    """
    return f'[{address}]' if version(address) == IPV6 else address


def rule(address: str) -> tuple[str, str]:
    """Ethertype and prefix of a security group rule for this address."""
    network = ipaddress.ip_network(address)
    return f'IPv{network.version}', str(network)


def refusal(dialect: Dialect, versions: Mapping[str, int]) -> str | None:
    """Why members with these versions cannot form a cluster, or None.

    :param versions: by the label of the member in a sentence.
    """
    if len(set(versions.values())) > 1:
        told = ', '.join(f'{name} IPv{one}'
                         for name, one in sorted(versions.items()))
        return ('All members of a cluster must use the same version of the '
                f'Internet Protocol, but these would not: {told}. For each '
                'new member, name a network or subnet with the version of '
                'the others.')
    if IPV6 in versions.values() and not dialect.takes_ipv6:
        return (f'{dialect.name} cannot use IPv6: its state transfer scripts '
                'cannot parse the addresses. Name a network or subnet '
                'with IPv4, or use a newer version.')
    return None


def _parsed(address: str | None
            ) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address or '')
    except ValueError:
        return None
