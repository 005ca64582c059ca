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

"""The task of a cluster: setting it, and removing it after a failure."""

from typing import Any

from trove.cluster.tasks import ClusterTasks
from trove.common import exception
from trove.instance import models as instance_models

from tests.unit.api import base
from trove_pxc.api import claims
from trove_pxc import pending
from trove_pxc import starts

RESTART = pending.Order(pending.RESTART)
TASK = ClusterTasks.RESTARTING_CLUSTER


class ClaimsTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.row = self.add_cluster()
        self.cluster = self.load(self.row)
        self.targets = self.members(self.row)[:2]
        self.ids = [row.id for row in self.targets]

    def ordered(self) -> list[str]:
        return [row.id for row in self.members(self.row)
                if pending.of(row) == RESTART]

    def task(self) -> Any:
        return self.load(self.row).db_info.task_status

    def test_one_takes_it(self) -> None:
        claims.claim(self.cluster, TASK, self.ids, RESTART)
        self.assertEqual((TASK, self.ids), (self.task(), self.ordered()))
        self.assertEqual(TASK, self.cluster.db_info.task_status)
        self.assertEqual(
            {self.row.id: starts.Start(TASK.code,
                                       self.cluster.context.request_id)},
            starts.of({self.row.id: TASK.code}))
        self.assertRaises(exception.UnprocessableEntity, claims.claim,
                          self.load(self.row), TASK, self.ids, RESTART)

    def test_the_cast(self) -> None:
        instance_models.save_instance_fault(self.ids[0], 'an old one', '')
        seen: list[Any] = []

        def cast(*arguments: Any, **named: Any) -> None:
            seen.append((arguments, named))
            self.assertEqual(self.ids, self.ordered())
        claims.hand_over(self.cluster, self.targets, TASK, RESTART, cast,
                         more_of='this')
        self.assertEqual([(('mariadb', self.row.id, self.ids),
                           {'more_of': 'this'})], seen)
        self.assertEqual((TASK, self.ids), (self.task(), self.ordered()))
        self.assertIsNone(instance_models.DBInstanceFault.get_by(
            instance_id=self.ids[0]))

    def test_a_cast_that_fails(self) -> None:
        def cast(*arguments: Any) -> None:
            raise ConnectionError('no broker')
        self.assertRaises(ConnectionError, claims.hand_over, self.cluster,
                          self.targets, TASK, RESTART, cast)
        self.assertEqual((ClusterTasks.NONE, []),
                         (self.task(), self.ordered()))
