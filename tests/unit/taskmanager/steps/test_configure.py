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

"""The configuration of a member, and the shared secrets."""

import fixtures
from trove.common import exception

from tests.unit.taskmanager import fakes
from tests.unit.taskmanager.steps import base
from trove_pxc import exceptions
from trove_pxc.taskmanager.steps import configure


class ConfigureTest(base.FormationTestCase):

    def test_all_share_the_same_secrets(self) -> None:
        for number in self.guests:
            self.assertFalse(self.done(configure.CONFIGURE, number))
            self.do(configure.CONFIGURE, number)
        first, *others = [guest.membership for guest in
                          self.guests.values()]
        for other in others:
            self.assertEqual(first.secrets, other.secrets)
        self.assertEqual(3, len({one.reveal() for one in
                                 first.secrets.passwords}))
        self.assertEqual((), first.secrets.authorities)

    def test_secrets_are_made_while_no_member_is_prepared(self) -> None:
        """Otherwise a member may have secrets already."""
        self.assertTrue(self.done(configure.MAKE_SECRETS, 1))
        for number in self.guests:
            self.report_status(number, fakes.Statuses.BUILDING)
        self.assertFalse(self.done(configure.MAKE_SECRETS, 1))
        self.do(configure.MAKE_SECRETS, 1)
        made = self.operation.found.secrets
        self.report_status(1, fakes.Statuses.INSTANCE_READY)
        self.do(configure.CONFIGURE, 1)
        self.assertIs(made, self.operation.found.secrets)
        self.assertEqual(made, self.guests[1].membership.secrets)

    def test_the_facts(self) -> None:
        self.do(configure.CONFIGURE, 2)
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
        self.do(configure.CONFIGURE, 1)
        self.assertEqual('rsync',
                         self.guests[1].membership.facts.sst_method)

    def test_another_run_keeps_what_any_member_has(self) -> None:
        self.do(configure.CONFIGURE, 3)
        self.report_status(1, fakes.Statuses.BUILDING)
        self.galera.asked.clear()
        self.operation = self.new()
        self.do(configure.CONFIGURE, 2)
        self.assertEqual(self.guests[3].membership.secrets,
                         self.guests[2].membership.secrets)
        self.assertNotIn('c-1 member_context', self.galera.asked)

    def test_what_one_has_is_known_when_it_is_asked(self) -> None:
        self.do(configure.CONFIGURE, 1)
        kept = self.operation.found.secrets
        self.operation = self.new()
        self.galera.told.clear()
        self.do(configure.CONFIGURE, 1)
        self.assertEqual(kept, self.operation.found.secrets)
        self.assertEqual([], self.galera.told)

    def test_it_is_done_again_when_something_has_changed(self) -> None:
        for number in self.guests:
            self.do(configure.CONFIGURE, number)
        self.know(registered=self.members[:2])
        self.assertFalse(self.done(configure.CONFIGURE, 1))
        self.do(configure.CONFIGURE, 1)
        self.assertEqual(2, len(self.guests[1].membership.facts.members))
        self.know(secrets=fakes.secrets('others'))
        self.assertFalse(self.done(configure.CONFIGURE, 1))

    def test_answers_that_are_lost_are_asked_for_again(self) -> None:
        self.guests[1].will('member_context', exception.GuestTimeout())
        self.guests[1].will('configure_member', exception.GuestTimeout())
        self.do(configure.CONFIGURE, 1)
        self.assertEqual(['c-1', 'c-1'],
                         self.galera.was_told('configure_member'))

    def test_a_guest_that_falls_silent(self) -> None:
        self.guests[1].silent = True
        error = self.fails(
            exceptions.DeadlineExceeded, configure.CONFIGURE, 1)
        self.assertEqual(120, error.seconds)


class EncryptedTest(base.FormationTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.override(encrypt_cluster_traffic=True, certificate_days=7)
        self.authority = self.useFixture(fixtures.MockPatchObject(
            configure, 'certificate_authority', autospec=True)).mock
        self.authority.new.return_value = fakes.secret.Secret(
            'certificate_authority')
        self.authority.issue.side_effect = (
            lambda authorities, name, address, days: f'{name} {address}')
        self.authority.fits.side_effect = (
            lambda certificate, authorities, address:
            certificate is not None and certificate.endswith(address))

    def test_one_authority_for_all(self) -> None:
        for number in self.guests:
            self.do(configure.CONFIGURE, number)
        self.authority.new.assert_called_once_with(fakes.CLUSTER, 7)
        self.assertEqual(
            ['c-1 10.0.0.1', 'c-2 10.0.0.2', 'c-3 10.0.0.3'],
            [guest.membership.certificate for guest in self.guests.values()])
        self.assertEqual(
            7, self.authority.issue.call_args.args[3])

    def test_the_first_certificate_is_issued_before_it_is_needed(
            self) -> None:
        for number in self.guests:
            self.report_status(number, fakes.Statuses.BUILDING)
        self.do(configure.MAKE_SECRETS, 1)
        self.authority.issue.assert_called_once()
        self.report_status(1, fakes.Statuses.INSTANCE_READY)
        self.do(configure.CONFIGURE, 1)
        self.authority.issue.assert_called_once()
        self.assertEqual('c-1 10.0.0.1', self.guests[1].membership.certificate)
        self.do(configure.CONFIGURE, 2)
        self.assertEqual('c-2 10.0.0.2', self.guests[2].membership.certificate)

    def test_an_identity_that_fits_is_kept(self) -> None:
        self.do(configure.CONFIGURE, 1)
        self.authority.issue.reset_mock()
        configure.CONFIGURE.do(self.operation, self.at(configure.CONFIGURE, 1))
        self.authority.issue.assert_not_called()
        self.assertEqual('c-1 10.0.0.1', self.guests[1].membership.certificate)

    def test_one_that_does_not_is_issued_anew(self) -> None:
        self.do(configure.CONFIGURE, 1)
        self.authority.fits.side_effect = None
        self.authority.fits.return_value = False
        self.assertFalse(self.done(configure.CONFIGURE, 1))

    def test_a_cluster_in_clear_text_stays_so(self) -> None:
        self.know(secrets=fakes.secrets())
        configure.CONFIGURE.do(self.operation, self.at(configure.CONFIGURE, 1))
        self.assertIsNone(self.guests[1].membership.certificate)
        self.authority.issue.assert_not_called()
