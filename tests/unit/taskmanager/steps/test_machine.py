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

"""The flavor of a server in Nova, and requests that are sent once."""

import dataclasses
import types
from typing import Any

import mock
from novaclient import exceptions as nova_exceptions
import testtools

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.operations import resize
from trove_pxc.taskmanager.steps import formation
from trove_pxc.taskmanager.steps import machine
from trove_pxc import waiting

SMALL = types.SimpleNamespace(id='2', name='small')


class HasFlavorTest(testtools.TestCase):

    def has(self, **shown: str) -> bool:
        return machine._has_flavor(
            types.SimpleNamespace(flavor=shown), SMALL)

    def test_older_novas_tell_the_id(self) -> None:
        self.assertTrue(self.has(id='2'))
        self.assertFalse(self.has(id='1'))

    def test_newer_ones_the_name(self) -> None:
        self.assertTrue(self.has(original_name='small', ram='1024'))
        self.assertFalse(self.has(original_name='tiny', ram='512'))


class AskTest(testtools.TestCase):

    def test_a_request_that_is_at_work_already_is_waited_for(self) -> None:
        for error in (nova_exceptions.Conflict(409, 'resizing'),
                      nova_exceptions.NotFound(404, 'no attachment')):
            seen = self.assertRaises(
                waiting.NotYet, machine._ask, mock.Mock(side_effect=error))
            self.assertIn('Nova refuses the request now', str(seen))

    def test_what_is_refused_for_good_is_not(self) -> None:
        self.assertRaises(nova_exceptions.Forbidden, machine._ask, mock.Mock(
            side_effect=nova_exceptions.Forbidden(403)))


class EndResizeTest(fakes.ClusterTestCase):
    """Nova waits until the new flavor is confirmed or reverted."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.answered: list[str] = []
        self.server: Any = self.cloud.servers['server-2']
        self.server.status = 'VERIFY_RESIZE'
        self.server.flavor = {'id': '7'}
        self.server.confirm_resize = lambda: self.answered.append('confirm')
        self.server.revert_resize = lambda: self.answered.append('revert')
        self.cloud.nova.flavors.get = lambda flavor: types.SimpleNamespace(
            id=flavor, name='large', ram=2048)
        self.operation = resize.FLAVOR.state(
            None, self.cluster, [self.id_of(2)], '7')
        self.operation.subject = self.operation.members[1]

    def take(self, step: Any) -> None:
        """Run a step for a server that is ready a while later."""
        self.operation.at = step
        self.clock.after(20, lambda: setattr(self.server, 'status', 'ACTIVE'))
        step.do(self.operation, self.operation.subject)
        self.assertGreaterEqual(self.clock.now, 20)

    def test_nova_is_asked_once_to_confirm(self) -> None:
        """The server shows VERIFY_RESIZE for a while."""
        self.take(machine.CONFIRM)
        self.assertEqual(['confirm'], self.answered)
        self.assertEqual('7', self.tables.instance(self.id_of(2)).flavor_id)

    def test_nova_is_asked_once_to_revert(self) -> None:
        self.take(machine.REVERT)
        self.assertEqual(['revert'], self.answered)

    def test_it_is_confirmed_when_nova_and_the_row_say_so(self) -> None:
        def confirmed() -> bool:
            return machine.CONFIRM.done(
                self.operation, self.operation.subject)
        self.assertFalse(confirmed())
        self.server.status = 'ACTIVE'
        self.assertFalse(confirmed())
        self.change(2, flavor_id='7')
        self.assertTrue(confirmed())
        self.server.status = 'VERIFY_RESIZE'
        self.assertFalse(confirmed())

    def test_a_flavor_that_nova_does_not_give_is_asked_for_once(
            self) -> None:
        self.server.flavor, self.server.status = {'id': '1'}, 'ACTIVE'
        self.server.resize = self.answered.append
        self.operation.at = machine.RESIZE
        failed = self.assertRaises(
            exceptions.MemberFailed, machine.RESIZE.do, self.operation,
            self.operation.subject)
        self.assertIn('did not change the flavor of its server server-2',
                      failed.cause)
        self.assertEqual(['7'], self.answered)

    def test_an_answer_that_nova_refuses_is_given_again(self) -> None:
        refusals = [nova_exceptions.Conflict(409, 'busy')]

        def confirm() -> None:
            self.answered.append('confirm')
            if refusals:
                raise refusals.pop()
        self.server.confirm_resize = confirm
        self.take(machine.CONFIRM)
        self.assertEqual(['confirm'] * 2, self.answered)


class FindFlavorTest(fakes.ClusterTestCase):

    def test_nova_is_asked_once_for_the_ordered_one(self) -> None:
        asked: list[str] = []
        self.cloud.nova.flavors.get = lambda flavor: (
            asked.append(flavor) or types.SimpleNamespace(id=flavor, ram=1))
        operation = resize.FLAVOR.state(
            None, self.cluster, [self.id_of(1), self.id_of(2)], '7')
        workflow.run(operation, [workflow.Each(
            formation.passing, (machine.FIND_FLAVOR,))])
        self.assertEqual(['7'], asked)
        self.assertEqual('7', operation.found.flavor.id)


class RevertTest(fakes.ClusterTestCase):
    """The flavor after a resize was undone, or could not be undone."""

    def setUp(self) -> None:
        super().setUp()
        self.complete()
        self.server: Any = self.cloud.servers['server-2']
        self.server.flavor = {'id': '7'}
        self.server.revert_resize = lambda: None
        self.operation = resize.FLAVOR.state(
            None, self.cluster, [self.id_of(2)], '7')
        self.operation.subject = self.operation.members[1]
        workflow.set_found(self.operation, dataclasses.replace(
            self.operation.found, keeps_flavor=True,
            flavor=types.SimpleNamespace(id='7', name='large', ram=2048)))

    def revert(self) -> Any:
        self.operation.at = machine.REVERT
        return machine.REVERT.do(self.operation, self.operation.subject)

    def test_one_that_was_confirmed_has_the_new_one(self) -> None:
        self.assertFalse(self.revert().keeps_flavor)
        self.assertEqual('7', self.tables.instance(self.id_of(2)).flavor_id)

    def test_one_that_was_reverted_has_the_old_one(self) -> None:
        self.server.flavor = {'id': '1'}
        self.assertIsNone(self.revert())
        self.assertTrue(self.operation.found.keeps_flavor)
        self.assertEqual('1', self.tables.instance(self.id_of(2)).flavor_id)


class StepsTest(testtools.TestCase):

    def test_every_time_out_is_an_option(self) -> None:
        from trove_pxc import conf
        names = {option.dest for _, options in conf.list_opts()
                 for option in options}
        for step in (machine.RESIZE, machine.CONFIRM, machine.REVERT,
                     machine.DETACH, machine.EXTEND, machine.ATTACH):
            self.assertIn(step.timeout, names)
