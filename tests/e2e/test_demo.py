# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The first command of the README."""

from tests.e2e import case
from tests.e2e import laboratory

NAME = 'products'


class TestDemo(case.TestCase):

    def test_demo_succeeds_and_shows_the_cluster(self):
        self.addCleanup(self.make_sure)
        printed = laboratory.lab('demo', timeout=480)
        for number in (1, 2, 3):
            self.assertIn(f'{NAME}-{number}', printed)
        for command in ('list', 'show', 'list instances'):
            self.assertIn(f'openstack database cluster {command}', printed)
        laboratory.wait_agreement(
            [f'{NAME}-{number}' for number in (1, 2, 3)])

    def make_sure(self):
        listed = laboratory.openstack_json('database', 'cluster', 'list')
        for row in listed:
            if row['Name'] == NAME:
                laboratory.delete_cluster(row['ID'], timeout=60)
