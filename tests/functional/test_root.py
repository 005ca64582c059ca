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

"""Root of a cluster, enabled and disabled through a member or the cluster."""

from typing import Any

from trove.instance import service_status

from tests.functional import base

Statuses = service_status.ServiceStatuses


class RootTest(base.TroveTest):

    manager = 'mariadb'
    version = '10.11'

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        if self.manager != 'mariadb':
            self.add_datastore(self.manager, self.version)
        created = self.create(datastore={
            'type': self.manager, 'version': self.version})
        self.assertEqual(200, created.status_int, created.text)
        self.cluster_id = created.json['cluster']['id']
        self.wait_for_task(self.cluster_id)
        self.rows = self.instance_rows(self.cluster_id)
        self.places = [f'/clusters/{self.cluster_id}/root', *(
            f'/instances/{row.id}/root' for row in self.rows)]

    def check_enabled(self, enabled: bool) -> None:
        """Each member and the cluster show the same."""
        for place in self.places:
            shown = self.request('GET', place)
            self.assertEqual(200, shown.status_int, shown.text)
            self.assertEqual({'rootEnabled': enabled}, shown.json)

    def test_root_can_be_enabled_through_a_member(self) -> None:
        self.check_enabled(False)
        made = self.request('POST', self.places[2])
        self.assertEqual(200, made.status_int, made.text)
        self.assertEqual(
            {'name': 'root',
             'password': self.galera.users['root@%']['_password']},
            made.json['user'])
        self.assertIn('enable root products-2', self.galera.events)
        self.check_enabled(True)
        gone = self.request('DELETE', self.places[3])
        self.assertEqual(204, gone.status_int, gone.text)
        self.assertIn('disable root products-3', self.galera.events)
        self.check_enabled(False)
        self.assertEqual(404, self.request(
            'DELETE', self.places[1]).status_int)
        self.request('POST', self.places[1])
        self.check_enabled(True)

    def test_root_can_be_enabled_with_a_password_for_the_cluster(self) -> None:
        made = self.request('POST', self.places[0], {'password': 'chosen'})
        self.assertEqual('chosen', made.json['user']['password'])
        self.assertEqual('chosen', self.galera.users['root@%']['_password'])
        self.check_enabled(True)

    def test_another_member_is_used_if_the_first_one_is_down(self) -> None:
        self.say(self.rows[:1], Statuses.CRASHED)
        self.request('POST', self.places[1])
        self.assertIn('enable root products-2', self.galera.events)

    def test_refused_while_no_member_serves(self) -> None:
        self.say(self.rows, Statuses.CRASHED)
        refused = self.request('POST', self.places[0])
        self.assertEqual(422, refused.status_int, refused.text)
        self.assertIn('No member of cluster products', refused.text)
        self.check_enabled(False)

    def test_other_projects_find_nothing(self) -> None:
        for place in self.places:
            answer = self.request('GET', place, project='other')
            self.assertEqual(404, answer.status_int, answer.text)

    def say(self, rows: list[Any], status: Any) -> None:
        for row in rows:
            kept = base.instance_models.InstanceServiceStatus.find_by(
                instance_id=row.id)
            kept.set_status(status)
            kept.save()


class PxcRootTest(RootTest):
    """Trove's own extension refuses the datastore pxc."""

    manager = 'pxc'
    version = '8.0'
