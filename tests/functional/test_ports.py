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

"""Galera's ports are open to the members of one cluster only."""

from typing import Any

from trove.taskmanager import models as task_models

from tests.functional import base

GALERA = ((4444, 4444), (4567, 4568))


class PortsTest(base.TroveTest):

    def setUp(self) -> None:
        super().setUp()
        self.start_taskmanager()

    def made(self, number: int = 3) -> str:
        cluster_id = str(self.create(number=number).json['cluster']['id'])
        self.wait_for_task(cluster_id)
        return cluster_id

    def group(self, row: Any) -> str:
        (found,) = (group['id'] for group in self.cloud.groups.values()
                    if group['name'].endswith(row.id))
        return str(found)

    def let_in(self, row: Any) -> set[Any]:
        """The sources and ports from which a member can be reached."""
        return {(rule['remote_ip_prefix'], rule['port_range_min'],
                 rule['port_range_max'])
                for rule in self.cloud.rules.values()
                if rule['security_group_id'] == self.group(row)}

    def check(self, cluster_id: str) -> None:
        shown = self.show(cluster_id)
        for row, address in zip(self.instance_rows(cluster_id), shown['ip'],
                                strict=True):
            others = {other for other in shown['ip'] if other != address}
            self.assertEqual(
                {(None, 3306, 3306)} | {
                    (f'{other}/32', first, last)
                    for other in others for first, last in GALERA},
                self.let_in(row), row.name)

    def test_each_member_admits_the_other_members(self) -> None:
        for tcp_ports in (['3306'], ['3306', '4444', '4567', '4568']):
            self.override('tcp_ports', tcp_ports, 'mariadb')
            self.check(self.made())

    def test_rules_follow_members_that_join_and_leave(self) -> None:
        """A member that left has no access when its instance is gone."""
        self.override('tcp_ports', ['3306'], 'mariadb')
        cluster_id = self.made()
        left = self.instance_rows(cluster_id)[1]
        for action in (
                {'grow': [{'flavorRef': '1', 'volume': {'size': 1}}]},
                {'shrink': [{'id': left.id}]}):
            response = self.request(
                'POST', f'/clusters/{cluster_id}', action)
            self.assertEqual(202, response.status_int, response.text)
            self.wait_for_task(cluster_id)
            self.check(cluster_id)
        self.assertEqual(3, len(self.cloud.groups))

    def test_one_call_for_each_member(self) -> None:
        self.override('tcp_ports', ['3306'], 'mariadb')
        self.made(number=5)
        by_trove = 5
        self.assertEqual(
            by_trove + 5,
            self.cloud.calls.count('create_security_group_rule'))
        self.assertNotIn('delete_security_group_rule', self.cloud.calls)

    def test_another_taskmanager_corrects_the_rules(self) -> None:
        """Correct rules stay; others are replaced."""
        cluster_id = self.made()
        first, second, _ = self.instance_rows(cluster_id)
        for rule in list(self.cloud.rules.values()):
            if rule['security_group_id'] == self.group(first):
                if rule['port_range_min'] == 4444:
                    del self.cloud.rules[rule['id']]
        base.clouds.neutron(None).create_security_group_rule({
            'security_group_rule': {
                'direction': 'ingress', 'protocol': 'tcp',
                'security_group_id': self.group(second),
                'port_range_min': 4567, 'port_range_max': 4567,
                'remote_ip_prefix': '192.0.2.1/32'}})
        kept = set(self.cloud.rules)
        self.cluster_row(cluster_id).update(
            task_status=base.cluster_models.ClusterTasks.BUILDING_INITIAL)
        task_models.load_cluster_tasks(
            self.context(), cluster_id).create_cluster(
                self.context(), cluster_id)
        self.wait_for_task(cluster_id)
        self.check(cluster_id)
        self.assertEqual(1, len(kept - set(self.cloud.rules)))
        self.assertEqual(2, len(set(self.cloud.rules) - kept))

    def test_clusters_without_security_groups_are_created(self) -> None:
        self.override('trove_security_groups_support', False)
        self.made()
        self.assertEqual({}, self.cloud.groups)
        self.assertNotIn('create_security_group_rule', self.cloud.calls)
