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

"""Requests for backups; tests.functional.test_backups has the rest."""

import types
from typing import Any

import testtools
from trove.backup import models as backup_models
from trove.common import cfg

from tests.unit import tables
from trove_pxc.api import backups
from trove_pxc import backups as rows

CONF = cfg.CONF


class BackupsTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(tables.Tables())
        self.context = tables.context()
        cluster = tables.add_cluster(tables.add_version())
        self.cluster: Any = types.SimpleNamespace(id=cluster.id)
        self.member = tables.add_member(cluster, 'c-1')

    def test_container_of_the_member_then_of_the_project(self) -> None:
        def container() -> str:
            return backups._container(self.context, self.member.id)
        self.assertEqual(CONF.backup_swift_container, container())
        for instance_id, name in (('', 'of-project'),
                                  (self.member.id, 'of-member')):
            backup_models.BackupStrategy.create(
                self.context, instance_id, name)
            self.assertEqual(name, container())

    def test_backup_that_runs(self) -> None:
        self.assertIsNone(backups.running(self.cluster))
        row = rows.new_row(self.context, self.member, 'nightly', None, 'box',
                           None)
        self.assertEqual(f'nightly ({row.id}): NEW',
                         backups.running(self.cluster))
        row.update(state='BUILDING', description='mine [progress: copy]')
        self.assertEqual(f'nightly ({row.id}): progress: copy',
                         backups.running(self.cluster))
        row.update(state='COMPLETED')
        self.assertIsNone(backups.running(self.cluster))
