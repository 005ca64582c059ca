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
"""The requests that trove-dashboard sends, and the answers that it reads.

Source: trove-dashboard 27.0.0. api/trove.py builds the bodies;
content/database_clusters/tables.py and tabs.py read the answers.
"""

from typing import Any

from tests.functional import base
from tests.functional import cloud as clouds


def launched(number: int = 3, volume: int = 1) -> list[dict[str, Any]]:
    """The instances of trove_dashboard.api.trove.cluster_create."""
    instance: dict[str, Any] = {
        'flavorRef': '1', 'nics': [{'network_id': clouds.NETWORK}]}
    if volume > 0:
        instance['volume'] = {'size': volume}
    return [dict(instance) for _ in range(number)]


class DashboardTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()
        self.add_datastore('pxc', '8.0')

    def launch(self, **changes: Any) -> Any:
        return self.request('POST', '/clusters', {'cluster': {
            'name': 'products',
            'datastore': {'type': 'pxc', 'version': '8.0'},
            'instances': launched(), **changes}})

    def launch_whole(self) -> str:
        answer = self.launch()
        self.assertEqual(200, answer.status_int, answer.text)
        cluster_id = str(answer.json['cluster']['id'])
        self.wait_for_task(cluster_id)
        return cluster_id

    def refused(self, answer: Any, *words: str) -> None:
        """The message is written for users: the panel shows or logs it."""
        self.assertIn(answer.status_int, (400, 422), answer.text)
        (error,) = answer.json.values()
        for word in words:
            self.assertIn(word, error['message'])

    def test_answer_has_the_attributes_that_the_tables_read(self) -> None:
        cluster_id = self.launch_whole()
        listed = self.request('GET', '/clusters?limit=20').json['clusters']
        shown = self.show(cluster_id)
        for cluster in (listed[0], shown):
            self.assertEqual(
                ('products', cluster_id, 'pxc', '8.0', 'NONE'),
                (cluster['name'], cluster['id'],
                 cluster['datastore']['type'],
                 cluster['datastore']['version'], cluster['task']['name']))
            self.assertEqual('1', cluster['instances'][0]['flavor']['id'])
        # The panel shows it at the start of "Connection Information".
        self.assertIsInstance(shown['ip'][0], str)
        for member in shown['instances']:
            self.assertEqual('member', member['type'])
            self.assertIsInstance(member['ip'][0], str)
            self.assertTrue(member['status'])
            instance = self.request(
                'GET', f'/instances/{member["id"]}').json['instance']
            self.assertEqual(
                (member['name'], '1', 1, 'ACTIVE'),
                (instance['name'], instance['flavor']['id'],
                 instance['volume']['size'], instance['status']))

    def test_locality_is_passed_on_and_shown(self) -> None:
        answer = self.launch(locality='anti-affinity')
        cluster_id = answer.json['cluster']['id']
        self.wait_for_task(cluster_id)
        self.assertEqual('anti-affinity', self.show(cluster_id)['locality'])

    def test_invalid_launches_are_refused(self) -> None:
        self.refused(self.launch(instances=launched(volume=0)), 'olume')
        self.refused(self.launch(instances=launched(2)), '3')

    def test_requests_to_grow_and_shrink_are_accepted(self) -> None:
        cluster_id = self.launch_whole()
        path = f'/clusters/{cluster_id}'
        new = launched(1)[0]
        for wrong, word in (({'related_to': 'products-1'}, 'related_to'),
                            ({'type': 'arbiter'}, 'member')):
            self.refused(self.request(
                'POST', path, {'grow': [{**new, **wrong}]}), word)
        grown = self.request('POST', path, {'grow': [
            {**new, 'name': 'fourth', 'type': 'member'}]})
        self.assertEqual(202, grown.status_int, grown.text)
        self.wait_for_task(cluster_id)
        members = self.show(cluster_id)['instances']
        self.assertEqual('fourth', members[-1]['name'])
        shrunk = self.request('POST', path, {
            'shrink': [{'id': members[-1]['id']}]})
        self.assertEqual(202, shrunk.status_int, shrunk.text)
        self.wait_for_task(cluster_id)
        self.assertEqual(3, len(self.show(cluster_id)['instances']))
