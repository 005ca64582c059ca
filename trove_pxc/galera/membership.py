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

"""The configuration of a member: facts, secrets and certificate.

Pure. Every module of trove_pxc may import it.
"""

from collections.abc import Mapping
import dataclasses
from typing import Any

from trove_pxc.galera import certificates
from trove_pxc.galera import settings


@dataclasses.dataclass(frozen=True, slots=True)
class Membership:
    """The configuration of a guest as a member of its cluster.

    :ivar certificate: None if members do not encrypt their traffic.
    """

    facts: settings.MemberFacts
    secrets: settings.ClusterSecrets
    certificate: certificates.Certificate | None = None

    def to_dict(self) -> dict[str, Any]:
        """Reveals the passwords: for encrypted RPC or the private file."""
        return {'facts': self.facts.to_dict(),
                'secrets': self.secrets.to_dict(),
                'identity': self.certificate and self.certificate.to_dict()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'Membership':
        certificate = plain.get('identity')
        return cls(settings.MemberFacts.from_dict(plain['facts']),
                   settings.ClusterSecrets.from_dict(plain['secrets']),
                   certificate
                   and certificates.Certificate.from_dict(certificate))
