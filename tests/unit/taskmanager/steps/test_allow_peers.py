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

"""The Galera ports are open to the other members, and to no others."""

from tests.unit.taskmanager.steps import base
from trove_pxc.taskmanager.steps import allow_peers


class AdmitTest(base.FormationTestCase):

    def test_the_others_are_let_in_and_nobody_else(self) -> None:
        neutron = self.cloud.neutron
        neutron.groups[f'trove_sg-{self.id_of(2)}'] = 'group-2'
        self.assertFalse(self.done(allow_peers.ALLOW_PEERS, 2))
        self.do(allow_peers.ALLOW_PEERS, 2)
        self.assertEqual(
            {'10.0.0.1/32', '10.0.0.3/32'},
            {rule['remote_ip_prefix'] for rule in neutron.rules})
