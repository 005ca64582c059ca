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

"""How a member got its data, according to the log of its server."""

import contextlib
import dataclasses
import datetime
import json
import re

from lab.guest import spec as guest_spec

_TELLING = re.compile(r'IST|SST|[Ss]tate transfer')


@dataclasses.dataclass(frozen=True)
class Transfer:
    """How a server got the data that it lacked.

    :ivar by_ist: from a donor's gcache, only the missing writes.
    :ivar by_sst: a full copy of the data.
    """

    by_ist: bool
    by_sst: bool
    lines: tuple[str, ...]

    @classmethod
    def of(cls, log: list[str]) -> 'Transfer':
        lines = tuple(line for line in log if _TELLING.search(line))
        return cls(
            by_ist=any('IST received: ' in line for line in lines),
            by_sst=any(' SST completed on joiner' in line for line in lines),
            lines=lines)


def now() -> datetime.datetime:
    """The current time, for ``server_log``."""
    return datetime.datetime.now(datetime.timezone.utc).replace(
        microsecond=0)


def server_log(folder: guest_spec.GuestFolder,
               since: datetime.datetime | None = None) -> list[str]:
    """The lines of the log of a guest's server, from a time (in UTC) on.

    Docker stores them on the guest's root disk, which survives reboots.
    """
    lines = []
    for path in sorted((folder.disk / 'var/lib/docker/containers')
                       .glob('*/*-json.log')):
        for text in path.read_text(errors='replace').splitlines():
            with contextlib.suppress(ValueError):
                entry = json.loads(text)
                if since is None or _moment(entry['time']) >= since:
                    lines.append(str(entry['log']).rstrip('\n'))
    return lines


def _moment(text: str) -> datetime.datetime:
    """Docker's time: in UTC, with nanoseconds and a Z."""
    return datetime.datetime.fromisoformat(text[:19]).replace(
        tzinfo=datetime.timezone.utc)
