# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Packet filter rules for nft: security groups and network faults.

For ``lab.guest`` and the cloud's network service. Security groups apply in the
guest's network namespace, before Docker's address translation. Cuts and losses
apply at the controller's bridge, to both directions.
"""

from collections.abc import Iterable, Mapping, Sequence
import dataclasses

GROUP_TABLE = 'inet lab_groups'
CUT_TABLE = 'bridge lab_cuts'
#: needed for IPv6; Neutron allows them for all ports, too
DISCOVERY = ('mld-listener-query', 'nd-router-advert', 'nd-neighbor-solicit',
             'nd-neighbor-advert')


@dataclasses.dataclass(frozen=True)
class Ingress:
    """A kind of packets that is allowed in.

    The version is 4 or 6. No protocol means any protocol, no ports mean all
    ports. Sources are addresses or networks; ``None`` means any source.
    """

    version: int
    protocol: str | None
    ports: tuple[int, int] | None
    sources: tuple[str, ...] | None


def security_groups(rules: Iterable[Ingress]) -> str:
    """The filter of one guest: answers are allowed, the rest by the rules.

    Like the hosts of a cloud, it allows packets of connections from before a
    loss of power, which the guest then refuses.
    """
    lines = ['iifname != "eth0" accept',
             'ct state established,related accept',
             'tcp flags & (syn | ack) == ack accept',
             'tcp flags & rst == rst accept',
             f'icmpv6 type {{ {", ".join(DISCOVERY)} }} accept']
    for rule in sorted(set(rules), key=repr):
        line = _accept(rule)
        if line:
            lines.append(line)
    return _table(GROUP_TABLE, {
        'ingress': ('type filter hook prerouting priority -150; '
                    'policy drop;', lines)})


def cuts(whole: Sequence[str], pairs: Sequence[tuple[str, str]],
         losses: Mapping[str, int] | None = None) -> str:
    """The filter of the bridge.

    :param whole: MAC addresses that are cut off from everything
    :param pairs: MAC addresses that are cut off from each other
    :param losses: the percentage of packets from and to a MAC address that
        are lost at random; this does not need netem in the kernel
    """
    lines = []
    for address in sorted(whole):
        lines += [f'ether saddr {address} drop', f'ether daddr {address} drop']
    for one, other in sorted(pairs):
        lines += [f'ether saddr {one} ether daddr {other} drop',
                  f'ether saddr {other} ether daddr {one} drop']
    for address, percent in sorted((losses or {}).items()):
        chance = f'numgen random mod 100 < {percent} drop'
        lines += [f'ether saddr {address} {chance}',
                  f'ether daddr {address} {chance}']
    return _table(CUT_TABLE, {
        hook: (f'type filter hook {hook} priority 0; policy accept;', lines)
        for hook in ('prerouting', 'output')})


def _accept(rule: Ingress) -> str:
    parts = [f'meta nfproto ipv{rule.version}']
    if rule.sources is not None:
        if not rule.sources:
            return ''
        family = 'ip6' if rule.version == 6 else 'ip'
        parts = [f'{family} saddr {{ {", ".join(sorted(rule.sources))} }}']
    protocol = rule.protocol
    if (rule.version, protocol) == (6, 'icmp'):
        protocol = 'ipv6-icmp'
    if rule.protocol in ('tcp', 'udp') and rule.ports:
        first, last = rule.ports
        ports = str(first) if first == last else f'{first}-{last}'
        parts.append(f'{rule.protocol} dport {ports}')
    elif protocol:
        parts.append(f'meta l4proto {protocol}')
    return ' '.join([*parts, 'accept'])


def _table(name: str, chains: dict[str, tuple[str, list[str]]]) -> str:
    body = []
    for chain, (head, lines) in chains.items():
        body += [f'  chain {chain} {{', f'    {head}',
                 *(f'    {line}' for line in lines), '  }']
    # Declared before it is deleted, so that this works if it does not exist.
    return '\n'.join([f'table {name}', f'delete table {name}',
                      f'table {name} {{', *body, '}', ''])
