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

"""The names of members, and their order."""

import re

import testtools

from trove_pxc.galera import naming


class NamingTest(testtools.TestCase):

    def test_number_of_a_member(self) -> None:
        for cluster, member, number in (
                ('c', 'c-1', 1), ('c', 'c-12', 12), ('c', 'c-0', None),
                ('c', 'c-01', None), ('c', 'c-', None), ('c', 'd-1', None),
                ('c', 'c-1-2', None), ('c.', 'cx-1', None),
                ('c-1', 'c-1-2', 2), ('a b', 'a b-3', 3)):
            self.assertEqual(
                number, naming.member_number(cluster, member), member)

    def test_a_name_and_its_number(self) -> None:
        name = naming.member_name('products', 3)
        self.assertEqual('products-3', name)
        self.assertEqual(3, naming.member_number('products', name))

    def test_order_is_by_number_then_by_age(self) -> None:
        names = {'c-10': '1', 'other': '3', 'c-2': '9', 'older': '2'}
        self.assertEqual(
            ['c-2', 'c-10', 'older', 'other'],
            naming.in_member_order('c', names, name=str,
                                   age=lambda name: (names[name], name)))

    def test_a_kept_number_goes_before_that_in_the_name(self) -> None:
        kept = {'zeus': '1', 'c-7': '2', 'c-3': None, 'c-4': 'shard'}
        self.assertEqual(
            ['zeus', 'c-7', 'c-3', 'c-4'],
            naming.in_member_order('c', kept, name=str,
                                   age=lambda name: (name, name),
                                   kept=kept.__getitem__))

    def test_nova_finds_a_server_by_its_name(self) -> None:
        self.assertEqual('my.shop-1', naming.server_filter('my.shop-1'))
        for name in ('prod+eu-1', 'shop (old)-2', 'a*[b]{c}', 'x|y?^$', '\\'):
            self.assertIsNotNone(re.fullmatch(
                naming.server_filter(name), name), name)

    def test_what_a_row_keeps(self) -> None:
        for text, number, last in (
                (naming.kept_as(2, 3), 2, 3), ('4', 4, None),
                (None, None, None), ('', None, None), ('0/3', None, None),
                ('shard', None, None), ('2/3/4', None, None)):
            self.assertEqual((number, last), (
                naming.kept_number(text), naming.last_asked(text)), text)

    def test_the_next_number_was_never_used(self) -> None:
        for ever, number in (
                ([], 1),
                ([('c-1', None), ('c-2', None), ('c-3', None)], 4),
                ([('c-1', None), ('c-5', None), ('c-3', None)], 6),
                ([('zeus', '1'), ('ares', '2'), ('c-3', None)], 4),
                ([('zeus', '1'), ('c-7', '2'), ('c-3', None)], 8),
                ([('c-1', None), ('renamed', None), ('too', None)], 4)):
            self.assertEqual(number, naming.next_number('c', ever), ever)

    def test_a_node_is_named_as_its_member_if_a_server_takes_it(self) -> None:
        for name, node in (
                ('products-1', 'products-1'), ('a.b_c-1', 'a.b_c-1'),
                ('a,b-1', 'member-4'), ('a b-1', 'member-4'),
                ("a'b-1", 'member-4'), ('a\nb-1', 'member-4'),
                ('-1', 'member-4'), ('x' * 65, 'member-4')):
            self.assertEqual(node, naming.node_name(name, 4))

    def test_the_clusters_name_for_the_servers(self) -> None:
        self.assertEqual(
            '0123456789abcdef0123456789abcdef',
            naming.wsrep_cluster_name('01234567-89AB-cdef-0123-456789abcdef'))
