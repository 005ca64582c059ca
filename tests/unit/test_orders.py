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

"""An order survives in the text of a row, and no other text is one."""

import types
from typing import Any

import testtools
from trove.instance.tasks import InstanceTask

from trove_pxc import orders

ALL = (orders.Order(orders.RESTART), orders.Order(orders.FLAVOR, '7'),
       orders.Order(orders.FLAVOR, 'f3b1e2d4 of GB'),
       orders.Order(orders.VOLUME, '30'),
       orders.Order(orders.CERTIFICATES))


def row(number: int, text: str | None) -> Any:
    return types.SimpleNamespace(id=number, task_description=text)


class OrderTest(testtools.TestCase):

    def test_what_is_written_is_read(self) -> None:
        for order in ALL:
            self.assertEqual(order, orders.Order.parse(order.text))

    def test_it_can_be_read_by_operators(self) -> None:
        self.assertEqual(
            ['Ordered: a restart', 'Ordered: the flavor 7',
             'Ordered: the flavor f3b1e2d4 of GB',
             'Ordered: a volume of 30 GB', 'Ordered: new certificates'],
            [order.text for order in ALL])

    def test_troves_texts_are_no_orders(self) -> None:
        for task in InstanceTask._lookup.values():
            self.assertIsNone(orders.Order.parse(task.db_text))
        for text in (None, '', 'Ordered: ', 'Ordered: something else'):
            self.assertIsNone(orders.Order.parse(text))

    def test_it_fits_into_the_column(self) -> None:
        longest = orders.Order(orders.FLAVOR, 'f' * 200)
        self.assertLess(len(longest.text), 255)


class WaitingTest(testtools.TestCase):

    def test_nobody(self) -> None:
        self.assertEqual((None, []), orders.waiting([]))
        self.assertEqual((None, []), orders.waiting(
            [row(1, 'No tasks for the instance.')]))

    def test_those_who_are_left(self) -> None:
        order = orders.Order(orders.VOLUME, '3')
        self.assertEqual((order, ['2', '3']), orders.waiting(
            [row(1, 'No tasks for the instance.'), row(2, order.text),
             row(3, order.text)]))

    def test_a_leftover_of_another_order_is_not_joined(self) -> None:
        first, other = ALL[0], ALL[1]
        self.assertEqual((first, ['1']), orders.waiting(
            [row(1, first.text), row(2, other.text)]))
