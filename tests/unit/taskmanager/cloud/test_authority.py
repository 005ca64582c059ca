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

"""Authorities and what they issue, as OpenSSL sees them."""

import contextlib
import datetime
import ipaddress
import pathlib
import subprocess
import tempfile

from cryptography import x509
import mock
import testtools

from trove_pxc.galera import identity as identities
from trove_pxc.taskmanager.cloud import authority

ADDRESS = '10.0.0.1'
FIRST = authority.new('c' * 36, 100)
SECOND = authority.new('c' * 36, 100)


def issued(*authorities, address=ADDRESS):
    return authority.issue(authorities, 'products-1', address, 50)


def certificate(identity):
    return x509.load_pem_x509_certificate(identity.certificate.encode())


class AuthorityTest(testtools.TestCase):

    def test_openssl_trusts_what_it_issued_and_nothing_else(self):
        for trusted, trusts in ((FIRST, True), (SECOND, False)):
            with tempfile.TemporaryDirectory() as folder:
                ca, leaf = (pathlib.Path(folder, name)
                            for name in ('ca.pem', 'leaf.pem'))
                ca.write_text(authority.trusted([trusted]))
                leaf.write_text(issued(FIRST).certificate)
                for purpose in ('sslserver', 'sslclient'):
                    done = subprocess.run(
                        ['openssl', 'verify', '-purpose', purpose,
                         '-CAfile', ca, leaf], capture_output=True)
                    self.assertEqual(trusts, done.returncode == 0,
                                     done.stderr)

    def test_the_first_of_two_issues_and_both_are_trusted(self):
        identity = issued(SECOND, FIRST)
        self.assertTrue(authority.fits(identity, (SECOND, FIRST), ADDRESS))
        self.assertEqual(2, identity.trusted.count('BEGIN CERTIFICATE'))

    def test_it_fits_while_nothing_has_changed(self):
        identity = issued(FIRST)
        self.assertTrue(authority.fits(identity, (FIRST,), ADDRESS))
        for authorities, address in (
                ((SECOND,), ADDRESS), ((FIRST, SECOND), ADDRESS),
                ((FIRST,), '10.0.0.2'), ((), ADDRESS)):
            self.assertFalse(
                authority.fits(identity, authorities, address))

    def test_without_encryption_none_fits(self):
        self.assertTrue(authority.fits(None, (), ADDRESS))
        self.assertFalse(authority.fits(None, (FIRST,), ADDRESS))

    def test_it_is_no_authority_itself_and_ends_with_its_issuer(self):
        leaf = certificate(authority.issue(
            (FIRST,), 'products-1', ADDRESS, 5000))
        self.assertFalse(leaf.extensions.get_extension_for_class(
            x509.BasicConstraints).value.ca)
        issuer = x509.load_pem_x509_certificate(
            authority.trusted([FIRST]).encode())
        self.assertEqual(issuer.not_valid_after_utc,
                         leaf.not_valid_after_utc)

    def names(self, identity):
        return certificate(identity).extensions.get_extension_for_class(
            x509.SubjectAlternativeName).value

    def test_with_ipv6_a_name_comes_before_the_address(self):
        six = authority.issue((FIRST,), 'products-1', 'fd00::1', 50)
        self.assertEqual(
            [x509.DNSName('products-1'),
             x509.IPAddress(ipaddress.ip_address('fd00::1'))],
            list(self.names(six)))
        self.assertTrue(authority.fits(six, (FIRST,), 'fd00::1'))
        self.assertFalse(authority.fits(six, (FIRST,), 'fd00::2'))
        self.assertFalse(authority.fits(six, (FIRST,), ADDRESS))
        self.assertEqual(
            [x509.IPAddress(ipaddress.ip_address(ADDRESS))],
            list(self.names(issued(FIRST))))

    def test_a_name_of_any_length_and_no_secret_in_a_repr(self):
        identity = authority.issue((FIRST,), 'n' * 200, ADDRESS, 50)
        self.assertIsInstance(identity, identities.Identity)
        self.assertNotIn('PRIVATE', repr(identity) + repr(FIRST))

    def test_the_newer_is_valid_later_whatever_the_clock_says(self):
        for hours in (0, -9):
            with self.clock_that_goes(hours=hours):
                newer = authority.new('c' * 36, 100, FIRST)
            self.assertLess(authority.valid_from(FIRST),
                            authority.valid_from(newer))

    def test_what_has_expired_fits_nobody(self):
        identity = issued(FIRST)
        self.assertEqual(certificate(identity).not_valid_after_utc,
                         identity.ends)
        for days, fits, expired in (
                (49, True, False), (51, False, False), (101, False, True)):
            with self.clock_that_goes(days=days):
                self.assertEqual(
                    fits, authority.fits(identity, (FIRST,), ADDRESS))
                self.assertEqual(expired, authority.has_expired(FIRST))

    @contextlib.contextmanager
    def clock_that_goes(self, **ahead):
        now = (datetime.datetime.now(datetime.timezone.utc)
               + datetime.timedelta(**ahead))
        with mock.patch.object(authority, '_now', autospec=True,
                               return_value=now):
            yield
