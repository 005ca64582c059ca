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

"""The settings of a member's server, and the error if it cannot be read."""

import mock
from trove.common import exception
from trove.configuration import models as configuration_models
from trove.instance import models as instance_models

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import running


class ConfigurationTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.members(self.add_cluster())[0]

    def configuration(self) -> dict[str, str]:
        context = tables.context()
        return running.configuration(context, instance_models.Instance.load(
            context, self.row.id))

    def test_what_the_guest_tells(self) -> None:
        self.guest.member_variables.return_value = {'wsrep_on': 'ON'}
        self.assertEqual({'wsrep_on': 'ON'}, self.configuration())
        self.guest.member_variables.assert_called_once_with({}.keys())
        self.create_guest.assert_called_once_with(
            mock.ANY, self.row.id, 'mariadb')

    def test_variables_of_the_configuration_group(self) -> None:
        group = configuration_models.Configuration.create(
            'g', '', base.PROJECT, None, self.version.id)
        configuration_models.Configuration.create_items(
            group.id, {'max_connections': 77})
        self.row.update(configuration_id=group.id)
        self.guest.member_variables.return_value = {}
        self.configuration()
        self.assertEqual(['max_connections'], list(
            self.guest.member_variables.call_args.args[0]))

    def test_no_answer(self) -> None:
        for silence in (exception.GuestTimeout(), exception.GuestError(
                original_message='no database server listens')):
            self.guest.member_variables.side_effect = silence
            refusal = self.assertRaises(
                exception.UnprocessableEntity, self.configuration)
            self.assertIn(f'member c-1 ({self.row.id}) cannot be read: ',
                          str(refusal))
            self.assertIn(str(silence), str(refusal))
            self.assertIn('try again when the member serves', str(refusal))
