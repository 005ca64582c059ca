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

"""How long a guest waits for its server."""

import pathlib

import mock

from trove_pxc.galera import view
from trove_pxc.guestagent import arrival
from trove_pxc.guestagent import database

from tests.unit import clock
from tests.unit.galera import samples
from tests.unit.guestagent import fakes


def seen(**changes: str) -> view.NodeView:
    return view.NodeView.from_status({**samples.SYNCED, **changes})


class WaitTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.socket = pathlib.Path(self.root, 'mysqld.sock')
        self.admin = mock.create_autospec(database.Database, instance=True)
        self.admin.view.return_value = seen()

    def wait(self) -> float:
        arrival.wait(str(self.socket), self.admin, 2.0)
        return self.clock.now

    def test_a_server_that_is_synced_is_not_waited_for(self) -> None:
        self.socket.touch()
        self.assertEqual(0, self.wait())

    def test_no_sql_until_the_server_listens(self) -> None:
        self.clock.after(1.0, self.socket.touch)
        self.assertAlmostEqual(1.0, self.wait(), delta=0.2)
        self.admin.view.assert_called_once_with()

    def test_until_it_is_synced_in_a_primary_component(self) -> None:
        self.socket.touch()
        self.admin.view.side_effect = [
            database.NobodyListens('the file is old'),
            seen(wsrep_local_state='1'),
            seen(wsrep_cluster_status='non-Primary'), seen()]
        self.assertAlmostEqual(0.3, self.wait(), delta=0.01)

    def test_no_longer_than_asked(self) -> None:
        self.assertAlmostEqual(2.0, self.wait(), delta=0.01)
        self.admin.view.assert_not_called()
