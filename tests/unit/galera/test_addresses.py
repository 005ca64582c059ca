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

"""The address of a member, and which members can form a cluster."""

import testtools

from trove_pxc.galera import addresses
from trove_pxc.galera import catalogue
from trove_pxc.galera import dialect

MARIADB = dialect.for_version('mariadb', '10.11')
PXC_56 = dialect.for_version('pxc', '5.6')


class UsableTest(testtools.TestCase):

    def test_table(self) -> None:
        for there, used in (
                ([], ()),
                (['10.0.0.1'], ('10.0.0.1',)),
                (['fd00::1'], ('fd00::1',)),
                (['fd00::1', '10.0.0.1'], ('10.0.0.1',)),
                (['10.0.0.1', 'fd00::1'], ('10.0.0.1',)),
                (['10.0.0.2', '10.0.0.1'], ('10.0.0.2', '10.0.0.1')),
                (['fd00::2', 'fd00::1'], ('fd00::2', 'fd00::1')),
                (['fe80::1', 'fd00::1'], ('fd00::1',)),
                (['fe80::1'], ()), (['169.254.1.1', 'fd00::1'], ('fd00::1',)),
                ([None, '', 'host', '10.0.0.1'], ('10.0.0.1',)),
                (['FD00:0:0::0001'], ('fd00::1',))):
            self.assertEqual(used, addresses.usable(there), there)

    def test_what_a_network_will_give(self) -> None:
        for versions, used in (
                ([], None), ([4], 4), ([6], 6), ([6, 4], 4), ([6, 6], 6)):
            self.assertEqual(used, addresses.preferred(versions))


class FormTest(testtools.TestCase):

    def test_versions(self) -> None:
        self.assertEqual(4, addresses.version('10.0.0.1'))
        self.assertEqual(6, addresses.version('fd00::1'))
        self.assertRaises(ValueError, addresses.version, 'host')

    def test_as_the_host_of_a_url(self) -> None:
        self.assertEqual('10.0.0.1', addresses.as_host('10.0.0.1'))
        self.assertEqual('[fd00::1]', addresses.as_host('fd00::1'))

    def test_in_a_rule(self) -> None:
        self.assertEqual(('IPv4', '10.0.0.1/32'), addresses.rule('10.0.0.1'))
        self.assertEqual(('IPv6', 'fd00::1/128'), addresses.rule('fd00::1'))


class RefusalTest(testtools.TestCase):

    def test_one_version_for_all(self) -> None:
        for version in (4, 6):
            self.assertIsNone(addresses.refusal(
                MARIADB, {'c-1': version, 'c-2': version}))

    def test_two_versions(self) -> None:
        refusal = addresses.refusal(MARIADB, {'c-2': 6, 'c-1': 4})
        self.assertIn('c-1 IPv4, c-2 IPv6', str(refusal))

    def test_only_version_5_6_of_pxc_cannot_use_ipv6(self) -> None:
        for one in catalogue.DIALECTS:
            refusal = addresses.refusal(one, {'c-1': 6})
            self.assertEqual(one.name == PXC_56.name, refusal is not None)
            self.assertIsNone(addresses.refusal(one, {'c-1': 4}))
        self.assertIn('Percona XtraDB Cluster 5.6 cannot use IPv6',
                      str(addresses.refusal(PXC_56, {'c-1': 6})))
