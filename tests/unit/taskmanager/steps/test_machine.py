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

"""A server's flavor, however Nova shows it."""

import types

import mock
from novaclient import exceptions as nova_exceptions
import testtools

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
            self.assertIn('Nova refuses it now', str(seen))

    def test_what_is_refused_for_good_is_not(self) -> None:
        self.assertRaises(nova_exceptions.Forbidden, machine._ask, mock.Mock(
            side_effect=nova_exceptions.Forbidden(403)))


class StepsTest(testtools.TestCase):

    def test_every_time_out_is_an_option(self) -> None:
        from trove_pxc import conf
        names = {option.dest for _, options in conf.list_opts()
                 for option in options}
        for step in (machine.RESIZE, machine.CONFIRM, machine.REVERT,
                     machine.DETACH, machine.EXTEND, machine.ATTACH):
            self.assertIn(step.timeout, names)
