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

"""Cut cables: guests that are cut off, wholly or from each other.

For ``lab.guest.control``. What is cut is remembered in a file, from which
the filter of the controller's bridge is made anew at each change; a reboot
of a guest changes nothing about it.
"""

from collections.abc import Iterator, Sequence
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


@dataclasses.dataclass
class Cuts:
    """Server ids that are cut off, and pairs that are, in order."""

    whole: set[str] = dataclasses.field(default_factory=set)
    pairs: set[tuple[str, str]] = dataclasses.field(default_factory=set)

    def concerns(self, server_id: str) -> bool:
        """Whether anything of this guest is cut."""
        return server_id in self.whole or any(
            server_id in pair for pair in self.pairs)


def read(home: lab_home.Home) -> Cuts:
    try:
        content = json.loads(_file(home).read_text())
    except FileNotFoundError:
        return Cuts()
    return Cuts(set(content['whole']),
                {(one, other) for one, other in content['pairs']})


def cut(home: lab_home.Home, server_id: str, peers: Sequence[str]) -> None:
    """Cut a guest off from its peers, or from everything without any."""
    with _changing(home) as cuts:
        if peers:
            cuts.pairs |= {_pair(server_id, peer) for peer in peers}
        else:
            cuts.whole.add(server_id)


def heal(home: lab_home.Home, server_id: str, peers: Sequence[str]) -> None:
    """Undo cuts between a guest and its peers, or all that it has."""
    with _changing(home) as cuts:
        if peers:
            cuts.pairs -= {_pair(server_id, peer) for peer in peers}
        else:
            cuts.whole.discard(server_id)
            cuts.pairs = {pair for pair in cuts.pairs
                          if server_id not in pair}


@contextlib.contextmanager
def _changing(home: lab_home.Home) -> Iterator[Cuts]:
    home.run.mkdir(parents=True, exist_ok=True)
    with (home.run / 'cuts.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cuts = read(home)
        yield cuts
        known = _addresses(home)
        cuts.whole &= set(known)
        cuts.pairs = {pair for pair in cuts.pairs if set(pair) <= set(known)}
        _apply(home, cuts, known)
        _file(home).write_text(json.dumps(
            {'whole': sorted(cuts.whole), 'pairs': sorted(cuts.pairs)}))


def _apply(home: lab_home.Home, cuts: Cuts, known: dict[str, str]) -> None:
    text = firewall.cuts(
        [known[one] for one in cuts.whole],
        [(known[one], known[other]) for one, other in cuts.pairs])
    done = subprocess.run(
        netns.inside(home.controller, ['nft', '-f', '-']),
        input=text, text=True, capture_output=True)
    if done.returncode:
        raise errors.LabError(
            f'the filter of the bridge was refused: {done.stderr.strip()}; '
            f'is nftables installed, and has the kernel its bridge family?')


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
