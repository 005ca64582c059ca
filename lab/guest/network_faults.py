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

"""Network faults: guests that are cut off, lose packets, or have a slow link.

For ``lab.guest.control``, and ``lab.guest.boot``, which creates the links. A
file stores the faults; each change rewrites the filter of the controller's
bridge from it. A reboot of a guest does not change its faults.
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import dataclasses
import fcntl
import json
from pathlib import Path
import subprocess

from lab import errors
from lab.guest import firewall
from lab.guest import spec as guest_spec
from lab import home as lab_home
from lab import netns

#: buffer of a slow link: at least one full frame
BURST = '16kb'
QUEUE = '300ms'


@dataclasses.dataclass
class Cuts:
    """The network faults of guests, by server IDs.

    ``whole`` are cut off from all, ``pairs`` (sorted) from each other;
    ``losses`` are percentages of packets, ``rates`` kilobits per second.
    """

    whole: set[str] = dataclasses.field(default_factory=set)
    pairs: set[tuple[str, str]] = dataclasses.field(default_factory=set)
    losses: dict[str, int] = dataclasses.field(default_factory=dict)
    rates: dict[str, int] = dataclasses.field(default_factory=dict)

    def concerns(self, server_id: str) -> bool:
        """Whether this guest is cut off from others."""
        return server_id in self.whole or any(
            server_id in pair for pair in self.pairs)

    def keep(self, known: Mapping[str, object]) -> None:
        """Remove the faults of deleted guests."""
        self.whole &= set(known)
        self.pairs = {pair for pair in self.pairs if set(pair) <= set(known)}
        for marks in (self.losses, self.rates):
            for gone in set(marks) - set(known):
                del marks[gone]


def read(home: lab_home.Home) -> Cuts:
    try:
        content = json.loads(_file(home).read_text())
    except FileNotFoundError:
        return Cuts()
    return Cuts(set(content['whole']),
                {(one, other) for one, other in content['pairs']},
                dict(content.get('losses', {})),
                dict(content.get('rates', {})))


def cut(home: lab_home.Home, server_id: str, peers: Sequence[str]) -> None:
    """Cut a guest off from its peers, or from everything if none are given."""
    with _changing(home) as cuts:
        if peers:
            cuts.pairs |= {_pair(server_id, peer) for peer in peers}
        else:
            cuts.whole.add(server_id)


def lose(home: lab_home.Home, server_id: str, percent: int) -> None:
    """Lose this percentage of a guest's packets at random."""
    with _changing(home) as cuts:
        cuts.losses[server_id] = percent


def slow(home: lab_home.Home, server_id: str, kbit: int) -> None:
    """Limit the rate to so many kilobits per second in each direction."""
    with _changing(home) as cuts:
        cuts.rates[server_id] = kbit
    tune(home, guest_spec.GuestFolder(home, server_id).load())


def heal(home: lab_home.Home, server_id: str, peers: Sequence[str]) -> None:
    """Undo cuts between a guest and its peers, or all faults of a guest."""
    with _changing(home) as cuts:
        if peers:
            cuts.pairs -= {_pair(server_id, peer) for peer in peers}
            return
        cuts.whole.discard(server_id)
        cuts.pairs = {pair for pair in cuts.pairs if server_id not in pair}
        cuts.losses.pop(server_id, None)
        slowed = cuts.rates.pop(server_id, None)
    if slowed is not None:
        tune(home, guest_spec.GuestFolder(home, server_id).load())


def tune(home: lab_home.Home, spec: guest_spec.GuestSpec) -> None:
    """Set the rate at both ends of a guest's link, if it exists."""
    kbit = read(home).rates.get(spec.server_id)
    for namespace, device in (
            (home.controller, guest_spec.link(spec)),
            (guest_spec.namespace(home, spec), 'eth0')):
        there = netns.exists(namespace) and not netns.run(
            namespace, ['ip', 'link', 'show', device], check=False).returncode
        if there:
            _limit(namespace, device, kbit)


def _limit(namespace: str, device: str, kbit: int | None) -> None:
    if kbit is None:
        # It fails if there is no limit to delete.
        netns.run(namespace, ['tc', 'qdisc', 'delete', 'dev', device, 'root'],
                  check=False)
        return
    netns.run(namespace, [
        'tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf',
        'rate', f'{kbit}kbit', 'burst', BURST, 'latency', QUEUE])


@contextlib.contextmanager
def _changing(home: lab_home.Home) -> Iterator[Cuts]:
    home.run.mkdir(parents=True, exist_ok=True)
    with (home.run / 'cuts.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cuts = read(home)
        yield cuts
        known = _addresses(home)
        cuts.keep(known)
        _apply(home, cuts, known)
        fresh = _file(home).with_suffix('.new')
        fresh.write_text(json.dumps(
            {'whole': sorted(cuts.whole), 'pairs': sorted(cuts.pairs),
             'losses': cuts.losses, 'rates': cuts.rates}))
        fresh.replace(_file(home))


def _apply(home: lab_home.Home, cuts: Cuts, known: dict[str, str]) -> None:
    text = firewall.cuts(
        [known[one] for one in cuts.whole],
        [(known[one], known[other]) for one, other in cuts.pairs],
        {known[one]: percent for one, percent in cuts.losses.items()})
    done = subprocess.run(
        netns.inside(home.controller, ['nft', '-f', '-']),
        input=text, text=True, capture_output=True)
    if done.returncode:
        raise errors.LabError(
            f'nft refuses the filter of the bridge: {done.stderr.strip()}; '
            f'check that the kernel has the bridge family of nftables')


def _addresses(home: lab_home.Home) -> dict[str, str]:
    """The hardware address of each guest, by server id."""
    found = {}
    for path in home.guests.glob('*/spec.json'):
        folder = guest_spec.GuestFolder(home, path.parent.name)
        with contextlib.suppress(FileNotFoundError):
            found[folder.server_id] = folder.load().mac
    return found


def _pair(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one < other else (other, one)


def _file(home: lab_home.Home) -> Path:
    return home.run / 'cuts.json'
