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

"""The defaults of a cluster are chosen once, and kept."""

import mock
from trove.configuration import models as configuration_models

from tests.unit.taskmanager import fakes
from trove_pxc.galera.membership import Membership
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import configure
from trove_pxc.taskmanager.steps import formation

NEW = (('character_set_server', 'utf8mb4'),
       ('collation_server', 'utf8mb4_general_ci'),
       ('wsrep_mode', 'STRICT_REPLICATION,DISALLOW_LOCAL_GTID'))


class DefaultsTest(fakes.ClusterTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.operation = formation.Formation('create', None, self.cluster)

    def configure(self, number: int) -> object:
        """The defaults in the new settings of the member."""
        member = self.operation.members[number - 1]
        self.operation.at = configure.CONFIGURE
        self.operation.subject = member
        workflow.set_found(self.operation, configure.CONFIGURE.do(
            self.operation, member))
        membership = self.guests[number].membership
        assert membership is not None
        self.assertTrue(configure.CONFIGURE.done(self.operation, member))
        return membership.facts.defaults

    def test_members_of_a_new_cluster(self) -> None:
        for number in self.guests:
            self.assertEqual(NEW, self.configure(number))

    def test_one_that_joins_gets_what_the_others_have(self) -> None:
        for number in (1, 2):
            self.configure(number)
        self.override(wsrep_mode=[], default_collation='latin1_bin')
        self.assertEqual(NEW, self.configure(3))

    def test_a_cluster_of_an_older_version_stays_as_it_is(self) -> None:
        for number in (1, 2):
            self.guests[number].membership = Membership(
                fakes.facts(), fakes.secrets())
        for number in (1, 2, 3):
            self.assertEqual((), self.configure(number))

    def test_what_an_operator_says(self) -> None:
        self.override(wsrep_mode=['REQUIRED_PRIMARY_KEY'],
                      default_collation='')
        self.assertEqual((('wsrep_mode', 'REQUIRED_PRIMARY_KEY'),),
                         self.configure(1))

    def test_what_the_configuration_group_says(self) -> None:
        self.change(1, configuration_id='group')
        with mock.patch.object(
                configuration_models.Configuration, 'load_items',
                autospec=True, return_value=[mock.Mock(
                    configuration_key='character_set_server',
                    configuration_value='latin1')]) as load:
            self.assertEqual(NEW[2:], self.configure(1))
        self.assertEqual('group', load.call_args.kwargs['id'])
