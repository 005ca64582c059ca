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

"""One cluster of three: what Trove shows, and the faults it survives."""

import contextlib
import time

from lab import waiting
from tests.e2e import cloud
from tests.e2e import laboratory
from tests.e2e import load
from tests.e2e.together import cluster

NAME = cluster.NAME
MEMBERS = cluster.MEMBERS
CREATE_SECONDS = 60
RETURN_SECONDS = 90
# After clean stops the recovery has to ask all members first.
RECOVERY_SECONDS = 180
LONGEST_GAP = 8


class Base(cluster.TestCase):

    def setUp(self):
        super().setUp()
        self.uuid = laboratory.wait_agreement(MEMBERS)

    @contextlib.contextmanager
    def ledger(self):
        """Users write while the block runs; no write may be lost."""
        home = laboratory.home()
        ask = load.through_lab(home)
        users = load.Load(MEMBERS, ask)
        users.prepare()
        with users.running():
            waiting.until('some writes', lambda: len(users.acknowledged) > 5,
                          RETURN_SECONDS)
            yield users
            before = len(users.acknowledged)
            waiting.until('more writes',
                          lambda: len(users.acknowledged) > before + 5,
                          RETURN_SECONDS)
        laboratory.wait_agreement(MEMBERS, self.uuid)
        for name in MEMBERS:
            self.assertEqual(set(), users.lost(name), name)
        self.assertEqual({}, load.differing(MEMBERS, ask))

    def reboot(self, names, hard, seconds=RETURN_SECONDS):
        """Reboot them at once; wait until all serve with another server."""
        struck = time.monotonic()
        for name in names:
            cloud.reboot(laboratory.home(), name, hard)
        for name in names:
            self.wait_restarted(name, struck, seconds)
        laboratory.wait_agreement(MEMBERS, self.uuid, seconds)
        ready = laboratory.wait_ready(self.cluster_id)
        self.assertEqual(['ACTIVE'] * 3, [
            member['status'] for member in ready['instances']])

    def check_return(self, fault, word):
        """Kill the member that bootstrapped; it must rejoin by itself."""
        first, *others = MEMBERS
        table = self.make_table(word)
        laboratory.sql(first, f"INSERT INTO {table} VALUES ('before')")
        struck = time.monotonic()
        laboratory.lab('guest', fault, first)
        laboratory.sql(others[0], f"INSERT INTO {table} VALUES ('while')")
        self.wait_restarted(first, struck)
        laboratory.wait_agreement(MEMBERS, self.uuid, RETURN_SECONDS)
        for name in MEMBERS:
            self.wait_rows(name, table, {'before', 'while'})
        ready = laboratory.wait_ready(self.cluster_id)
        self.assertEqual('NONE', ready['task']['name'])

    def wait_restarted(self, name, struck, seconds=RETURN_SECONDS):
        def restarted():
            with laboratory.not_yet(name):
                up = laboratory.uptime(name)
            if up > time.monotonic() - struck + 1:
                raise waiting.NotYet(f'the server runs for {up} s')
            return True

        waiting.until(f'the server of {name} to be another', restarted,
                      seconds, 0.5)

    def make_table(self, word):
        laboratory.sql(MEMBERS[0], 'CREATE DATABASE IF NOT EXISTS e2e')
        laboratory.sql(MEMBERS[0], f'CREATE TABLE e2e.{word} '
                                   f'(word VARCHAR(40) PRIMARY KEY)')
        return f'e2e.{word}'

    def wait_rows(self, name, table, expected):
        def there():
            with laboratory.not_yet(name):
                rows = {row[0] for row in laboratory.sql(
                    name, f'SELECT word FROM {table}')}
            if rows != expected:
                raise waiting.NotYet(str(rows))
            return True

        waiting.until(f'{expected} on {name}', there, 10, 0.5)


class TestCluster(Base):

    def test_it_was_created_within_a_minute(self):
        self.assertLessEqual(cluster.TOGETHER.seconds, CREATE_SECONDS)

    def test_show_has_all_three_addresses(self):
        shown = laboratory.openstack_json(
            'database', 'cluster', 'show', NAME)
        addresses = shown['ip'].split(', ')
        self.assertEqual(3, len(set(addresses)))
        self.assertEqual(
            addresses,
            [laboratory.sql(name, 'SELECT @@wsrep_node_address')[0][0]
             for name in MEMBERS])
        self.assertEqual('NONE', shown['task_name'])
        self.assertEqual(3, shown['instance_count'])

    def test_list_contains_it(self):
        listed = laboratory.openstack_json('database', 'cluster', 'list')
        self.assertIn(
            {'ID': self.cluster_id, 'Name': NAME, 'Datastore': 'mariadb',
             'Datastore Version': '10.11', 'Task Name': 'NONE'}, listed)

    def test_its_instances_are_named_and_numbered(self):
        listed = laboratory.openstack_json(
            'database', 'cluster', 'list', 'instances', NAME)
        self.assertEqual(list(MEMBERS), [row['Name'] for row in listed])
        members = laboratory.wait_ready(self.cluster_id)['instances']
        for row, member in zip(listed, members, strict=True):
            self.assertIn(row['Status'], laboratory.GOOD)
            self.assertEqual(member['volume']['size'], row['Size'])
            self.assertEqual(member['flavor']['id'], str(row['Flavor ID']))

    def test_lab_shows_the_same_for_every_member(self):
        state = lab_state()
        self.assertEqual(
            list(MEMBERS), [member['name'] for member in state['members']])
        self.assertEqual(
            {(3, 'Primary', 'Synced', self.uuid)},
            {(member['wsrep']['cluster_size'],
              member['wsrep']['cluster_status'],
              member['wsrep']['local_state_comment'],
              member['wsrep']['cluster_state_uuid'])
             for member in state['members']})

    def test_rows_written_on_each_are_read_on_all(self):
        table = self.make_table('on_each')
        for name in MEMBERS:
            laboratory.sql(name, f"INSERT INTO {table} VALUES ('{name}')")
        for name in MEMBERS:
            self.wait_rows(name, table, set(MEMBERS))

    def test_first_member_rejoins_after_kill_9(self):
        self.check_return('kill-db', 'kill9')

    def test_users_write_while_nova_reboots_the_first_member(self):
        with self.ledger() as users:
            self.reboot(MEMBERS[:1], hard=False)
        self.assertGreaterEqual(users.fewest, 2)
        self.assertLess(users.longest_gap, LONGEST_GAP)

    def test_it_recovers_when_nova_reboots_all_members_hard(self):
        with self.ledger():
            self.reboot(MEMBERS, hard=True)

    def test_it_recovers_when_nova_reboots_all_members(self):
        with self.ledger():
            self.reboot(MEMBERS, hard=False, seconds=RECOVERY_SECONDS)


def lab_state():
    """The cluster in the output of "lab status"."""
    status = laboratory.status()
    [found] = [cluster for cluster in status['clusters']
               if cluster['name'] == NAME]
    return found
