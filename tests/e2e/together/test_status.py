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

"""A change of a member is shown within seconds, with its kind.

Each test does something to a member and waits until Trove's own "cluster
show", the list of members and the cluster's health show it; then it starts
the member again, and waits until all three show that.
"""

import contextlib
import shlex
import threading
import time

from lab import api
from lab.guest import control
from lab import waiting
from tests.e2e import laboratory
from tests.e2e.together import cluster

MEMBERS = cluster.MEMBERS
STRUCK = MEMBERS[2]
CHANGE_SECONDS = 10
#: The additional time on a busy machine.
SLACK_SECONDS = 10
RETURN_SECONDS = 90

STOPPED_FILE = '/run/trove-pxc/stopped'
BROKEN_FILE = '/etc/mysql/conf.d/95-broken.cnf'
RESTORING_FILE = '/etc/mysql/conf.d/91-restore-accounts.cnf'
DATA = '/var/lib/mysql/data'


class TestStatus(cluster.TestCase):

    def setUp(self):
        super().setUp()
        self.wait_told('member', 'HEALTHY', 'HEALTHY',
                       within=RETURN_SECONDS)

    # What is shown

    def read(self, what):
        return api.get(self.home, f'/clusters/{self.cluster_id}/{what}')[what]

    def told(self, name=STRUCK):
        """Role and status in show, role in the list, state of the cluster."""
        shown = self.by_name(
            api.cluster(self.home, self.cluster_id)['instances'])[name]
        listed = self.by_name(self.read('members'))[name]
        self.health = self.read('health')
        self.detail = listed.get('detail', '')
        return (shown.get('role'), shown['operating_status'],
                listed['role'], self.health['state'])

    @staticmethod
    def by_name(records):
        return {record['name']: record for record in records}

    def wait_told(self, role, status, state, within=CHANGE_SECONDS):
        """Wait until all three show this."""
        began = time.monotonic()

        def probe():
            told = self.told()
            if told != (role, status, role, state):
                raise waiting.NotYet(str(told))
            return True
        waiting.until(f'{STRUCK} to be shown as {role}', probe,
                      within + SLACK_SECONDS, 0.5)
        seconds = time.monotonic() - began
        print(f'{self.id().rpartition(".")[2]}: {role}, {status}, {state} '
              f'after {seconds:.1f} s')

    def wait_back(self):
        self.wait_told('member', 'HEALTHY', 'HEALTHY',
                       within=RETURN_SECONDS)

    def follow_the_advice(self):
        """Run the command of the next action."""
        command = self.health['next_action'].split('"')[1]
        if command.startswith('SET GLOBAL '):
            laboratory.sql(STRUCK, command)
            return
        program, *words = shlex.split(command)
        self.assertEqual('openstack', program)
        laboratory.openstack(*words)

    # What is done to the member

    def in_guest(self, *argv):
        done = control.run(self.home, STRUCK, argv)
        self.assertEqual(0, done.returncode, done.stderr)

    def stop(self):
        """Stop it as a request does; the agent leaves it stopped."""
        self.addCleanup(self.start)
        self.in_guest('touch', STOPPED_FILE)
        laboratory.lab('guest', 'stop-db', STRUCK)

    def start(self):
        """The agent finds that its server should run and does not."""
        self.in_guest('rm', '-f', STOPPED_FILE)

    # The tests

    def test_states_while_it_was_built(self):
        """No member was shown in ERROR, and no guest was asked for a role."""
        building = [shown for shown in cluster.TOGETHER.shown
                    if shown['task']['name'] == 'BUILDING']
        self.assertGreater(len(building), 4)
        for shown in building:
            for member in shown['instances']:
                self.assertIn(member['status'], ('BUILD', 'ACTIVE'))
                self.assertNotIn('role', member)
                self.assertNotIn(member['operating_status'],
                                 ('ERROR', 'FAILED'))

    def test_stopped_member_is_shown(self):
        self.stop()
        self.wait_told('stopped', 'SHUTDOWN', 'DEGRADED')
        self.assertIn(f'{STRUCK} is stopped', self.health['summary'])
        self.follow_the_advice()
        self.wait_back()

    def test_crashing_member_is_shown(self):
        self.in_guest('sh', '-c', 'printf "[mysqld]\ninnodb_page_size=4096'
                      f'\n" > {BROKEN_FILE}')
        self.addCleanup(self.in_guest, 'rm', '-f', BROKEN_FILE)
        laboratory.lab('guest', 'kill-db', STRUCK)
        self.wait_told('crashed', 'SHUTDOWN', 'DEGRADED')
        self.assertIn('page size', self.detail)
        self.in_guest('rm', BROKEN_FILE)
        self.wait_back()

    def test_frozen_member_is_shown(self):
        laboratory.lab('guest', 'freeze-db', STRUCK)
        self.addCleanup(laboratory.lab, 'guest', 'thaw-db', STRUCK)
        self.wait_told('frozen', 'ERROR', 'DEGRADED')
        laboratory.lab('guest', 'thaw-db', STRUCK)
        self.wait_back()

    def test_non_primary_member_is_shown(self):
        laboratory.lab('guest', 'cut', STRUCK, '--from', *MEMBERS[:2])
        self.addCleanup(laboratory.lab, 'guest', 'heal', STRUCK)
        self.wait_told('outside', 'BLOCKED', 'DEGRADED')
        laboratory.lab('guest', 'heal', STRUCK)
        self.wait_back()

    def test_powered_off_member_is_unreachable(self):
        """Nova reports it, and Trove has no operating status then."""
        laboratory.lab('guest', 'off', STRUCK)
        self.addCleanup(laboratory.lab, 'guest', 'on', STRUCK)
        self.wait_told('unreachable', '', 'DEGRADED')
        laboratory.lab('guest', 'on', STRUCK)
        self.wait_back()

    def test_member_without_network_is_unreachable(self):
        """Trove shows its last report until agent_heartbeat_expiry."""
        laboratory.lab('guest', 'cut', STRUCK)
        self.addCleanup(laboratory.lab, 'guest', 'heal', STRUCK)
        self.wait_told('unreachable', 'HEALTHY', 'DEGRADED')
        laboratory.lab('guest', 'heal', STRUCK)
        self.wait_back()

    def test_joiner_and_donor_are_shown(self):
        """A full state transfer, which takes some seconds.

        A server may fail to find the others at first: it ends after 30 s, and
        Docker starts it again.
        """
        self.stop()
        self.in_guest('rm', f'{DATA}/grastate.dat')
        self.start()
        self.wait_told('joiner', 'ACTIVE', 'RECOVERING',
                       within=RETURN_SECONDS)
        self.assertIn(f'{STRUCK} is joining', self.health['summary'])
        waiting.until('a donor to be shown', self.donor_is_told,
                      CHANGE_SECONDS + SLACK_SECONDS, 0.3)
        self.wait_back()

    def donor_is_told(self):
        donors = [member['name'] for member in self.read('members')
                  if member['role'] == 'donor']
        shown = [(member['name'], member['operating_status']) for member in
                 api.cluster(self.home, self.cluster_id)['instances']
                 if member.get('role') == 'donor']
        summary = self.read('health')['summary']
        if not donors or [(donors[0], 'HEALTHY')] != shown:
            raise waiting.NotYet(f'{donors} {shown}')
        if f'{donors[0]} is the donor of' not in summary:
            raise waiting.NotYet(summary)
        return True

    def test_member_that_does_not_fully_serve_is_shown(self):
        for statement, role, status, words in (
                ('SET GLOBAL read_only = ON', 'read-only', 'ACTIVE',
                 'is read-only'),
                ('SET GLOBAL wsrep_desync = ON', 'desynced', 'HEALTHY',
                 'is desynced'),
                ('SET GLOBAL wsrep_reject_queries = ALL', 'rejecting',
                 'ACTIVE', 'rejects all statements')):
            laboratory.sql(STRUCK, statement)
            self.wait_told(role, status, 'DEGRADED')
            self.assertIn(f'{STRUCK} {words}', self.health['summary'])
            self.follow_the_advice()
            self.wait_back()

    def test_member_that_does_not_replicate_is_shown(self):
        laboratory.sql(STRUCK, 'SET GLOBAL wsrep_on = OFF')
        self.wait_told('unreplicated', 'ACTIVE', 'DEGRADED')
        self.assertIn('2 of 3 members serve', self.health['summary'])
        self.follow_the_advice()
        self.wait_back()

    def test_member_with_a_lock_on_all_tables_is_shown(self):
        """Only the end of its connection releases it, or a restart."""
        holder = threading.Thread(target=self.hold_a_lock, daemon=True)
        holder.start()
        self.wait_told('locked', 'HEALTHY', 'DEGRADED')
        self.follow_the_advice()
        self.wait_back()
        holder.join(RETURN_SECONDS)

    @staticmethod
    def hold_a_lock():
        """The restart ends it."""
        with contextlib.suppress(laboratory.Refused):
            laboratory.sql(STRUCK, 'FLUSH TABLES WITH READ LOCK; '
                           'DO SLEEP(55)')

    def test_changed_accounts_of_the_agent_are_restored(self):
        """Accounts that were changed or dropped are restored by the agent.

        laboratory.sql logs in as os_admin.
        """
        for statement in (
                "ALTER USER os_admin@localhost IDENTIFIED BY 'other-Pass-1'",
                'ALTER USER os_admin@localhost ACCOUNT LOCK',
                "ALTER USER root@localhost IDENTIFIED BY 'other-Pass-1'"):
            laboratory.sql(STRUCK, statement)
            self.wait_accounts()
            self.wait_back()

    def test_lost_accounts_of_all_agents_are_restored_by_a_restart(self):
        """None can log in, on any member: the restart of one guest helps."""
        laboratory.sql(
            STRUCK, "ALTER USER root@localhost IDENTIFIED BY 'other-1'; "
            "ALTER USER os_admin@localhost IDENTIFIED BY 'other-1'")
        waiting.until('all to be shown', self.all_are_denied,
                      4 * CHANGE_SECONDS, 0.5)
        self.assertIn('refuses the login of its guest agent',
                      self.health['summary'])
        self.assertNotIn('--force', self.health['next_action'])
        self.assertIn('instance reboot', self.health['next_action'])
        waiting.until('the agent to prepare the next start',
                      self.next_start_restores, RETURN_SECONDS, 0.5)
        laboratory.lab('guest', 'reboot', STRUCK)
        self.wait_accounts()
        self.wait_back()

    def next_start_restores(self):
        if control.run(self.home, STRUCK,
                       ('test', '-e', RESTORING_FILE)).returncode:
            raise waiting.NotYet('no file')
        return True

    def all_are_denied(self):
        self.told()
        roles = [member['role'] for member in self.read('members')]
        if roles != ['denied'] * 3:
            raise waiting.NotYet(str(roles))
        return True

    def wait_accounts(self):
        def probe():
            try:
                for member in MEMBERS:
                    laboratory.sql(member, 'SELECT 1')
            except laboratory.Refused as refused:
                raise waiting.NotYet(str(refused)) from refused
            return True
        began = time.monotonic()
        waiting.until('os_admin to log in', probe, RETURN_SECONDS, 0.5)
        print(f'accounts are back after {time.monotonic() - began:.1f} s')

    def test_changes_without_a_broker_are_shown_afterwards(self):
        laboratory.lab('service', 'kill', 'rabbitmq')
        self.addCleanup(laboratory.lab, 'service', 'start', 'rabbitmq')
        self.stop()
        laboratory.lab('service', 'start', 'rabbitmq')
        self.wait_told('stopped', 'SHUTDOWN', 'DEGRADED',
                       within=2 * CHANGE_SECONDS)
        self.start()
        self.wait_back()
