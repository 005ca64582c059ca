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


def remedies(cluster='shop', altered=None, least=3):
    return remedy.Remedies(
        cluster, {'a-1': 'id-1', 'a-2': 'id-2', 'a-3': 'id-3'},
        altered or {}, least)


class RemedyTest(testtools.TestCase):

    def test_every_role_that_is_wrong_has_a_remedy(self):
        for role in Role:
            if role not in roles.SERVING:
                advice = remedies().of_members({'a-2': role})
                self.assertTrue('a-2' in advice or 'id-2' in advice, advice)
                self.assertNotIn('{', advice)

    def test_commands_are_such_that_the_shell_takes_them(self):
        advice = remedies('my shop; rm -r /').of_members(
            {'a-3': Role.STOPPED})
        command = advice.split('"')[1]
        self.assertEqual(
            ['openstack', 'database', 'cluster', 'restart',
             'my shop; rm -r /', '--member', 'id-3'],
            shlex.split(command))

    def test_the_worst_comes_first(self):
        self.assertIn('instance reboot id-3', remedies().of_members(
            {'a-1': Role.STOPPED, 'a-2': Role.JOINING, 'a-3': Role.SILENT}))

    def test_what_keeps_a_restart_from_being_possible_is_brought_back(self):
        """With a member that failed to join, and others that do not serve."""
        for role, advice in ((Role.STOPPED, 'recover shop'),
                             (Role.LOCKED, 'recover shop'),
                             (Role.READ_ONLY, 'SET GLOBAL read_only'),
                             (Role.GONE, 'shrink shop id-1')):
            self.assertIn(advice, remedies(
                altered={'a-1': ('read_only',)}, least=2).of_members(
                    {'a-1': role, 'a-2': Role.FAILED}), role)

    def test_each_role_is_about_its_own_variables(self):
        altered = {'a-1': ('wsrep_desync', 'super_read_only', 'read_only')}
        for role, statement in (
                (Role.DESYNCED, '"SET GLOBAL wsrep_desync = OFF"'),
                (Role.READ_ONLY, '"SET GLOBAL read_only = OFF"')):
            self.assertIn(statement, remedies(altered=altered).of_members(
                {'a-1': role}))
