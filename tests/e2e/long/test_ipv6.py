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

"""The operations and failures of a cluster that uses IPv6."""

from testtools import content

from lab import api
from lab.cloud import seed
from lab.guest import control
from lab.guest import spec as guest_spec
from lab import parallel
from lab import waiting
from tests.e2e import laboratory
from tests.e2e import load
from tests.e2e import test_ipv6
from tests.e2e import transfers

NAME = 'life'
PREFIX = 'fd10:88::'
TIMEOUT = 300
DATA = '/var/lib/mysql/data'
#: The log lines that show the encryption of each method.
ENCRYPTED = {'mariabackup': 'openssl-listen:4444,reuseaddr',
             'rsync': 'Using stunnel for SSL encryption'}


class TestLife(test_ipv6.Base):
    """Each test finds the cluster healthy and leaves it healthy."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = laboratory.home()
        cls.ask = staticmethod(load.through_lab(cls.home))
        cls.cluster_id = test_ipv6.create(NAME, seed.IPV6_NETWORK_ID)
        cls.addClassCleanup(laboratory.delete_cluster, cls.cluster_id)
        laboratory.wait_ready(cls.cluster_id)

    def setUp(self):
        super().setUp()
        self.uuid = laboratory.wait_agreement(self.names())
        self.users = load.Load(self.names(), self.ask)
        self.users.prepare()
        self.began = transfers.now()

    def names(self):
        return self.members(api.cluster(self.home, self.cluster_id))

    def check(self):
        """The cluster is healthy, and no write is lost."""
        laboratory.wait_agreement(self.names(), self.uuid, TIMEOUT)
        cluster = laboratory.wait_ready(self.cluster_id)
        names = self.members(cluster)
        self.check_addresses(cluster, PREFIX)
        self.check_encrypted(names, '[::]')
        self.check_rows(names)
        self.assertGreater(len(self.users.acknowledged), 0)
        for name in names:
            self.assertEqual(set(), self.users.lost(name), name)
        self.assertEqual({}, load.differing(names, self.ask))

    def log(self, name):
        """The log of a member's server since the test began."""
        folder = guest_spec.GuestFolder(
            self.home, control.find(self.home, name).server_id)
        lines = transfers.server_log(folder, self.began)
        self.addDetail(f'log of {name}',
                       content.text_content('\n'.join(lines)))
        return lines

    def ask_for(self, *words):
        with self.users.running():
            laboratory.openstack('database', 'cluster', *words)
            waiting.until(f'{words[0]} to be over', self.without_task,
                          TIMEOUT, 0.5)

    def without_task(self):
        """Members that leave are in ERROR meanwhile."""
        task = api.cluster(self.home, self.cluster_id)['task']['name']
        if task != 'NONE':
            raise waiting.NotYet(task)
        return True

    def grow(self):
        self.ask_for('grow', NAME, '--instance', laboratory.member_option(
            test_ipv6.FLAVOR, network=seed.IPV6_NETWORK_ID))
        return self.names()[-1]

    def check_transfer(self, name, method):
        """It was a full one, by this method, and encrypted."""
        lines = self.log(name)
        self.assertTrue(transfers.Transfer.of(lines).by_sst, name)
        self.assertEqual(method, laboratory.sql(
            name, 'SELECT @@wsrep_sst_method')[0][0])
        self.assertIn(ENCRYPTED[method], '\n'.join(lines))

    def test_new_member_joins_by_each_sst_method(self):
        first = self.grow()
        self.check_transfer(first, 'mariabackup')
        with laboratory.own_options('rsync',
                                    '[mariadb]\nsst_method = rsync\n'):
            second = self.grow()
            self.check_transfer(second, 'rsync')
            self.check()
        ids = {member['name']: member['id'] for member in api.cluster(
            self.home, self.cluster_id)['instances']}
        self.ask_for('shrink', NAME, ids[first], ids[second])
        self.assertEqual(3, len(self.names()))
        self.check()

    def test_stopped_member_rejoins_by_ist(self):
        name = self.names()[-1]
        laboratory.lab('guest', 'stop-db', name)
        for number in range(50):
            self.assertTrue(self.users.write_once(number))
        laboratory.lab('guest', 'start-db', name)
        self.check()
        lines = self.log(name)
        transfer = transfers.Transfer.of(lines)
        self.assertEqual((True, False), (transfer.by_ist, transfer.by_sst))
        self.assertIn(f'IST receiver addr using ssl://[{PREFIX}',
                      '\n'.join(lines))

    def test_member_with_corrupt_data_rejoins_by_sst(self):
        name = self.names()[0]
        self.assertTrue(self.users.write_once(0))
        control.run(self.home, name, [
            'install', '-o', '1001', '-g', '1001', '/dev/null',
            f'{DATA}/sst_in_progress'])
        laboratory.lab('guest', 'kill-db', name)
        self.check()
        self.check_transfer(name, 'mariabackup')

    def test_certificates_are_rotated(self):
        self.ask_for('certificate', 'rotate', NAME)
        self.check()

    def test_members_are_restarted(self):
        self.ask_for('restart', NAME)
        self.check()

    def test_member_without_network_rejoins(self):
        *others, name = self.names()
        with self.users.running():
            laboratory.lab('guest', 'cut', name)
            waiting.until('the others to serve without it', lambda: (
                laboratory.wsrep(others[0])['wsrep_cluster_size'] == '2'),
                60, 0.5)
            laboratory.lab('guest', 'heal', name)
            laboratory.wait_agreement(self.names(), self.uuid, TIMEOUT)
        self.check()

    def test_cluster_recovers_from_a_loss_of_power(self):
        names = self.names()
        with self.users.running():
            waiting.until('some writes', lambda: (
                len(self.users.acknowledged) > 20), 60, 0.1)
            parallel.each(
                lambda name: control.power_off(self.home, name), names)
        parallel.each(lambda name: control.power_on(self.home, name), names)
        self.check()
