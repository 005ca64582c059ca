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

"""The start program, run by sh with servers that record their arguments."""

import subprocess

from tests.unit.guestagent import fakes
from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import FOR_EVER
from tests.unit.guestagent.starting import UUID


class StartTest(starting.StartTestCase):

    def test_the_second_start_does_not_bootstrap(self) -> None:
        self.order('bootstrap')
        self.started()
        (self.fake / 'position').write_text(f'{UUID}:3')
        self.assertEqual([f'--wsrep_start_position={UUID}:3'],
                         self.started())

    def test_a_bootstrap_with_data_goes_on_from_its_position(self) -> None:
        self.database()
        self.order('bootstrap')
        self.assertEqual([f'--wsrep_start_position={UUID}:7',
                          '--wsrep-new-cluster'], self.started())
        self.assertFalse((self.fake / 'accounts').exists())

    def test_a_forming_joiner_asks_for_the_quick_transfer(self) -> None:
        self.order('form')
        self.assertEqual(['--wsrep_sst_method=rsync'], self.started())
        self.assertEqual([], self.started())

    def test_a_forming_joiner_with_data_is_an_ordinary_one(self) -> None:
        self.database()
        self.order('form')
        self.assertEqual([f'--wsrep_start_position={UUID}:7'],
                         self.started())

    def test_a_server_that_fails_is_told_as_it_ended(self) -> None:
        self.transfers(r"printf '%s\n' 'C:\new' '  last words' >&2; exit 3")
        done = self.start()
        self.assertEqual(3, done.returncode)
        self.assertTrue(done.stderr.endswith('C:\\new\n  last words\n'))

    def test_a_server_is_stopped_in_order(self) -> None:
        self.logs(then='trap "touch $FAKE/in-order; exit 0" TERM\n'
                  f'echo ready >&2\n{FOR_EVER}')
        program_ = subprocess.Popen(
            ['sh', self.script], stderr=subprocess.PIPE, text=True,
            env=self.environment())
        self.addCleanup(program_.kill)
        with program_.stderr as said:
            self.assertIn('ready\n', iter(said))
            fakes.until_shell_waits(program_.pid)
            program_.terminate()
            self.assertEqual(0, program_.wait())
        self.assertTrue((self.fake / 'in-order').exists())

    def test_an_order_that_stays_is_not_followed(self) -> None:
        self.order('bootstrap')
        self.command('#!/bin/sh\nexit 1\n', 'rm')
        self.assertIn('could not be removed', self.refused())

    def test_an_unknown_order_is_not_followed(self) -> None:
        self.order('explode')
        self.assertIn("unknown order 'explode'", self.refused())

    def test_half_an_order_is_not_followed(self) -> None:
        (self.pending / 'next-start').write_text('boots')
        self.assertIn('not a complete line', self.refused())
