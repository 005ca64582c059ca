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

"""The certificate of a member, and the authorities that it trusts.

Pure: PEM texts and their paths. Every module of trove_pxc may import it;
certificates are created by taskmanager/cloud/certificate_authority.
"""

from collections.abc import Mapping
import dataclasses
import datetime

from trove_pxc.galera.secret import Secret


@dataclasses.dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate of a member, its key, and the trusted authorities.

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
    """The paths of the certificate files, which only the server can read.

    :ivar pair: certificate and key in one file, which socat needs for the
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
        """The contents of the files, by path.

        :param paired: whether the file with the pair is needed.
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
        """The value of an option with the paths in place of its fields."""
        return option.format(ca=self.trusted, cert=self.certificate,
                             key=self.key, pair=self.pair)
