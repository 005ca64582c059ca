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

"""Trove's application classes, as changed for members."""

import mock
from trove.common import exception
from trove.guestagent.datastore.mysql_common import service as common
from trove.guestagent.utils import docker as trove_docker

from trove_pxc.galera import settings
from trove_pxc.guestagent import app
from trove_pxc.guestagent.backup import member as members
from trove_pxc.guestagent import status

from tests.unit.guestagent import fakes
from tests.unit import specs


class AppTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.config.config(datastore_manager='mariadb',
                           datastore_version=fakes.VERSION)
        self.config.config(group='mariadb',
                           mount_point=self.where.mount_point)
        self.engine = fakes.Engine()
        self.status = status.MemberStatus(self.engine.client)
        self.app = app.MariaDBApp(self.status, self.engine.client)
        self.member = specs.spec(members.BackupMember)
        self.app.member = self.member
        self.status.member = self.member

    def is_member(self, so: bool) -> None:
        self.member.is_member = so

    def test_the_service_is_the_manager_s(self) -> None:
        bound = self.app.bind('mariadb', self.engine.client)
        self.assertIs(bound, self.app.member)

    def test_a_member_starts_and_stops_through_its_service(self) -> None:
        self.is_member(True)
        for act, done in (
                (self.app.start_db, self.member.start),
                (self.app.stop_db, self.member.stop),
                (self.app.restart, self.member.restart),
                (lambda: self.app.start_db_with_conf_changes('x', '10.11'),
                 self.member.restart)):
            done.reset_mock()
            act()
            done.assert_called_once_with()

    def test_a_single_instance_stops_trove_s_way(self) -> None:
        self.is_member(False)
        with mock.patch.object(trove_docker, 'stop_container',
                               autospec=True) as stop, \
                mock.patch.object(self.status, 'wait_for_status',
                                  autospec=True, return_value=True):
            self.app.stop_db()
        stop.assert_called_once_with(self.engine.client)
        self.member.stop.assert_not_called()

    def test_a_member_is_not_upgraded_behind_its_cluster(self) -> None:
        self.is_member(True)
        self.assertRaises(exception.DatastoreOperationNotSupported,
                          self.app.upgrade, {})

    def saved(self, name: str) -> str:
        return f'{self.where.state_dir}/{name}.cnf'

    def save(self) -> None:
        """Save a password without sudo."""
        with mock.patch.object(app.files, 'HostFiles', autospec=True,
                               return_value=self.files):
            self.app.use_passwords(fakes.secrets())
            self.password = self.app.get_auth_password()
            self.root = self.app.get_auth_password(file='root.cnf')

    def test_passwords_are_where_trove_looks_for_them(self) -> None:
        self.save()
        self.assertEqual(list(fakes.PASSWORDS[:2]),
                         [self.password, self.root])
        for name in (settings.ADMIN_USER, 'root'):
            self.assertEqual(0o600, self.mode(self.saved(name)))

    def test_a_password_that_is_not_there(self) -> None:
        with mock.patch.object(app.files, 'HostFiles', autospec=True,
                               return_value=self.files):
            self.assertRaises(exception.UnprocessableEntity,
                              self.app.get_auth_password)

    def test_trove_s_engine_with_the_old_password_is_dropped(self) -> None:
        engine = mock.Mock(spec=['dispose'])
        self.addCleanup(setattr, common, 'ENGINE', None)
        common.ENGINE = engine
        self.save()
        engine.dispose.assert_called_once_with()
        self.assertIsNone(common.ENGINE)
