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

"""Pending operations in the text of a row; other texts are none."""

import types
from typing import Any

import testtools
from trove.instance.tasks import InstanceTask

from trove_pxc import pending

FOUR = '4f7dcd9c-5de4-4c94-9a0a-000000000000'
FIVE = '5a3c1e77-0000-4c94-9a0a-000000000000'
ALL = (pending.Order(pending.RESTART), pending.Order(pending.FLAVOR, '7'),
       pending.Order(pending.FLAVOR, 'f3b1e2d4 of GB'),
       pending.Order(pending.FLAVOR, '7', 512),
       pending.Order(pending.FLAVOR, 'a (b)\n', -1024),
       pending.Order(pending.VOLUME, '30'), pending.recovery(None),
       pending.recovery('an-id'), pending.Order(pending.GROW, '4'),
       pending.shrinking([FOUR, FIVE]), pending.Order(pending.CERTIFICATES))


def row(number: int, text: str | None) -> Any:
    return types.SimpleNamespace(id=number, task_description=text)


class OrderTest(testtools.TestCase):

    def test_what_is_written_is_read(self) -> None:
        for order in ALL:
            found = pending.Order.parse(order.text)
            assert found is not None
            self.assertEqual((order, order.taken), (found, found.taken))

    def test_what_it_takes_is_no_part_of_what_is_ordered(self) -> None:
        self.assertEqual(ALL[1], pending.Order(pending.FLAVOR, '7', 512))

    def test_its_form(self) -> None:
        self.assertEqual(
            ['pxc1:restart', 'pxc1:flavor:7', 'pxc1:flavor:f3b1e2d4 of GB',
             'pxc1:flavor+512:7', 'pxc1:flavor-1024:a (b)\n',
             'pxc1:volume:30', 'pxc1:recover', 'pxc1:force:an-id',
             'pxc1:grow:4', 'pxc1:shrink:4f7dcd9c, 5a3c1e77',
             'pxc1:certificates'],
            [order.text for order in ALL])

    def test_the_form_before_is_read(self) -> None:
        for order, text in zip(ALL, (
                'a restart', 'the flavor 7', 'the flavor f3b1e2d4 of GB',
                'the flavor 7 (+512 MB of ram)',
                'the flavor a (b)\n (-1024 MB of ram)', 'a volume of 30 GB',
                'a recovery', 'a recovery, by force from an-id',
                'to let in all members from number 4 on',
                'to stay without 4f7dcd9c, 5a3c1e77', 'new certificates'),
                strict=True):
            found = pending.Order.parse(f'Ordered: {text}')
            assert found is not None
            self.assertEqual((order, order.taken), (found, found.taken))

    def test_troves_texts_are_no_orders(self) -> None:
        for task in InstanceTask._lookup.values():
            self.assertIsNone(pending.Order.parse(task.db_text))
        for text in (None, '', 'Ordered: ', 'Ordered: something else',
                     'pxc1:', 'pxc1:grow', 'pxc1:grow:', 'pxc1:restart:4',
                     'pxc1:dance', 'pxc2:grow:4', ' pxc1:grow:4'):
            self.assertIsNone(pending.Order.parse(text))

    def test_it_fits_into_the_column(self) -> None:
        longest = pending.Order(pending.FLAVOR, 'f' * 200)
        self.assertLess(len(longest.text), 255)


class SizeTest(testtools.TestCase):
    """Which members join or leave, from the rows of all members."""

    grow = pending.Order(pending.GROW, '4')

    def row(self, name: str, order: pending.Order | None = None,
            **others: Any) -> Any:
        return types.SimpleNamespace(**{
            'id': name, 'name': name, 'shard_id': None,
            'task_description': order.text if order else 'Building.',
            **others})

    def joining(self, *rows: Any) -> list[str] | None:
        return pending.joining(self.grow, 'c', rows)

    def test_joining(self) -> None:
        self.assertEqual(['c-4', 'named'], self.joining(
            self.row('c-3', self.grow), self.row('c-4'),
            self.row('named', shard_id='5')))

    def test_who_was_there_is_no_joining_member_whatever_it_is_called(
            self) -> None:
        self.assertEqual([], self.joining(
            self.row('c-1'), self.row('c-9', self.grow),
            self.row('renamed', self.grow)))

    def test_one_that_cannot_be_told_is_not_guessed_at(self) -> None:
        self.assertIsNone(self.joining(
            self.row('c-4'), self.row('renamed')))

    def test_who_leaves_may_be_gone_already(self) -> None:
        order = pending.shrinking([FOUR, FIVE])
        assert order is not None
        self.assertEqual([FIVE], pending.leaving(order, [
            self.row('c-1', order), self.row('c-5', id=FIVE)]))

    def test_two_whose_ids_begin_alike_are_not_guessed_at(self) -> None:
        order = pending.shrinking([FOUR])
        assert order is not None
        self.assertIsNone(pending.leaving(order, [
            self.row('c-4', id=FOUR), self.row('c-1', id=FOUR[:8] + '-1')]))

    def test_more_than_the_column_holds(self) -> None:
        ids = [f'{number:08d}-1' for number in range(30)]
        order = pending.shrinking(ids[:20])
        assert order is not None
        self.assertLessEqual(len(order.text), 255)
        self.assertIsNone(pending.shrinking(ids))


class WaitingTest(testtools.TestCase):

    def test_nobody(self) -> None:
        self.assertEqual((None, []), pending.waiting([]))
        self.assertEqual((None, []), pending.waiting(
            [row(1, 'No tasks for the instance.')]))

    def test_those_who_are_left(self) -> None:
        order = pending.Order(pending.VOLUME, '3')
        self.assertEqual((order, ['2', '3']), pending.waiting(
            [row(1, 'No tasks for the instance.'), row(2, order.text),
             row(3, order.text)]))

    def test_a_leftover_of_another_order_is_not_joined(self) -> None:
        first, other = ALL[0], ALL[1]
        self.assertEqual((first, ['1']), pending.waiting(
            [row(1, first.text), row(2, other.text)]))
