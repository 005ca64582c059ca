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

"""The client of a guest has the methods of the protocol."""

import inspect

import testtools

from tests.unit import specs
from trove_pxc.guestagent import api
from trove_pxc.taskmanager.cloud import guest


class GuestTest(testtools.TestCase):

    def test_the_client_has_each_call_with_its_parameters(self) -> None:
        for name in specs.names_of(guest.Guest):
            self.assertEqual(*(
                [(one.name, one.default) for one in inspect.signature(
                    getattr(kind, name)).parameters.values()]
                for kind in (guest.Guest, api.GaleraGuestAPI)), name)
