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

"""The next action for a lost member; tests/functional/test_lost.py runs it."""

import testtools

from trove_pxc.galera import lost
from trove_pxc.galera import remedy
from trove_pxc.galera import roles


def member(present: int, cluster: str = 'c') -> lost.Member:
    return lost.Member(cluster, 'id-2', 'c-2', present, 3)


class ReplacementTest(testtools.TestCase):

    def test_it_goes_at_once_if_enough_stay(self) -> None:
        self.assertEqual(
            'Remove it: "openstack database cluster shrink c id-2".',
            lost.replacement(member(4)))

    def test_else_another_one_comes_first(self) -> None:
        self.assertEqual(
            'Add a member, then remove c-2: "openstack database cluster grow '
            'c --instance flavor=FLAVOR,volume=SIZE", then "openstack '
            'database cluster shrink c id-2".', lost.replacement(member(3)))

    def test_a_name_that_a_shell_would_split(self) -> None:
        advice = lost.replacement(member(3, 'my shop'))
        self.assertIn("shrink 'my shop' id-2", advice)
        self.assertIn("grow 'my shop' --instance", advice)

    def test_the_health_names_the_same(self) -> None:
        remedies = remedy.Remedies(
            'my shop', {'c-1': 'id-1', 'c-2': 'id-2', 'c-3': 'id-3'}, {}, 3)
        self.assertEqual(lost.replacement(member(3, 'my shop')),
                         remedies.of_members({'c-2': roles.Role.GONE}))


class PortTest(testtools.TestCase):

    def test_it_goes_at_once_if_enough_stay(self) -> None:
        self.assertEqual(
            'Remove it: "openstack database cluster shrink c id-2".',
            lost.without_port(member(4), 'server-2'))

    def test_else_its_server_stops_first(self) -> None:
        self.assertTrue(lost.without_port(member(3), 'server-2').startswith(
            'Have an operator stop its server ("openstack server stop '
            'server-2"). Add a member, then remove c-2: '))


class CauseTest(testtools.TestCase):

    def test_what_happened(self) -> None:
        self.assertEqual('server s is gone: it was deleted in Nova, not '
                         'through Trove', lost.server_gone('s'))
        self.assertIn('c-2 serves, but its Neutron port is gone',
                      lost.port_gone('c-2'))
