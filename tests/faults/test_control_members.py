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

"""The taskmanager dies during a restart, resize or delete.

Another taskmanager resumes the operation, and the quota is counted once.
"""

import subprocess
import time

import testtools

from lab import api
from lab.cloud import seed
from lab.services import mariadb
from tests.e2e import laboratory
from tests.faults import controllers

NAME = 'control'
NAMES = tuple(f'{NAME}-{number}' for number in (1, 2, 3))
OTHER_FLAVOR = '3'


def used(resource):
    """The usage of the quota of the lab's project, from the table."""
    socket = mariadb.socket_file(laboratory.home())
    return int(subprocess.run(
        ['mariadb', f'--socket={socket}', '--batch', '--skip-column-names',
         'trove'], capture_output=True, text=True, check=True,
        input='SELECT COALESCE(SUM(in_use + reserved), 0) FROM quota_usages '
              f"WHERE resource = '{resource}'").stdout)


def started(member):
    """The start of its server, in seconds."""
    return time.time() - laboratory.uptime(member)


class TestTaskmanagerKilled(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.cluster_id = self.cluster()
        self.uuid = laboratory.wait_agreement(NAMES)
        self.log = controllers.Log('taskmanager')
        self.addCleanup(controllers.start, 'taskmanager')

    def cluster(self):
        for each in api.clusters(laboratory.home()):
            if each['name'] == NAME:
                return str(each['id'])
        cluster_id = laboratory.create_cluster(NAME)
        laboratory.wait_ready(cluster_id)
        return cluster_id

    def openstack(self, *words):
        laboratory.openstack('database', 'cluster', *words)

    def killed_after(self, step, member):
        self.log.wait(controllers.step_taken(self.cluster_id, step, member))
        with controllers.without('taskmanager'):
            pass

    def expect_done(self):
        seconds = controllers.wait_over(self.cluster_id, 400)
        self.assertEqual({}, controllers.faults(self.cluster_id))
        laboratory.wait_ready(self.cluster_id, 60)
        laboratory.wait_agreement(NAMES, self.uuid)
        print(f'{self.id()}: done after {seconds:.0f} s')

    def test_restart_is_resumed(self):
        before = {name: started(name) for name in NAMES}
        self.openstack('restart', self.cluster_id)
        self.killed_after('stop', NAMES[1])
        self.expect_done()
        # All were restarted: the first of them before the kill, and once.
        self.assertEqual(1, self.log.text().count(f'stop of {NAMES[0]}'))
        self.assertEqual(1, self.log.text().count(
            f'stop of {NAMES[2]} took'))
        for name in NAMES:
            self.assertGreater(started(name), before[name] + 5)

    def test_resize_is_resumed(self):
        quota = used('ram')
        self.openstack('resize', 'flavor', self.cluster_id, OTHER_FLAVOR)
        self.killed_after('resize the server', NAMES[0])
        self.expect_done()
        shown = api.cluster(laboratory.home(), self.cluster_id)
        self.assertEqual([OTHER_FLAVOR] * 3, [
            member['flavor']['id'] for member in shown['instances']])
        more = 3 * (seed.flavor(OTHER_FLAVOR).ram
                    - seed.flavor(laboratory.FLAVOR).ram)
        self.assertEqual(quota + more, used('ram'))

    def test_zz_delete_is_resumed(self):
        before = used('instances')
        self.openstack('delete', self.cluster_id)
        with controllers.without('taskmanager'):
            pass
        laboratory.wait_gone(f'/clusters/{self.cluster_id}',
                             controllers.TAKEN_UP_SECONDS)
        # Clusters of other tests may exist.
        self.assertEqual(before - len(NAMES), used('instances'))
