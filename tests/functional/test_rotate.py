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

"""Certificates of members, and their replacement."""

import datetime
from typing import Any

import mock

from tests.functional import base
from tests.functional import galera
from tests.functional import test_actions
from tests.functional import test_grow
from trove_pxc import pending
from trove_pxc.taskmanager.cloud import certificate_authority

ROTATE: dict[str, Any] = {'rotate_certificates': {}}


class CreateTest(base.TroveTest):

    def created(self) -> list[galera.Guest]:
        self.start_taskmanager()
        self.wait_for_task(self.create().json['cluster']['id'])
        self.assertEqual(3, len(self.galera.component))
        return self.galera.component

    def test_members_have_different_certificates_of_one_authority(
            self) -> None:
        shown = [guest.shows for guest in self.created()]
        self.assertEqual(3, len({one['key'] for one in shown if one}))
        self.assertEqual(1, len({one['trusted'] for one in shown if one}))

    def test_certificate_of_another_authority_is_refused(self) -> None:
        member = self.created()[0].shows
        self.galera.habits.clear()
        stranger = self.created_elsewhere()
        self.assertFalse(galera.trusts(member, stranger))
        self.assertFalse(galera.trusts(stranger, member))

    def created_elsewhere(self) -> Any:
        """The certificates of a member of another cluster."""
        ours = set(self.galera.component)
        self.galera.component.clear()
        self.galera.history = ''
        self.wait_for_task(self.create(name='items').json['cluster']['id'])
        (other, *_) = set(self.galera.component) - ours
        return other.shows

    def test_encryption_can_be_switched_off(self) -> None:
        self.override('encrypt_cluster_traffic', False, 'mariadb')
        for guest in self.created():
            self.assertIsNone(guest.shows)


class RotateTest(test_actions.ActionTest):

    def authorities(self) -> set[tuple[str, ...]]:
        return {tuple(guest.settings['secrets']['authorities'])
                for guest in self.galera.component if guest.settings}

    def test_all_trust_only_the_new_authority_and_served_all_the_time(
            self) -> None:
        (before,) = self.authorities()
        self.accept(ROTATE)
        self.wait_notified('dbaas.cluster_rotate_certificates.end')
        (after,) = self.authorities()
        self.assertEqual(1, len(after))
        self.assertNotEqual(before, after)
        self.assert_whole()
        stops = [event for event in self.galera.events
                 if event.startswith('stop')]
        self.assertEqual(
            [f'stop {name}' for name in test_actions.NAMES] * 3, stops)

    def test_failed_rotation_is_continued(self) -> None:
        self.galera.habits['products-2'] = {'crashes': True}
        self.accept(ROTATE)
        error = self.wait_notified('dbaas.cluster_rotate_certificates.error')
        self.assertIn('products-2', error['message'])
        self.galera.habits.clear()
        self.galera.named('products-2').come_back()
        self.galera.events.clear()
        self.accept(ROTATE)
        (after,) = self.authorities()
        self.assertEqual(1, len(after))
        self.assert_whole()
        # The first member had completed its first round before.
        self.assertNotIn('products-1', self.galera.events[0])

    def test_a_resized_member_keeps_its_certificate(self) -> None:
        before = self.galera.named('products-1').shows
        self.accept({'resize': {'flavorRef': '2'}})
        self.assertEqual(before, self.galera.named('products-1').shows)
        self.assert_whole()

    def test_a_grow_before_the_retry_uses_the_authority_of_the_members(
            self) -> None:
        """A member's server uses the certificates that the member stores."""
        self.fail_at('products-2', 1)
        self.assertEqual(2, len(self.authorities()))
        self.accept({'grow': [test_grow.node()]})
        for guest in self.galera.component:
            assert guest.settings is not None
            self.assertEqual(guest.shows, guest.settings['identity'])
        self.accept(ROTATE)
        self.wait_notified('dbaas.cluster_rotate_certificates.end')
        self.assertEqual(1, len(self.authorities()))
        self.assertEqual(4, len(self.galera.component))
        self.assertLessEqual(2, min(self.galera.sizes))

    def fail_at(self, name: str, round_number: int) -> None:
        """The agent of a member refuses new settings in this round."""
        self.galera.habits[name] = {'refuses_settings': round_number}
        self.accept(ROTATE)
        error = self.wait_notified('dbaas.cluster_rotate_certificates.error')
        self.assertIn(name, error['message'])
        self.galera.habits.clear()
        for row in self.instance_rows(self.cluster_id):
            self.assertIsNone(pending.of(row))

    def test_rotation_that_fails_in_any_round_can_be_completed(self) -> None:
        for number in (1, 2, 3):
            (before,) = self.authorities()
            self.fail_at('products-2', number)
            self.assertEqual(3, len(self.galera.component))
            self.accept(ROTATE)
            (after,) = self.authorities()
            self.assertNotEqual(before, after)
            self.assertEqual(1, len(after))
            self.assert_whole()

    def test_expired_certificates_are_replaced_for_the_next_start(
            self) -> None:
        (before,) = self.authorities()
        late = (datetime.datetime.now(datetime.timezone.utc)
                + datetime.timedelta(days=4000))
        with mock.patch.object(certificate_authority, '_now', autospec=True,
                               return_value=late):
            self.accept(ROTATE)
        error = self.wait_notified('dbaas.cluster_rotate_certificates.error')
        self.assertIn('certificates have expired', error['message'])
        self.assertIn('reboot the guests of all members', error['message'])
        self.assertNotIn('stop products-1', self.galera.events)
        (after,) = self.authorities()
        self.assertNotEqual(before, after)
        for row in self.instance_rows(self.cluster_id):
            self.assertIsNone(pending.of(row))

    def test_clear_text_cluster_is_not_changed(self) -> None:
        for guest in self.galera.component:
            assert guest.settings is not None
            guest.settings['identity'] = None
            guest.settings['secrets']['authorities'] = []
        self.accept(ROTATE)
        error = self.wait_notified('dbaas.cluster_rotate_certificates.error')
        self.assertIn('created without encryption', error['message'])
        self.assertEqual([], self.galera.events)

    def test_invalid_bodies_are_refused(self) -> None:
        for body in ({'instance': self.member(1)}, [], 'all'):
            self.refuse(400, 'rotate_certificates', {
                'rotate_certificates': body})
