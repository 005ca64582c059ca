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

"""What a member shows to the others of its cluster, and whom it trusts.

Pure: PEM texts, and where they lie. Every module of trove_pxc may import it;
certificates are made by taskmanager/cloud/certificate_authority.
"""

from collections.abc import Mapping
import dataclasses
import datetime

from trove_pxc.galera.secret import Secret


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """A member's certificate, its key, and the authorities it trusts.

    :ivar pem: issued by the first of the cluster's authorities.
    :ivar key: PEM, of the certificate.
    :ivar trusted: PEM, the certificates of all authorities of the cluster:
        one, or two while they are being rotated.
    :ivar ends: when the certificate expires, in UTC.
    """

    pem: str
    key: Secret
    trusted: str
    ends: datetime.datetime

    def to_dict(self) -> dict[str, str]:
        """Reveals the key: for encrypted RPC or a 0600 file alone."""
        return {'certificate': self.pem, 'key': self.key.reveal(),
                'trusted': self.trusted, 'ends': self.ends.isoformat()}

    @classmethod
    def from_dict(cls, plain: Mapping[str, str]) -> 'Certificate':
        return cls(plain['certificate'], Secret(plain['key']),
                   plain['trusted'],
                   datetime.datetime.fromisoformat(plain['ends']))


@dataclasses.dataclass(frozen=True, slots=True)
class Paths:
    """Where a server finds its certificate: files that it alone reads.

    :ivar pair: certificate and key in one file, as socat wants them for the
        encryption of PXC 5.6.
    """

    folder: str

    @property
    def trusted(self) -> str:
        return f'{self.folder}/ca.pem'

    @property
    def certificate(self) -> str:
        return f'{self.folder}/cert.pem'

    @property
    def key(self) -> str:
        return f'{self.folder}/key.pem'

    @property
    def pair(self) -> str:
        return f'{self.folder}/pair.pem'

    def contents(self, certificate: Certificate,
                 paired: bool) -> dict[str, Secret]:
        """What to write, by path.

        :param paired: whether someone reads the pair.
        """
        written = {
            self.trusted: Secret(certificate.trusted),
            self.certificate: Secret(certificate.pem),
            self.key: certificate.key,
        }
        if paired:
            written[self.pair] = Secret(
                f'{certificate.pem}{certificate.key.reveal()}')
        return written

    def filled_in(self, option: str) -> str:
        """An option's value with the paths in the place of the fields."""
        return option.format(ca=self.trusted, cert=self.certificate,
                             key=self.key, pair=self.pair)
