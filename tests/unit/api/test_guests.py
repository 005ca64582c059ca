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

"""A failure of a guest becomes an answer of the API."""

import types

from trove.common import exception

from tests.unit.api import base
from tests.unit import tables
from trove_pxc.api import guests
from trove_pxc.galera import dialect


class GuestTest(base.ApiTestCase):

    def setUp(self) -> None:
        super().setUp()
        member = types.SimpleNamespace(id='an-id', name='c-1')
        self.asked = guests.Guest(tables.context(), member, self.version)

    def refused(self, words: str) -> None:
        error = self.assertRaises(
            exception.UnprocessableEntity, self.asked.get_user,
            username='joe', hostname='%')
        self.assertIn(words, str(error))
        self.assertNotIn('s3cret', str(error))

    def test_what_it_answers(self) -> None:
        self.guest.get_user.return_value = 'a user'
        self.assertEqual('a user', self.asked.get_user('joe', hostname='%'))
        self.guest.get_user.assert_called_once_with('joe', hostname='%')
        _, instance_id, manager = self.create_guest.call_args.args
        self.assertEqual(('an-id', 'mariadb'), (instance_id, manager))

    def test_what_its_server_speaks(self) -> None:
        self.assertEqual(dialect.for_version('mariadb', '10.11'),
                         self.asked.dialect)

    def test_it_does_not_answer(self) -> None:
        self.guest.get_user.side_effect = exception.GuestTimeout()
        self.refused('The guest of member c-1 (an-id) did not answer in '
                     'time, so the outcome of the request is unknown.')

    def test_it_fails(self) -> None:
        self.guest.get_user.side_effect = exception.GuestError(
            original_message="IDENTIFIED BY 's3cret'")
        self.refused('The guest of member c-1 (an-id) failed. See the log of')

    def test_what_its_server_refuses(self) -> None:
        for kind in (exception.UserNotFound, exception.BadRequest):
            self.guest.get_user.side_effect = kind()
            self.assertRaises(kind, self.asked.get_user, 'joe', '%')
