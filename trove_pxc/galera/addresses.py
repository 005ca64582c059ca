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

"""Which address of a member its cluster uses: IPv4, or else IPv6.

Pure. Every module of trove_pxc may import it.

All members of a cluster use one version of the Internet Protocol for group
communication, state transfers and SQL. A member whose port has addresses of
both uses IPv4:

- Trove itself knows no other address of such an instance
  (load_simple_instance_addresses in trove/instance/models.py, Trove 26).
- Clusters that an older version of this package made on a network with both
  use IPv4. New members have to go with them.
- The SST scripts of all server versions understand it. IPv6 needs newer ones.

Who wants IPv6 on such a network names its IPv6 subnet.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import ipaddress

from trove_pxc.galera.series import Dialect

IPV6 = 6


def version(address: str) -> int:
    """4 or 6.

    :raises ValueError: if it is no address.
    """
    return ipaddress.ip_address(address).version


def preferred(versions: Iterable[int]) -> int | None:
    """The one that a member with addresses of these versions uses."""
    return min(versions, default=None)


def usable(addresses: Iterable[str | None]) -> tuple[str, ...]:
    """A port's addresses of the version that its member uses, in order.

    The first one is the member's. What is no address does not count, nor
    does one that is valid on its link alone (fe80::).
    """
    known = [one for one in map(_parsed, addresses)
             if one is not None and not one.is_link_local]
    used = preferred(one.version for one in known)
    return tuple(str(one) for one in known if one.version == used)


def as_host(address: str) -> str:
    """As the host of a URL, and as Galera and the SST scripts want it.

    An IPv6 address stands in brackets (galera issues 338 and 534;
    wsrep_sst_common of MariaDB 10.6 and of PXC 5.7, later ones too).
    """
    return f'[{address}]' if version(address) == IPV6 else address


def rule(address: str) -> tuple[str, str]:
    """Ethertype and prefix of a security group rule for this address."""
    network = ipaddress.ip_network(address)
    return f'IPv{network.version}', str(network)


def refusal(dialect: Dialect, versions: Mapping[str, int]) -> str | None:
    """Why members with these versions cannot be one cluster, or None.

    :param versions: by what names a member in a sentence.
    """
    if len(set(versions.values())) > 1:
        told = ', '.join(f'{name} IPv{one}'
                         for name, one in sorted(versions.items()))
        return ('All members of a cluster must use the same version of the '
                f'Internet Protocol, and these would not: {told}. Name a '
                'network or subnet for each new member that has the version '
                'of the others.')
    if IPV6 in versions.values() and not dialect.takes_ipv6:
        return (f'{dialect.name} cannot use IPv6: its state transfer scripts '
                'do not understand the addresses. Name a network or subnet '
                'with IPv4, or use a newer version.')
    return None


def _parsed(address: str | None
            ) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address or '')
    except ValueError:
        return None
