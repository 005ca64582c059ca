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

"""The description of a guest, and the paths of its files on the machine.

All modules of ``lab.guest`` and the cloud's compute service import it.
Standard library only, because the guest's init imports it.
"""

from collections.abc import Mapping
import dataclasses
import json
from pathlib import Path
import re
from typing import Any

from lab import home as lab_home


@dataclasses.dataclass
class Volume:
    """A disk of a guest: a file of the host with a device name."""

    volume_id: str
    device: str
    file: str


@dataclasses.dataclass(frozen=True)
class Address:
    """An address of a guest, the length of its subnet, and the gateway."""

    ip: str
    prefix: int
    gateway: str


@dataclasses.dataclass
class GuestSpec:
    """All data that is needed to boot a guest, also without the cloud."""

    server_id: str
    instance_id: str
    name: str
    number: int
    addresses: list[Address]
    mac: str
    mtu: int
    image: str
    memory_mb: int
    vcpus: int
    volumes: list[Volume] = dataclasses.field(default_factory=list)

    @property
    def ip(self) -> str:
        """Its first address: the IPv4 address if it has both."""
        return self.addresses[0].ip

    @property
    def hostname(self) -> str:
        """The name, with only the characters of a host name."""
        return re.sub(r'[^A-Za-z0-9-]+', '-', self.name).strip('-') or 'guest'

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> 'GuestSpec':
        fields = dict(content)
        if 'addresses' not in fields:
            # The format of an older checkout, for "lab down".
            fields['addresses'] = [{name: fields.pop(name) for name in (
                'ip', 'prefix', 'gateway')}]
        fields['addresses'] = [Address(**address)
                               for address in fields['addresses']]
        fields['volumes'] = [Volume(**volume)
                             for volume in fields.get('volumes', ())]
        return cls(**fields)


class GuestFolder:
    """The files of one guest on the host."""

    def __init__(self, home: lab_home.Home, server_id: str) -> None:
        self.home = home
        self.server_id = server_id
        self.path = home.guests / server_id

    @property
    def spec_file(self) -> Path:
        return self.path / 'spec.json'

    @property
    def boot_file(self) -> Path:
        """The parameters of init for one boot."""
        return self.path / 'boot.json'

    @property
    def userdata_file(self) -> Path:
        """Files to write at the first boot; contains secrets."""
        return self.path / 'userdata.json'

    @property
    def firewall_file(self) -> Path:
        return self.path / 'firewall.nft'

    @property
    def disk(self) -> Path:
        """The root disk, which survives a loss of power."""
        return self.path / 'disk'

    @property
    def root(self) -> Path:
        """The folder in which init builds the root, in its namespace."""
        return self.path / 'root'

    @property
    def pid_file(self) -> Path:
        return self.path / 'init.pid'

    def log(self, hostname: str, what: str) -> Path:
        return self.home.logs / f'guest-{hostname}-{what}.log'

    def load(self) -> GuestSpec:
        return GuestSpec.from_json(json.loads(self.spec_file.read_text()))

    def save(self, spec: GuestSpec) -> None:
        fresh = self.spec_file.with_suffix('.new')
        fresh.write_text(json.dumps(dataclasses.asdict(spec), indent=2))
        fresh.replace(self.spec_file)


def namespace(home: lab_home.Home, spec: GuestSpec) -> str:
    """The name of the guest's network namespace."""
    return f'{home.lab_id}-g{spec.number}'


def link(spec: GuestSpec) -> str:
    """The name of the guest's link at the controller's bridge."""
    return f'v{spec.number}'
