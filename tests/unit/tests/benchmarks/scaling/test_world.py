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
"""Calls of the cloud are counted without their IDs."""

import uuid

import testtools

from tests.benchmarks.scaling import world


class PatternTest(testtools.TestCase):

    def test_ids_and_project_are_left_out(self) -> None:
        self.assertEqual(
            'GET compute/v2.1/servers/*',
            world.pattern('GET', f'/compute/demo/v2.1/servers/'
                          f'{uuid.uuid4()}'))
        self.assertEqual('POST network/v2.0/ports',
                         world.pattern('POST', '/network/admin/v2.0/ports'))


class RenamedTest(testtools.TestCase):

    def test_ids_are_replaced_at_any_depth(self) -> None:
        self.assertEqual(
            {'id': 'b', 'volumes': [{'id': 'y'}], 'size': 1},
            world.renamed({'id': 'a1', 'volumes': [{'id': 'x1'}], 'size': 1},
                          {'a1': 'b', 'x1': 'y'}))
