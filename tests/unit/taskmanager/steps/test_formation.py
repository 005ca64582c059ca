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


"""The steps by which instances become one cluster."""

import fixtures
from trove.common import exception

from tests.unit.taskmanager import fakes
from trove_pxc import exceptions
from trove_pxc.galera import view
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import formation

STATES = view.ServerState
CLOUD = fakes.INTERVALS['cloud_poll_interval']
DATABASE = fakes.INTERVALS['database_poll_interval']


class FormationTestCase(fakes.ClusterTestCase):
    """Three instances are ready, and were never started."""

    def setUp(self) -> None:
        super().setUp()
        self.operation = self.new()
        self.members = self.operation.members

    def new(self) -> formation.Formation:
        return formation.Formation('create', None, self.cluster)

    def at(self, step: workflow.Step, number: int) -> formation.Member:
        """Let the operation be at this step of a member."""
        self.operation.at = step
        self.operation.subject = self.members[number - 1]
        return self.operation.subject

    def done(self, step: workflow.Step, number: int) -> bool:
        return step.done(self.operation, self.at(step, number))

    def do(self, step: workflow.Step, number: int) -> None:
        step.do(self.operation, self.at(step, number))
        self.assertTrue(step.done(self.operation, self.operation.subject)
                        or step.done is formation._never)

    def fails(self, kind: type[Exception], step: workflow.Step,
              number: int) -> Exception:
        return self.assertRaises(
            kind, step.do, self.operation, self.at(step, number))

    def form(self, *numbers: int) -> None:
        """Let these be the cluster so far."""
        for number in numbers:
            self.guests[number].enters()
        first = self.members[numbers[0] - 1]
        self.operation.found_through(first, first.report())
        self.galera.asked.clear()


class WhoTest(FormationTestCase):

    def names(self, of: object) -> list[str]:
        return [member.name for member in of(self.operation)]

    def test_who_goes_through_the_steps(self) -> None:
        self.assertEqual(['c-1', 'c-2', 'c-3'],
                         self.names(formation.every_member))
        self.assertEqual(['c-1'], self.names(formation.first_member))
        self.assertEqual(['c-3'], self.names(formation.last_member))

    def test_all_join_but_the_founder(self) -> None:
        self.operation.founder = self.members[1]
        self.assertEqual(['c-1', 'c-3'], self.names(formation.joiners))

    def test_a_cluster_is_found_with_its_history(self) -> None:
        self.form(2)
        self.assertEqual(('c-2', fakes.HISTORY), (
            self.operation.founder.name, self.operation.history))

    def test_who_serves(self) -> None:
        self.form(1)
        self.guests[2].stands(STATES.RUNNING)
        self.report_status(3, fakes.Statuses.BUILDING)
        self.at(formation.BOOTSTRAP, 1)
        self.assertEqual(
            [True, False, False],
            [self.operation.serving(member) is not None
             for member in self.members])
        self.assertNotIn('c-3 member_report', self.galera.asked)


class AddressTest(FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.port = self.cloud.neutron.ports.pop(f'trove-{self.id_of(2)}')

    def comes(self) -> None:
        self.cloud.neutron.ports[f'trove-{self.id_of(2)}'] = self.port

    def test_it_is_waited_for(self) -> None:
        self.assertFalse(self.done(formation.KNOW_ADDRESS, 2))
        self.clock.after(100, self.comes)
        self.do(formation.KNOW_ADDRESS, 2)
        self.assertEqual('10.0.0.2', self.members[1].address)
        self.assertEqual({CLOUD}, set(self.clock.pauses))

    def test_it_never_comes(self) -> None:
        error = self.fails(
            exceptions.DeadlineExceeded, formation.KNOW_ADDRESS, 2)
        self.assertEqual(1800, error.seconds)
        self.assertEqual('no port with an address yet', error.last_seen)

    def test_a_server_that_failed_ends_the_wait(self) -> None:
        self.clock.after(60, lambda: setattr(
            self.cloud.servers['server-2'], 'status', 'ERROR'))
        error = self.fails(
            exceptions.MemberFailed, formation.KNOW_ADDRESS, 2)
        self.assertEqual('c-2', error.member)
        self.assertLess(self.clock.now, 60 + 2 * CLOUD)


class AdmitTest(FormationTestCase):

    def test_the_others_are_let_in_and_nobody_else(self) -> None:
        neutron = self.cloud.neutron
        neutron.groups[f'trove_sg-{self.id_of(2)}'] = 'group-2'
        self.assertFalse(self.done(formation.ADMIT, 2))
        self.do(formation.ADMIT, 2)
        self.assertEqual(
            {'10.0.0.1/32', '10.0.0.3/32'},
            {rule['remote_ip_prefix'] for rule in neutron.rules})


class PreparedTest(FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.report_status(2, fakes.Statuses.BUILDING)

    def gets_ready(self) -> None:
        self.report_status(2, fakes.Statuses.INSTANCE_READY)

    def test_it_is_waited_for(self) -> None:
        self.assertFalse(self.done(formation.BE_PREPARED, 2))
        self.clock.after(600, self.gets_ready)
        self.do(formation.BE_PREPARED, 2)
        self.assertEqual({DATABASE}, set(self.clock.pauses))
        self.assertEqual([], self.galera.asked)

    def test_it_never_gets_ready(self) -> None:
        error = self.fails(
            exceptions.DeadlineExceeded, formation.BE_PREPARED, 2)
        self.assertEqual('its guest is "building"', error.last_seen)

    def test_a_guest_that_fails_ends_the_wait(self) -> None:
        self.guests[2].looks = {'error': 'no image'}
        self.clock.after(60, lambda: self.report_status(
            2, fakes.Statuses.FAILED))
        error = self.fails(
            exceptions.MemberFailed, formation.BE_PREPARED, 2)
        self.assertEqual(('c-2', 'no image'), (error.member, error.cause))
        self.assertLess(self.clock.now, 65)

    def test_a_server_that_fails_ends_the_wait(self) -> None:
        self.clock.after(60, lambda: setattr(
            self.cloud.servers['server-2'], 'status', 'ERROR'))
        self.fails(exceptions.MemberFailed, formation.BE_PREPARED, 2)
        self.assertLess(self.clock.now, 60 + 2 * CLOUD)

    def test_nova_is_asked_at_the_interval_of_the_cloud(self) -> None:
        looks: list[float] = []
        self.useFixture(fixtures.MockPatchObject(
            formation.members.Member, 'check_server', autospec=True,
            side_effect=lambda member: looks.append(self.clock.now)))
        self.clock.after(12, self.gets_ready)
        self.do(formation.BE_PREPARED, 2)
        self.assertEqual([0, 4, 8, 12], looks)

    def untouched(self) -> None:
        self.operation.interrupted = True
        self.report_status(2, fakes.Statuses.NEW)

    def test_one_that_is_never_told_to_prepare(self) -> None:
        self.untouched()
        error = self.fails(
            exceptions.MemberFailed, formation.BE_PREPARED, 2)
        self.assertIn('never told to prepare', error.cause)
        self.assertLess(self.clock.now, 80)

    def test_only_after_an_interruption_is_it_asked_for(self) -> None:
        self.untouched()
        self.operation.interrupted = False
        self.fails(exceptions.DeadlineExceeded, formation.BE_PREPARED, 2)


class BirthTest(FormationTestCase):
    """Instances that Trove may create no further."""

    def setUp(self) -> None:
        super().setUp()
        self.change(3, compute_instance_id=None)

    def watch(self) -> None:
        for _ in range(100):
            self.operation.check()
            self.clock.advance(1)

    def test_one_that_does_not_move_has_failed(self) -> None:
        self.operation.interrupted = True
        error = self.assertRaises(exceptions.MemberFailed, self.watch)
        self.assertEqual('c-3', error.member)
        self.assertGreaterEqual(self.clock.now, 75)

    def test_without_an_interruption_nobody_looks(self) -> None:
        self.watch()
        self.assertEqual(100, self.clock.now)


class ConfigureTest(FormationTestCase):

    def test_all_share_the_same_secrets(self) -> None:
        for number in self.guests:
            self.assertFalse(self.done(formation.CONFIGURE, number))
            self.do(formation.CONFIGURE, number)
        first, *others = [guest.membership for guest in
                          self.guests.values()]
        for other in others:
            self.assertEqual(first.secrets, other.secrets)
        self.assertEqual(3, len({one.reveal() for one in
                                 first.secrets.passwords}))
        self.assertEqual((), first.secrets.authorities)

    def test_the_facts(self) -> None:
        self.do(formation.CONFIGURE, 2)
        facts = self.guests[2].membership.facts
        self.assertEqual(
            (fakes.CLUSTER, fakes.CLUSTER.replace('-', ''), 'c-2',
             '10.0.0.2', self.id_of(2), 1024, 1, None),
            (facts.cluster_id, facts.cluster_name, facts.member_name,
             facts.member_address, facts.instance_id, facts.memory_mb,
             facts.volume_gb, facts.sst_method))
        self.assertEqual(
            (('c-1', '10.0.0.1'), ('c-2', '10.0.0.2'), ('c-3', '10.0.0.3')),
            facts.members)

    def test_the_operator_s_sst_method(self) -> None:
        self.override(sst_method='rsync')
        self.do(formation.CONFIGURE, 1)
        self.assertEqual('rsync',
                         self.guests[1].membership.facts.sst_method)

    def test_another_run_keeps_what_any_member_has(self) -> None:
        self.do(formation.CONFIGURE, 3)
        self.report_status(1, fakes.Statuses.BUILDING)
        self.galera.asked.clear()
        self.operation = self.new()
        self.do(formation.CONFIGURE, 2)
        self.assertEqual(self.guests[3].membership.secrets,
                         self.guests[2].membership.secrets)
        self.assertNotIn('c-1 member_context', self.galera.asked)

    def test_what_one_has_is_known_when_it_is_asked(self) -> None:
        self.do(formation.CONFIGURE, 1)
        kept = self.operation.secrets
        self.operation = self.new()
        self.assertTrue(self.done(formation.CONFIGURE, 1))
        self.assertEqual(kept, self.operation.secrets)

    def test_it_is_done_again_when_something_has_changed(self) -> None:
        for number in self.guests:
            self.do(formation.CONFIGURE, number)
        self.operation.members = self.members[:2]
        self.assertFalse(self.done(formation.CONFIGURE, 1))
        self.do(formation.CONFIGURE, 1)
        self.assertEqual(2, len(self.guests[1].membership.facts.members))
        self.operation.secrets = fakes.secrets('others')
        self.assertFalse(self.done(formation.CONFIGURE, 1))

    def test_answers_that_are_lost_are_asked_for_again(self) -> None:
        self.guests[1].will('member_context', exception.GuestTimeout())
        self.guests[1].will('configure_member', exception.GuestTimeout())
        self.do(formation.CONFIGURE, 1)
        self.assertEqual(['c-1', 'c-1'],
                         self.galera.was_told('configure_member'))

    def test_a_guest_that_falls_silent(self) -> None:
        self.guests[1].silent = True
        error = self.fails(
            exceptions.DeadlineExceeded, formation.CONFIGURE, 1)
        self.assertEqual(120, error.seconds)


class EncryptedTest(FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.override(encrypt_cluster_traffic=True, certificate_days=7)
        self.authority = self.useFixture(fixtures.MockPatchObject(
            formation, 'authority', autospec=True)).mock
        self.authority.new.return_value = fakes.secret.Secret('authority')
        self.authority.issue.side_effect = (
            lambda authorities, name, address, days: f'{name} {address}')
        self.authority.fits.side_effect = (
            lambda identity, authorities, address:
            identity is not None and identity.endswith(address))

    def test_one_authority_for_all(self) -> None:
        for number in self.guests:
            self.do(formation.CONFIGURE, number)
        self.authority.new.assert_called_once_with(fakes.CLUSTER, 7)
        self.assertEqual(
            ['c-1 10.0.0.1', 'c-2 10.0.0.2', 'c-3 10.0.0.3'],
            [guest.membership.identity for guest in self.guests.values()])
        self.assertEqual(
            7, self.authority.issue.call_args.args[3])

    def test_an_identity_that_fits_is_kept(self) -> None:
        self.do(formation.CONFIGURE, 1)
        self.authority.issue.reset_mock()
        formation.configure(self.operation, self.at(formation.CONFIGURE, 1))
        self.authority.issue.assert_not_called()
        self.assertEqual('c-1 10.0.0.1', self.guests[1].membership.identity)

    def test_one_that_does_not_is_issued_anew(self) -> None:
        self.do(formation.CONFIGURE, 1)
        self.authority.fits.side_effect = None
        self.authority.fits.return_value = False
        self.assertFalse(self.done(formation.CONFIGURE, 1))

    def test_a_cluster_in_clear_text_stays_so(self) -> None:
        self.operation.secrets = fakes.secrets()
        formation.configure(self.operation, self.at(formation.CONFIGURE, 1))
        self.assertIsNone(self.guests[1].membership.identity)
        self.authority.issue.assert_not_called()


class HealthTest(FormationTestCase):

    def test_it_is_told_that_the_cluster_is_complete(self) -> None:
        self.assertFalse(self.done(formation.COMPLETE, 1))
        self.do(formation.COMPLETE, 1)
        self.assertEqual(['c-1 cluster_complete'], self.galera.told)

    def test_it_is_waited_for(self) -> None:
        self.clock.after(100, lambda: self.report_status(
            1, fakes.Statuses.HEALTHY))
        self.do(formation.BE_HEALTHY, 1)
        self.assertEqual({DATABASE}, set(self.clock.pauses))

    def test_it_never_is(self) -> None:
        error = self.fails(
            exceptions.DeadlineExceeded, formation.BE_HEALTHY, 1)
        self.assertEqual(180, error.seconds)
        self.assertEqual('its guest reports "instance ready"',
                         error.last_seen)
