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

"""The record of the member that a guest is, stored on the member's volume.

The service and the manager use it. It holds passwords: its file is readable
only by root.
"""

import dataclasses
import datetime
import enum
import json
from typing import Any

from trove_pxc.galera.membership import Membership
from trove_pxc.guestagent import files

_PRIVATE = 0o600


class Stage(enum.StrEnum):
    """The stage of a guest that becomes a member."""

    PREPARING = 'preparing'
    PREPARED = 'prepared'
    CONFIGURED = 'configured'
    STARTED = 'started'


@dataclasses.dataclass(frozen=True, slots=True)
class MemberRecord:
    """The stage of the guest, and the settings that it has received.

    :ivar server_version: the datastore version whose image it runs.
    :ivar membership: set from CONFIGURED on.
    :ivar sst_methods: those that the image has the programs for; None
        if an older agent wrote the record without checking.
    """

    stage: Stage
    server_version: str
    membership: Membership | None = None
    sst_methods: tuple[str, ...] | None = None

    @property
    def started(self) -> bool:
        return self.stage is Stage.STARTED

    @property
    def ends(self) -> datetime.datetime | None:
        """When the member's certificate expires, if it has one."""
        if self.membership is None or self.membership.certificate is None:
            return None
        return self.membership.certificate.ends

    def at(self, stage: Stage) -> 'MemberRecord':
        return dataclasses.replace(self, stage=stage)

    def mask(self, text: str) -> str:
        """The text without any of the passwords."""
        if self.membership is not None:
            for password in self.membership.secrets.passwords:
                if password:
                    text = text.replace(password.reveal(), '***')
        return text

    def to_text(self) -> str:
        """The text for the private file, with the passwords."""
        plain: dict[str, Any] = {'stage': self.stage.value,
                                 'server_version': self.server_version}
        if self.sst_methods is not None:
            plain['sst_methods'] = list(self.sst_methods)
        if self.membership is not None:
            plain['membership'] = self.membership.to_dict()
        return json.dumps(plain, indent=1)

    @classmethod
    def from_text(cls, text: str) -> 'MemberRecord':
        plain = json.loads(text)
        membership = plain.get('membership')
        methods = plain.get('sst_methods')
        return cls(
            Stage(plain['stage']), plain['server_version'],
            membership and Membership.from_dict(membership),
            None if methods is None else tuple(methods))


class RecordStore:
    """The record of this guest; None if it is not a member of a cluster.

    It is read once, because only this process writes it.
    """

    def __init__(self, host_files: files.HostFiles, path: str) -> None:
        self._files = host_files
        self._path = path
        self._record: MemberRecord | None = None
        self._looked = False

    def read(self) -> MemberRecord | None:
        if not self._looked:
            text = self._files.read(self._path)
            if text is not None:
                self._record = MemberRecord.from_text(text)
            self._looked = True
        return self._record

    def write(self, record: MemberRecord, *others: files.File) -> None:
        """Replace the record, then the other files."""
        self._files.write_all(files.File(
            self._path, record.to_text(), _PRIVATE), *others)
        self._record = record
        self._looked = True
