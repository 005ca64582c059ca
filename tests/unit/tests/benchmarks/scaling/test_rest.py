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
"""Copies of a cluster have IDs of their own, and nothing else changes."""

import testtools

from tests.benchmarks.scaling import rest

TEMPLATE: dict[str, list[rest.Row]] = {
    'clusters': [{'id': 'c1', 'name': 'template'}],
    'instances': [{'id': 'i1', 'cluster_id': 'c1', 'volume_id': None,
                   'compute_instance_id': 's1', 'task_id': 4}],
    'service_statuses': [{'id': 'x', 'instance_id': 'i1'}],
    'agent_heartbeats': [{'instance_id': 'i1', 'text': 'lease of i1 in c1'}]}


class CopiesTest(testtools.TestCase):

    def test_all_ids_of_the_cluster_are_new(self) -> None:
        ids = rest.renamed(TEMPLATE)
        self.assertEqual({'c1', 'i1', 's1'}, set(ids))
        self.assertEqual(3, len({*ids.values()} - {*ids}))

    def test_rows_refer_to_the_new_ids(self) -> None:
        ids = {'c1': 'c2', 'i1': 'i2', 's1': 's2'}
        self.assertEqual(
            [{'id': 'i2', 'cluster_id': 'c2', 'volume_id': None,
              'compute_instance_id': 's2', 'task_id': 4}],
            rest.copies(TEMPLATE['instances'], ids))
        self.assertEqual(
            [{'instance_id': 'i2', 'text': 'lease of i2 in c2'}],
            rest.copies(TEMPLATE['agent_heartbeats'], ids))

    def test_row_with_an_id_of_its_own_gets_another(self) -> None:
        copy = rest.copies(TEMPLATE['service_statuses'], {'i1': 'i2'})[0]
        self.assertEqual('i2', copy['instance_id'])
        self.assertNotEqual('x', copy['id'])
