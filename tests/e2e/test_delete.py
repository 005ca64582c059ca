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

"""A cluster is deleted in any state, and nothing of it is left."""

from lab import api
from lab.guest import control
from lab import sql
from lab import waiting
from lab import web
from tests.e2e import case
from tests.e2e import cloud
from tests.e2e import laboratory
from tests.e2e import leftovers

NAME = 'doomed'
MEMBERS = tuple(f'{NAME}-{number}' for number in (1, 2, 3))
STATE_TIMEOUT = 120
SECONDS = 60
ACCEPTED = 202
ABSENT = 404


class Base(case.TestCase):
    """Each test creates a cluster and brings it into a state.

    The resources are always compared with those before the first test:
    resources that appear after a deletion fail the next test.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = laboratory.home()
        cls.before = leftovers.snapshot(cls.home)

    def create(self):
        self.cluster_id = laboratory.create_cluster(NAME)
        self.addCleanup(self.make_sure)

    def create_whole(self):
        self.create()
        laboratory.wait_ready(self.cluster_id)

    def make_sure(self):
        """Delete what a failed test has left, for later tests."""
        listed = api.get(self.home, '/clusters')['clusters']
        if self.cluster_id in [one['id'] for one in listed]:
            laboratory.delete_cluster(self.cluster_id, timeout=120)

    def shown(self):
        return api.cluster(self.home, self.cluster_id)

    def check_delete(self):
        """Delete twice, the second time while the first delete runs.

        On a busy machine the first delete may be over by then.
        """
        self.assertEqual(ACCEPTED, self.delete())
        self.assertIn(self.delete(), (ACCEPTED, ABSENT))
        laboratory.wait_gone(f'/clusters/{self.cluster_id}', SECONDS)
        leftovers.wait_unchanged(self.home, self.before)
        self.assertEqual(ABSENT, self.delete())

    def delete(self):
        """Delete without starting a client; return the status code."""
        return web.ask(web.request(
            'DELETE', f'{self.home.api_url}/clusters/{self.cluster_id}'),
            SECONDS).code

    def wait_state(self, what, holds):
        """Wait until it is so, while the cluster keeps its task."""
        task = self.shown()['task']['name']

        def probe():
            now = self.shown()['task']['name']
            if now != task:
                raise AssertionError(f'{task} became {now} before {what}')
            return holds()

        waiting.until(what, probe, STATE_TIMEOUT, 0.1)
        self.assertEqual(task, self.shown()['task']['name'])

    def guests(self):
        return {guest.name: guest for guest in control.guests(self.home)
                if guest.name in MEMBERS}

    def wait_start_of(self, number):
        """Wait until a member's server has been started and is not Synced."""
        name = MEMBERS[number - 1]

        def starting():
            guest = self.guests().get(name)
            if guest is None or guest.database != 'running':
                return False
            told = sql.wsrep(self.home, guest.instance_id) or {}
            self.assertNotEqual('Synced', told.get('local_state_comment'))
            return True

        self.wait_state(f'{name} to start', starting)

    def failed(self):
        shown = self.shown()
        states = [member['status'] for member in shown['instances']]
        if shown['task']['name'] != 'NONE':
            raise waiting.NotYet(str(states))
        self.assertEqual('ERROR', states[1])
        return True

    def busy(self, status, index):
        return self.shown()['instances'][index]['status'] == status


class TestDelete(Base):

    def test_delete_directly_after_create(self):
        self.create()
        self.assertEqual('BUILDING', self.shown()['task']['name'])
        self.check_delete()

    def test_delete_while_instances_are_built(self):
        self.create()
        self.wait_state('a guest to boot', self.guests)
        self.check_delete()

    def test_delete_while_a_member_joins(self):
        self.create()
        self.wait_start_of(2)
        self.check_delete()

    def test_delete_after_a_failed_create(self):
        with cloud.failing(self.home, 'server-boot', MEMBERS[1],
                           'no valid host'):
            self.create()
            waiting.until('the create to fail', self.failed, STATE_TIMEOUT,
                          0.3)
        self.check_delete()

    def test_delete_of_lost_and_stopped_members(self):
        """No member serves or answers, and the delete waits for no guest.

        The call that stops the last one's server returns when it has ended;
        its agent would start it again at once.
        """
        self.create_whole()
        for fault, name in zip(('off', 'cut', 'stop-db'), MEMBERS,
                               strict=True):
            laboratory.lab('guest', fault, name)
        guests = [self.guests()[name] for name in MEMBERS[:2]]
        self.assertEqual([('off', False), ('on', True)],
                         [(guest.power, guest.cut) for guest in guests])
        self.check_delete()
