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

"""The stored message of a request."""

import testtools
from trove.common import cfg
from trove.common import notification

from tests.unit import tables
from trove_pxc.taskmanager import messages

CONF = cfg.CONF
ARGUMENTS = {'instance_id': 'i', 'flavor': {'id': '7', 'ram': 512},
             'nics': [{'network_id': 'n'}], 'modules': ['swordfish' * 9],
             'locality': None}


class MessageTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.context = tables.context()
        self.context.notification = notification.DBaaSInstanceCreate(
            self.context, request_id=self.context.request_id,
            server_type='taskmanager', tenant_id='demo',
            client_ip='192.0.2.1', server_ip='192.0.2.2')

    def test_what_is_packed_is_unpacked(self) -> None:
        context, arguments = messages.unpack(
            messages.pack(self.context, ARGUMENTS))
        self.assertEqual(ARGUMENTS, arguments)
        for name in ('request_id', 'project_id', 'auth_token', 'roles'):
            self.assertEqual(getattr(self.context, name),
                             getattr(context, name))
        self.assertIsInstance(context.notification,
                              notification.DBaaSInstanceCreate)
        self.assertEqual('192.0.2.1',
                         context.notification.payload['client_ip'])

    def test_nobody_reads_it_without_the_key(self) -> None:
        message = messages.pack(self.context, ARGUMENTS)
        self.assertNotIn('swordfish', message)
        CONF.set_override('taskmanager_rpc_encr_key', 'another key')
        self.addCleanup(CONF.clear_override, 'taskmanager_rpc_encr_key')
        self.assertRaises(Exception, messages.unpack, message)  # noqa: H202

    def test_each_message_is_encrypted_anew(self) -> None:
        self.assertNotEqual(messages.pack(self.context, ARGUMENTS),
                            messages.pack(self.context, ARGUMENTS))
