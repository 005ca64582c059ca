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

"""Certificate authorities and their certificates, checked with OpenSSL."""

import contextlib
import datetime
import ipaddress
import pathlib
import subprocess
import tempfile

from cryptography import x509
import mock
import testtools

from trove_pxc.galera import certificates
from trove_pxc.galera import secret
from trove_pxc.taskmanager.cloud import certificate_authority

ADDRESS = '10.0.0.1'
FIRST = certificate_authority.new('c' * 36, 100)
SECOND = certificate_authority.new('c' * 36, 100)


def issued(*authorities, address=ADDRESS):
    return certificate_authority.issue(authorities, 'products-1', address, 50)


def certificate(held):
    return x509.load_pem_x509_certificate(held.pem.encode())


class CertificateAuthorityTest(testtools.TestCase):

    def test_openssl_trusts_what_it_issued_and_nothing_else(self):
        for trusted, trusts in ((FIRST, True), (SECOND, False)):
            with tempfile.TemporaryDirectory() as folder:
                ca, leaf = (pathlib.Path(folder, name)
                            for name in ('ca.pem', 'leaf.pem'))
                ca.write_text(certificate_authority.trusted([trusted]))
                leaf.write_text(issued(FIRST).pem)
                for purpose in ('sslserver', 'sslclient'):
                    done = subprocess.run(
                        ['openssl', 'verify', '-purpose', purpose,
                         '-CAfile', ca, leaf], capture_output=True)
                    self.assertEqual(trusts, done.returncode == 0,
                                     done.stderr)

    def test_the_key_is_needed_only_to_sign(self):
        """OpenSSL checks each key that it loads, which takes long."""
        held = issued(FIRST)
        plain = secret.Secret(certificate_authority.trusted([FIRST]))
        self.assertNotIn('PRIVATE KEY', plain.reveal())
        self.assertTrue(certificate_authority.fits(held, [plain], ADDRESS))
        self.assertEqual(plain.reveal(),
                         certificate_authority.trusted([plain]))
        self.assertFalse(certificate_authority.has_expired(plain))
        self.assertEqual(certificate_authority.valid_from(FIRST),
                         certificate_authority.valid_from(plain))

    def test_the_first_of_two_issues_and_both_are_trusted(self):
        held = issued(SECOND, FIRST)
        self.assertTrue(certificate_authority.fits(
            held, (SECOND, FIRST), ADDRESS))
        self.assertEqual(2, held.trusted.count('BEGIN CERTIFICATE'))

    def test_it_fits_while_nothing_has_changed(self):
        held = issued(FIRST)
        self.assertTrue(certificate_authority.fits(held, (FIRST,), ADDRESS))
        for authorities, address in (
                ((SECOND,), ADDRESS), ((FIRST, SECOND), ADDRESS),
                ((FIRST,), '10.0.0.2'), ((), ADDRESS)):
            self.assertFalse(
                certificate_authority.fits(held, authorities, address))

    def test_without_encryption_none_fits(self):
        self.assertTrue(certificate_authority.fits(None, (), ADDRESS))
        self.assertFalse(certificate_authority.fits(None, (FIRST,), ADDRESS))

    def test_it_is_no_authority_itself_and_ends_with_its_issuer(self):
        leaf = certificate(certificate_authority.issue(
            (FIRST,), 'products-1', ADDRESS, 5000))
        self.assertFalse(leaf.extensions.get_extension_for_class(
            x509.BasicConstraints).value.ca)
        issuer = x509.load_pem_x509_certificate(
            certificate_authority.trusted([FIRST]).encode())
        self.assertEqual(issuer.not_valid_after_utc,
                         leaf.not_valid_after_utc)

    def names(self, held):
        return certificate(held).extensions.get_extension_for_class(
            x509.SubjectAlternativeName).value

    def test_with_ipv6_a_name_comes_before_the_address(self):
        six = certificate_authority.issue(
            (FIRST,), 'products-1', 'fd00::1', 50)
        self.assertEqual(
            [x509.DNSName('products-1'),
             x509.IPAddress(ipaddress.ip_address('fd00::1'))],
            list(self.names(six)))
        self.assertTrue(certificate_authority.fits(six, (FIRST,), 'fd00::1'))
        self.assertFalse(certificate_authority.fits(six, (FIRST,), 'fd00::2'))
        self.assertFalse(certificate_authority.fits(six, (FIRST,), ADDRESS))
        self.assertEqual(
            [x509.IPAddress(ipaddress.ip_address(ADDRESS))],
            list(self.names(issued(FIRST))))

    def test_a_name_of_any_length_and_no_secret_in_a_repr(self):
        held = certificate_authority.issue((FIRST,), 'n' * 200, ADDRESS, 50)
        self.assertIsInstance(held, certificates.Certificate)
        self.assertNotIn('PRIVATE', repr(held) + repr(FIRST))

    def test_the_newer_is_valid_later_whatever_the_clock_says(self):
        for hours in (0, -9):
            with self.clock_that_goes(hours=hours):
                newer = certificate_authority.new('c' * 36, 100, FIRST)
            self.assertLess(certificate_authority.valid_from(FIRST),
                            certificate_authority.valid_from(newer))

    def test_what_has_expired_fits_nobody(self):
        held = issued(FIRST)
        self.assertEqual(certificate(held).not_valid_after_utc,
                         held.ends)
        for days, fits, expired in (
                (49, True, False), (51, False, False), (101, False, True)):
            with self.clock_that_goes(days=days):
                self.assertEqual(
                    fits, certificate_authority.fits(held, (FIRST,), ADDRESS))
                self.assertEqual(
                    expired, certificate_authority.has_expired(FIRST))

    @contextlib.contextmanager
    def clock_that_goes(self, **ahead):
        now = (datetime.datetime.now(datetime.timezone.utc)
               + datetime.timedelta(**ahead))
        with mock.patch.object(certificate_authority, '_now', autospec=True,
                               return_value=now):
            yield
