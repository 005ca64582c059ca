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

"""Contract: where Trove's guest agent stores its SQL engine."""

import fixtures
import mock
import testtools
from trove.guestagent.datastore.mysql_common import service

from trove_pxc.compat import sql_engine

PLACE = 'trove.guestagent.datastore.mysql_common.service.ENGINE'


class App(service.BaseMySqlApp):  # type: ignore[misc]
    """An application with the password that the last test has set."""

    password = 'old-Pass-1'

    def __init__(self) -> None:
        """Initialize without a server."""

    @classmethod
    def get_auth_password(cls, file: str = 'os_admin.cnf') -> str:
        return cls.password


class ForgetTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger())

    def test_trove_makes_it_again_with_the_password_of_then(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(PLACE, None))
        app = App()
        first = app.get_engine()
        self.assertIs(first, app.get_engine())
        self.useFixture(fixtures.MonkeyPatch(
            f'{App.__module__}.App.password', 'new-Pass-1'))
        sql_engine.forget()
        second = app.get_engine()
        self.assertEqual('old-Pass-1', first.url.password)
        self.assertEqual('new-Pass-1', second.url.password)

    def test_its_connections_are_closed(self) -> None:
        engine = mock.Mock(spec=['dispose'])
        self.useFixture(fixtures.MonkeyPatch(PLACE, engine))
        sql_engine.forget()
        engine.dispose.assert_called_once_with()
        sql_engine.forget()
        engine.dispose.assert_called_once_with()
        self.assertEqual('', self.log.output)

    def test_missing(self) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            PLACE, fixtures.MonkeyPatch.delete))
        sql_engine.forget()
        self.assertFalse(hasattr(service, 'ENGINE'))
        self.assertIn('has moved its SQL engine', self.log.output)
