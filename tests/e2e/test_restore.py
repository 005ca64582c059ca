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

"""A backup is restored into a new cluster, with the real object store."""

import time
from typing import Any

from lab import api
from tests.e2e import backing
from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import load

SOURCE = 'source'
NAME = 'restored'
USER = 'an_app'
WAIT_SECONDS = '240'
#: rows that are written before each backup
ROWS = 20


class TestRestore(case.TestCase):
    """A chain of three backups, made under writes; its cluster was deleted.

    The only writer inserts a number more in each transaction, so the seqno of
    a backup shows which numbers it has.
    """

    chain: list[dict[str, Any]]
    damaged: dict[str, Any]
    first_seqno: int
    acknowledged: list[int]
    uuid: str

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        home = laboratory.home()
        cluster_id = laboratory.create_cluster(SOURCE)
        members = laboratory.wait_ready(cluster_id)['instances']
        names = [member['name'] for member in members]
        cls.uuid = laboratory.wait_agreement(names)
        laboratory.openstack('database', 'user', 'create', members[0]['id'],
                             USER, 'a-password')
        users = load.Load(names[:1], load.through_lab(home))
        users.prepare()
        cls.first_seqno = int(laboratory.wsrep(names[0])[
            'wsrep_last_committed'])
        cls.chain = []
        with users.running():
            for number in (1, 2, 3):
                cls.wait_written(users, ROWS * number)
                cls.chain.append(backing.make(
                    home, members[1]['id'], f'backup-{number}',
                    cls.chain[-1] if cls.chain else None))
            cls.wait_written(users, len(users.acknowledged) + ROWS)
        cls.acknowledged = list(users.acknowledged)
        cls.damaged = backing.make(home, members[2]['id'], 'damaged')
        laboratory.delete_cluster(cluster_id)

    @staticmethod
    def wait_written(users, number):
        ends = time.monotonic() + 60
        while len(users.acknowledged) < number:
            assert time.monotonic() < ends, 'the writer does not write'
            load.waiting.pause(0.1)

    def restore(self, result, *words):
        return laboratory.lab(
            'openstack', 'database', 'cluster', 'restore', result['id'],
            '--name', NAME, '--flavor', laboratory.FLAVOR, '--volume', '1',
            '--network', laboratory.NETWORK, *words, timeout=300)

    def delete(self):
        for cluster in api.clusters(laboratory.home()):
            if cluster['name'] == NAME:
                laboratory.delete_cluster(cluster['id'])

    def expected(self, result):
        """The numbers in a backup: one transaction each."""
        return list(range(result['seqno'] - self.first_seqno))

    def test_every_member_has_the_data_of_the_backup(self):
        last = self.chain[-1]
        self.addCleanup(self.delete)
        self.restore(last, '--wait', '--wait-timeout', WAIT_SECONDS)
        names = [f'{NAME}-{number}' for number in (1, 2, 3)]
        self.assertNotEqual(self.uuid, laboratory.wait_agreement(names))
        expected = self.expected(last)
        self.assertGreaterEqual(len(expected), 3 * ROWS)
        self.assertLess(len(expected), len(self.acknowledged))
        for name in names:
            self.assertEqual(expected, [int(row[0]) for row in laboratory.sql(
                name, f'SELECT number FROM {load.TABLE} ORDER BY number')])
            self.assertEqual([['1']], laboratory.sql(name, (
                'SELECT COUNT(*) FROM mysql.user '
                f"WHERE user = '{USER}'")))
        cluster = next(one for one in api.clusters(laboratory.home())
                       if one['name'] == NAME)
        self.assertEqual('HEALTHY', laboratory.openstack_json(
            'database', 'cluster', 'health', 'show', NAME)['state'])
        listed = laboratory.openstack_json(
            'database', 'user', 'list', cluster['instances'][2]['id'])
        self.assertEqual([USER], [user['Name'] for user in listed])
        laboratory.sql(names[2], f'INSERT INTO {load.TABLE} VALUES (-1)')

    def test_a_damaged_object_ends_it_with_its_name(self):
        self.addCleanup(self.delete)
        segment = f'{self.damaged["id"]}.segments/00000000'
        laboratory.lab('swift', 'corrupt', backing.CONTAINER, segment)
        refused = self.assertRaises(
            laboratory.Refused, self.restore, self.damaged, '--wait',
            '--wait-timeout', WAIT_SECONDS)
        for words in ('restore of restored-1', 'cannot fetch the backup',
                      segment, 'Use another backup'):
            self.assertIn(words, str(refused))

    def test_without_its_cluster_the_flavor_must_be_named(self):
        refused = self.assertRaises(
            laboratory.Refused, laboratory.openstack, 'database', 'cluster',
            'restore', self.chain[0]['id'], '--name', NAME)
        self.assertIn('--flavor and --volume', str(refused))
