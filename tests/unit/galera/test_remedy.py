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

"""The next command; test_diagnosis has the table of cases."""

import shlex

import testtools

from trove_pxc.galera import remedy
from trove_pxc.galera import roles
from trove_pxc.galera.roles import Role


class RemedyTest(testtools.TestCase):

    def test_every_role_that_is_wrong_has_a_remedy(self):
        remedies = remedy.Remedies('shop')
        for role in Role:
            if role not in roles.SERVING:
                self.assertIn('a-2', remedies.of_members({'a-2': role}))

    def test_names_are_such_that_the_shell_takes_them(self):
        remedies = remedy.Remedies('my shop; rm -r /')
        advice = remedies.of_members({'its 3rd': Role.STOPPED})
        command = advice.split('"')[1]
        self.assertEqual(
            ['openstack', 'database', 'cluster', 'restart',
             'my shop; rm -r /', '--member', 'its 3rd'],
            shlex.split(command))

    def test_the_worst_comes_first(self):
        remedies = remedy.Remedies('shop')
        self.assertIn('instance reboot a-3', remedies.of_members(
            {'a-1': Role.STOPPED, 'a-2': Role.JOINING, 'a-3': Role.SILENT}))
