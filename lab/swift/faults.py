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

"""The faults of the lab's Swift that its proxy simulates.

The command line writes them to a file, which the filter ``lab.swift.failing``
reads. Standard library only.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

#: the connection breaks when half of the body is transferred
CUT = 'cut'
#: the request is carried out, but the connection breaks before the answer
LOST = 'lost'
CODES = ('401', '403', '408', '413', '429', '500', '502', '503', '504', '507')
KINDS = (*CODES, CUT, LOST)
DEFAULT_KINDS = ('500', '503', CUT)
METHODS = ('GET', 'HEAD', 'PUT', 'POST', 'DELETE')


@dataclasses.dataclass(frozen=True)
class Faults:
    """What the proxy does to requests; by default nothing.

    :ivar share: of the requests that fail, from 0 to 1
    :ivar kinds: some of KINDS, each equally likely
    :ivar methods: the methods of requests that fail; empty: all
    :ivar text: in the paths of requests that fail, such as a container's name
    :ivar times: how many requests fail in total; 0: no limit
    :ivar delay: seconds before the proxy handles a request
    :ivar rate: bytes per second of all bodies together; 0: no limit
    """

    share: float = 0.0
    kinds: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    text: str = ''
    times: int = 0
    delay: float = 0.0
    rate: int = 0

    def concern(self, method: str, path: str) -> bool:
        """Whether a request of this kind may fail."""
        return bool(self.share) and self.text in path and (
            not self.methods or method in self.methods)


def load(file: Path) -> Faults:
    """The faults of the file; none if there is no file."""
    try:
        words: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        return Faults()
    for name in ('kinds', 'methods'):
        words[name] = tuple(words[name])
    return Faults(**words)


def store(file: Path, faults: Faults) -> None:
    """Write the file; the proxy uses it from its next request on."""
    fresh = file.with_suffix('.new')
    fresh.write_text(json.dumps(dataclasses.asdict(faults)) + '\n')
    fresh.replace(file)


def in_words(faults: Faults) -> list[str]:
    """One line for each fault."""
    lines = []
    if faults.share:
        which = ' '.join([*faults.methods, 'requests'])
        where = f' with "{faults.text}" in the path' if faults.text else ''
        limit = f', {faults.times} at most' if faults.times else ''
        lines.append(f'{faults.share:.0%} of the {which}{where} fail'
                     f'{limit}: {", ".join(faults.kinds)}')
    if faults.delay:
        lines.append(f'each request waits {faults.delay:g} s')
    if faults.rate:
        lines.append(f'all bodies together get {faults.rate // 1024} KiB/s')
    return lines
