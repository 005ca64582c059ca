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

"""The role of a member, from its report."""

import testtools

from tests.unit.galera import samples
from trove_pxc.galera import roles
from trove_pxc.galera.roles import Role
from trove_pxc.galera import view

primary = samples.primary
report = samples.report

ROLES = (
    (primary(), Role.SYNCED),
    (primary(local_state='Donor/Desynced'), Role.DONOR),
    (primary(local_state='Joining', ready=False), Role.JOINING),
    (primary(local_state='Joined'), Role.JOINING),
    (primary(ready=False), Role.JOINING),
    (primary(local_state='unknown'), Role.UNRESPONSIVE),
    (primary(local_state='Initialized'), Role.UNRESPONSIVE),
    (samples.outside(25), Role.NON_PRIMARY),
    (report(node=samples.node_view(cluster_status='Disconnected')),
     Role.NON_PRIMARY),
    (report(node=samples.node_view(cluster_status='unknown')),
     Role.NON_PRIMARY),
    (report('running'), Role.UNRESPONSIVE),
    (report('running', denied=True), Role.DENIED),
    (primary(altered=['read_only']), Role.READ_ONLY),
    (primary(altered=['tx_read_only']), Role.READ_ONLY),
    (primary(altered=['wsrep_desync', 'read_only'],
             local_state='Donor/Desynced'), Role.READ_ONLY),
    (primary(altered=['wsrep_reject_queries', 'read_only']), Role.REJECTING),
    (primary(altered=['wsrep_desync'], local_state='Donor/Desynced'),
     Role.DESYNCED),
    (primary(local_state='Donor/Desynced', backup='b-1', giving=False),
     Role.BACKED_UP),
    (primary(backup='b-1'), Role.SYNCED),
    (primary(local_state='Donor/Desynced', backup='b-1',
             altered=['read_only']), Role.READ_ONLY),
    (primary(altered=['wsrep_on'], local_state='unknown'),
     Role.UNREPLICATED),
    # of_all distinguishes them
    (primary(local_state='Donor/Desynced', giving=False), Role.DONOR),
    (report('starting'), Role.STARTING),
    (report('starting', receiving=True), Role.JOINING),
    (primary(local_state='Donor/Desynced', ready=False), Role.BUSY),
    (report('unresponsive'), Role.FROZEN),
    (report('stopped'), Role.STOPPED),
    (report('crashed'), Role.CRASHED),
    (report('absent'), Role.STOPPED),
    (report('absent', started=False), Role.NEW),
    (None, Role.SILENT),
    # the last view of a server that ended does not count
    (report('stopped', samples.node_view()), Role.STOPPED),
    (report('unresponsive', samples.node_view()), Role.FROZEN),
)


class RoleTest(testtools.TestCase):

    def test_table(self):
        for told, role in ROLES:
            self.assertIs(role, roles.role(told), told)

    def test_every_state_of_a_server_is_some_role(self):
        for server in view.ServerState:
            self.assertIsInstance(roles.role(report(server.value)), Role)

    def test_who_serves_is_who_trove_is_told_is_healthy(self):
        for told, role in ROLES:
            serves = (told is not None and told.view is not None
                      and told.server is view.ServerState.RUNNING
                      and told.view.serves)
            self.assertEqual(
                serves, role in (*roles.SERVING, *roles.HINDERED)
                and role is not Role.UNREPLICATED, told)

    def test_the_groups_hold_every_role_once(self):
        grouped = [*roles.SERVING, *roles.HINDERED, *roles.ON_THEIR_WAY,
                   *roles.STILL, *roles.UNKNOWN, Role.NON_PRIMARY]
        self.assertEqual(sorted(Role), sorted(grouped))


class AllTest(testtools.TestCase):
    """The role of a donor depends on the other members and on Trove."""

    donor = primary(local_state='Donor/Desynced', giving=False)

    def told(self, *reports, **more):
        named = dict(zip(('a', 'b', 'c'), reports))
        return list(roles.of_all(named, **more).values())

    def test_a_donor_without_a_joiner_is_locked(self):
        self.assertEqual([Role.LOCKED, Role.SYNCED],
                         self.told(self.donor, primary()))
        self.assertEqual([Role.LOCKED, Role.LOCKED],
                         self.told(self.donor, self.donor))

    def test_a_donor_of_somebody(self):
        for joiner in (report('starting'), None, report('running'),
                       primary(local_state='Joining', ready=False)):
            self.assertEqual(Role.DONOR, self.told(self.donor, joiner)[0])

    def test_the_program_of_a_state_transfer_tells(self):
        gives = primary(local_state='Donor/Desynced', giving=True)
        self.assertEqual([Role.DONOR], self.told(gives))

    def test_a_guest_that_does_not_look(self):
        old = primary(local_state='Donor/Desynced')
        self.assertEqual([Role.DONOR], self.told(old))

    def test_who_failed_is_that_whatever_it_reports(self):
        for one in (primary(), report('stopped'), None):
            self.assertEqual([Role.FAILED], self.told(one, failed=['a']))

    def test_a_server_that_is_gone(self):
        self.assertEqual([Role.GONE, Role.LOCKED],
                         self.told(None, self.donor, gone=['a']))
        self.assertEqual([Role.SYNCED], self.told(primary(), gone=['a']))
