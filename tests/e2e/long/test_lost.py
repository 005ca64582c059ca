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

"""A member's server or port is deleted in the cloud, without Trove.

Each test carries out the commands of the reported next action.
"""

import re
import shlex
import time

from lab import cloud_api
from lab.guest import control
from lab import home as lab_home
from tests.e2e import laboratory
from tests.e2e import test_grow

GONE = 'it was deleted in Nova, not through Trove'
NO_PORT = 'its Neutron port is gone'


class TestLost(test_grow.Base):

    def setUp(self):
        super().setUp()
        self.compute = f'/compute/{lab_home.PROJECT}/v2.1/servers'
        self.server_id = control.find(self.home, 'grow-2').server_id

    def cloud(self, method, path, body=None):
        return cloud_api.request(self.home, method, path, body)

    def delete_server(self):
        self.cloud('DELETE', f'{self.compute}/{self.server_id}')

    def delete_port(self):
        ports = f'/network/{lab_home.PROJECT}/v2.0/ports'
        member = self.members()['grow-2']['id']
        (port,) = self.cloud('GET', f'{ports}?name=trove-{member}')['ports']
        self.cloud('DELETE', f'{ports}/{port["id"]}')

    def refused(self, *words):
        """The message of the command that failed."""
        began = time.monotonic()
        error = self.assertRaises(
            laboratory.Refused, laboratory.openstack, 'database', 'cluster',
            *words)
        print(f'{words[0]} was refused after '
              f'{time.monotonic() - began:.1f} s', flush=True)
        return ' '.join(str(error).split())

    def follow(self, advice):
        """Carry out each command that the next action names."""
        commands = re.findall('"(openstack [^"]*)"', advice)
        self.assertNotEqual([], commands, advice)
        for command in commands:
            words = shlex.split(command)[1:]
            if words[:2] == ['server', 'stop']:
                self.cloud('POST', f'{self.compute}/{words[2]}/action',
                           {'os-stop': None})
                continue
            laboratory.openstack(*(
                laboratory.member_option('1')
                if word == 'flavor=FLAVOR,volume=SIZE' else word
                for word in words))
            self.wait_over()

    def assert_replaced(self):
        self.assertEqual(self.called(1, 3, 4), self.names())
        laboratory.wait_ready(self.cluster_id)
        laboratory.wait_agreement(self.called(1, 3, 4), self.uuid)

    def health(self):
        return laboratory.openstack('database', 'cluster', 'health', 'show',
                                    test_grow.NAME)

    def test_deleted_server_is_reported_and_replaced(self):
        with self.writing(self.called(1, 3), fewest=2):
            self.delete_server()
            self.assertIn('grow-2 has no server in Nova', self.health())
            for command in ('recover', 'restart'):
                told = self.refused(command, test_grow.NAME, '--wait')
                self.assertIn(GONE, told)
                self.assertIn(self.server_id, told)
            self.follow(told)
        self.assert_replaced()

    def test_deleted_port_is_reported_and_replaced(self):
        with self.writing(self.called(1, 3), fewest=2):
            self.delete_port()
            servers = self.cloud('GET', self.compute)['servers']
            told = self.refused('grow', test_grow.NAME, '--instance',
                                laboratory.member_option('1'))
            self.assertIn(NO_PORT, told)
            self.assertEqual(
                len(servers), len(self.cloud('GET', self.compute)['servers']))
            self.follow(told)
        self.assert_replaced()
