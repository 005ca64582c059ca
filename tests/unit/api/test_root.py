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

"""Root of a cluster: which guest is called, and for which it is recorded."""

from typing import Any

import mock
from trove.common import exception
from trove.extensions.common import models
from trove.extensions.common import service
from trove.instance import models as instance_models

from tests.unit.api import base
from tests.unit.api import test_ownership
from tests.unit import tables
from trove_pxc.api import root

MADE = {'_name': 'root', '_host': '%', '_password': 'a-password',
        '_databases': [], '_is_root': True}


class RootTestCase(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.cluster = self.add_cluster()
        self.ids = [row.id for row in self.members(self.cluster)]
        self.guest.enable_root.return_value = dict(MADE)
        self.guest.enable_root_with_password.return_value = dict(MADE)
        self.controller = root.GaleraRootController()
        self.request = base.request()

    def enable(self, subject: str | None = None, body: Any = None) -> Any:
        """Enable root through a member or the cluster."""
        return self.controller.root_create(
            self.request, body, base.PROJECT, subject or self.cluster.id,
            subject is None)

    def disable(self, subject: str | None = None) -> Any:
        return self.controller.root_delete(
            self.request, base.PROJECT, subject or self.cluster.id,
            subject is None)

    def is_enabled(self, subject: str | None = None) -> Any:
        result = self.controller.root_index(
            self.request, base.PROJECT, subject or self.cluster.id,
            subject is None)
        self.assertEqual(200, result.status)
        return result.data('application/json')['rootEnabled']

    def asked(self) -> str:
        """Return the member whose guest was called last."""
        _, instance_id, manager = self.create_guest.call_args.args
        self.assertEqual('mariadb', manager)
        return str(instance_id)

    def serves(self, *numbers: int) -> None:
        """Only these members serve."""
        model = instance_models.InstanceServiceStatus
        for number, instance_id in enumerate(self.ids, start=1):
            if number not in numbers:
                model.find_by(instance_id=instance_id).update(
                    status=tables.Statuses.SHUTDOWN)


class EnableTest(RootTestCase):

    def test_it_is_there_on_all(self) -> None:
        self.assertFalse(self.is_enabled())
        result = self.enable()
        self.assertEqual(200, result.status)
        self.assertEqual(
            {'user': {'name': 'root', 'password': 'a-password'}},
            result.data('application/json'))
        self.guest.enable_root.assert_called_once_with()
        for subject in (None, *self.ids):
            self.assertTrue(self.is_enabled(subject))
        for instance_id in self.ids:
            self.assertEqual('someone', models.RootHistory.load(
                None, instance_id).user)

    def test_with_a_password(self) -> None:
        self.enable(body={'password': 'mine'})
        self.guest.enable_root_with_password.assert_called_once_with('mine')
        self.guest.enable_root.assert_not_called()

    def test_through_the_member_that_is_meant(self) -> None:
        for instance_id in reversed(self.ids):
            self.enable(instance_id)
            self.assertEqual(instance_id, self.asked())

    def test_through_another_where_that_one_does_not_serve(self) -> None:
        self.serves(2)
        for subject in (self.ids[2], None):
            self.enable(subject)
            self.assertEqual(self.ids[1], self.asked())

    def test_nobody_serves(self) -> None:
        self.serves()
        error = self.assertRaises(exception.UnprocessableEntity, self.enable)
        self.assertEqual('No member of cluster c serves now. Try again when '
                         'a member is HEALTHY.', str(error))
        self.create_guest.assert_not_called()
        self.assertFalse(self.is_enabled())

    def test_a_guest_that_fails_leaves_nothing(self) -> None:
        self.guest.enable_root.side_effect = exception.GuestError(
            original_message='x')
        self.assertRaises(exception.UnprocessableEntity, self.enable)
        self.assertFalse(self.is_enabled())

    def test_a_password_that_no_server_takes(self) -> None:
        for password in ('', 'a\nb'):
            self.assertRaises(exception.BadRequest, self.enable,
                              body={'password': password})
        self.create_guest.assert_not_called()


class DisableTest(RootTestCase):

    def test_it_is_gone_on_all(self) -> None:
        self.enable()
        self.assertEqual(204, self.disable(self.ids[1]).status)
        self.guest.disable_root.assert_called_once_with()
        self.assertEqual(self.ids[1], self.asked())
        for subject in (None, *self.ids):
            self.assertFalse(self.is_enabled(subject))

    def test_once_more(self) -> None:
        self.enable()
        self.disable()
        self.assertRaises(exception.RootHistoryNotFound, self.disable)
        self.guest.disable_root.assert_called_once_with()

    def test_what_was_never_enabled(self) -> None:
        self.assertRaises(exception.RootHistoryNotFound, self.disable)
        self.create_guest.assert_not_called()

    def test_it_can_be_enabled_again(self) -> None:
        self.enable()
        self.disable()
        self.enable()
        self.assertTrue(self.is_enabled())

    def test_one_that_joined_since_then_is_told_as_the_others(self) -> None:
        self.enable()
        tables.add_member(self.cluster, 'c-4')
        self.assertTrue(self.is_enabled())

    def test_nobody_serves(self) -> None:
        self.enable()
        self.serves()
        self.assertRaises(exception.UnprocessableEntity, self.disable)
        self.assertTrue(self.is_enabled())


class OthersTest(RootTestCase):

    def check_is_troves(self, subject: str, is_cluster: bool) -> None:
        """Check that Trove's own class gets the request unchanged."""
        for name, ask, before in (
                ('root_index', self.controller.root_index, ()),
                ('root_create', self.controller.root_create, ('a body',)),
                ('root_delete', self.controller.root_delete, ())):
            with mock.patch.object(
                    service.DefaultRootController, name, autospec=True,
                    return_value=name) as troves:
                self.assertEqual(name, ask(
                    self.request, *before, base.PROJECT, subject,
                    is_cluster))
            troves.assert_called_once_with(
                self.controller, self.request, *before, base.PROJECT,
                subject, is_cluster)

    def test_a_single_instance_is_troves(self) -> None:
        self.check_is_troves(
            tables.add_instance(self.version, 'alone').id, False)

    def test_a_cluster_of_another_package_is_troves(self) -> None:
        self.override('api_strategy', test_ownership.OF_ANOTHER_PACKAGE,
                      'mariadb')
        self.check_is_troves(self.cluster.id, True)
        self.check_is_troves(self.ids[0], False)

    def test_what_there_is_not(self) -> None:
        self.members(self.cluster)[0].update(deleted=True)
        for subject in ('none', self.ids[0]):
            self.assertRaises(exception.NotFound, self.enable, subject)

    def test_a_cluster_of_another_project(self) -> None:
        self.request = base.request(project='other')
        for subject in (None, self.ids[0]):
            self.assertRaises(exception.ClusterNotFound, self.enable,
                              subject)
