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
"""Faults of Swift that are set one after another."""

import fixtures
import testtools

from lab import errors
from lab import home as lab_home
from lab.swift import conf
from lab.swift import control
from lab.swift import faults


class ControlTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)

    def test_a_fault_leaves_the_others(self) -> None:
        self.home.swift.mkdir()
        control.change_faults(self.home, share=0.5, kinds=('503',))
        control.change_faults(self.home, delay=2.0)
        self.assertEqual(
            faults.Faults(share=0.5, kinds=('503',), delay=2.0),
            faults.load(conf.file_of_faults(self.home)))

    def test_there_is_no_lab(self) -> None:
        for act in (lambda: control.change_faults(self.home, share=1),
                    lambda: control.fill(self.home, 0),
                    lambda: control.stop(self.home, control.PARTS),
                    lambda: control.heal(self.home),
                    lambda: control.set_token_life(self.home, 5)):
            self.assertRaises(errors.LabError, act)
        self.assertFalse(self.home.exists)

    def test_a_process_that_does_not_run_cannot_hang(self) -> None:
        self.home.swift.mkdir()
        error = self.assertRaises(errors.LabError, control.freeze, self.home,
                                  ['proxy'])
        self.assertEqual('swift-proxy is not running', str(error))
