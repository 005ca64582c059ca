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

"""The certificate authority of a cluster, and the certificates it issues.

Imported by the steps that configure members, and by rotate. An authority
only certifies the members of one cluster, so its certificate proves that a
server is a member. Its key is stored with the passwords of the cluster, in
the guests, and never in Trove's tables.
"""

from collections.abc import Sequence
import datetime
import ipaddress

from cryptography import exceptions as crypto_exceptions
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography import x509
from cryptography.x509 import oid

from trove_pxc.galera import addresses
from trove_pxc.galera import certificates
from trove_pxc.galera.secret import Secret

# All servers support RSA, even with OpenSSL 1.0 in the image of PXC 5.6.
_KEY_BITS = 2048
_EXPONENT = 65537
# Clocks of new guests may be behind.
_CLOCK_SKEW = datetime.timedelta(days=1)
_TICK = datetime.timedelta(seconds=1)   # the resolution of certificates


def new(cluster_id: str, days: int,
        follows: Secret | None = None) -> Secret:
    """Make an authority: its certificate and its key, as PEM.

    :param days: for which the authority is valid.
    :param follows: the authority that it replaces. The new one becomes valid
        later than this one, even if the clocks of taskmanagers differ.
    """
    key = _new_key()
    # The serial number distinguishes the authorities of one cluster.
    serial = x509.random_serial_number()
    name = _name(f'Galera cluster {cluster_id} ({serial % 10 ** 6:06})')
    starts, ends = _period(days)
    if follows is not None:
        starts = max(starts, valid_from(follows) + _TICK)
    certificate = _builder(
        name, name, key.public_key(), serial, starts, ends)
    certificate = certificate.add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = certificate.add_extension(x509.KeyUsage(
        digital_signature=False, content_commitment=False,
        key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False), critical=True)
    signed = certificate.sign(key, hashes.SHA256())
    return Secret(_pem(signed) + _key_pem(key).reveal())


def issue(authorities: Sequence[Secret], node_name: str, address: str,
          days: int) -> certificates.Certificate:
    """Make the certificate of a member, issued by the first authority.

    :param authorities: of the cluster; the member trusts all of them.
    """
    issuer = _certificate_of(authorities[0])
    key = _new_key()
    starts, ends = _period(days)
    ends = min(ends, issuer.not_valid_after_utc)
    certificate = _builder(
        _name(node_name), issuer.subject, key.public_key(),
        x509.random_serial_number(), starts, ends)
    certificate = certificate.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True)
    certificate = certificate.add_extension(
        x509.SubjectAlternativeName(_names(node_name, address)),
        critical=False)
    certificate = certificate.add_extension(
        x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.SERVER_AUTH,
                               oid.ExtendedKeyUsageOID.CLIENT_AUTH]),
        critical=False)
    signed = certificate.sign(_key_of(authorities[0]), hashes.SHA256())
    return certificates.Certificate(
        _pem(signed), _key_pem(key), trusted(authorities),
        signed.not_valid_after_utc)


def trusted(authorities: Sequence[Secret]) -> str:
    """The certificates of the authorities: PEM, one after another."""
    return ''.join(_pem(_certificate_of(one)) for one in authorities)


def valid_from(ca: Secret) -> datetime.datetime:
    """The time from which it is valid; later for a newer authority."""
    return _certificate_of(ca).not_valid_before_utc


def has_expired(ca: Secret) -> bool:
    """Whether the authority has expired, and its certificates with it."""
    return _certificate_of(ca).not_valid_after_utc <= _now()


def fits(held: certificates.Certificate | None,
         authorities: Sequence[Secret], address: str) -> bool:
    """Whether a member with this address can keep this certificate.

    :param authorities: empty if the cluster is not encrypted.
    """
    if not authorities or held is None:
        return not authorities and held is None
    issuer = _certificate_of(authorities[0])
    certificate = x509.load_pem_x509_certificate(
        held.pem.encode())
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, crypto_exceptions.InvalidSignature):
        return False
    names = certificate.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value
    return (certificate.not_valid_after_utc > _now()
            and held.trusted == trusted(authorities)
            and ipaddress.ip_address(address)
            in names.get_values_for_type(x509.IPAddress))


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(_EXPONENT, _KEY_BITS)


def _names(node_name: str, address: str) -> list[x509.GeneralName]:
    """The names of a certificate: the address; with IPv6, a DNS name first.

    socat compares the names in order with its option commonname until one
    matches. The SST scripts of all versions set an empty commonname, which
    matches any DNS name. But when socat gets to an IPv6 address, it resolves
    the empty commonname as a host name, and fails: getaddrinfo("", "NULL",
    {1,10,0,0}, {}): Name or service not known (measured with socat 1.7.4.4
    and MariaDB 10.11.19, and with the options of wsrep_sst_xtrabackup-v2 of
    PXC).
    """
    parsed = ipaddress.ip_address(address)
    names: list[x509.GeneralName] = [x509.IPAddress(parsed)]
    if parsed.version == addresses.IPV6:
        names.insert(0, x509.DNSName(node_name))
    return names


def _name(common_name: str) -> x509.Name:
    # A common name has at most 64 characters.
    return x509.Name([x509.NameAttribute(
        oid.NameOID.COMMON_NAME, common_name[:64])])


def _builder(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey,
             serial: int, starts: datetime.datetime,
             ends: datetime.datetime) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer, subject_name=subject, public_key=key,
        serial_number=serial, not_valid_before=starts, not_valid_after=ends)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def _period(days: int) -> tuple[datetime.datetime, datetime.datetime]:
    return _now() - _CLOCK_SKEW, _now() + datetime.timedelta(days=days)


def _certificate_of(ca: Secret) -> x509.Certificate:
    return x509.load_pem_x509_certificate(ca.reveal().encode())


def _key_of(ca: Secret) -> rsa.RSAPrivateKey:
    """The key of an authority.

    OpenSSL checks it, which takes 70 ms: load it only to sign.
    """
    key = serialization.load_pem_private_key(
        ca.reveal().encode(), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(
        serialization.Encoding.PEM).decode()


def _key_pem(key: rsa.RSAPrivateKey) -> Secret:
    """The key as PKCS #1, which all OpenSSL and wolfSSL versions read."""
    return Secret(key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption()).decode())
