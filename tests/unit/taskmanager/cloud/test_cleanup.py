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

"""Errors of a deletion that are ignored."""

from cinderclient import exceptions as cinder_exceptions
import mock
from neutronclient.common import exceptions as neutron_exceptions
from novaclient import exceptions as nova_exceptions
import testtools

from trove_pxc.taskmanager.cloud import cleanup


class IgnoringAbsenceTest(testtools.TestCase):

    def test_what_is_gone_or_in_use_is_no_error(self) -> None:
        for error in (nova_exceptions.NotFound(404),
                      neutron_exceptions.PortNotFoundClient(),
                      cinder_exceptions.NotFound(404),
                      nova_exceptions.Conflict(409),
                      neutron_exceptions.Conflict(),
                      cinder_exceptions.BadRequest(400)):
            delete = mock.Mock(side_effect=error)
            cleanup.ignoring_absence(delete)
            delete.assert_called_once_with()

    def test_anything_else_is_one(self) -> None:
        for error in (nova_exceptions.Forbidden(403),
                      neutron_exceptions.Unauthorized(),
                      cinder_exceptions.ClientException(500), OSError()):
            self.assertRaises(
                type(error), cleanup.ignoring_absence,
                mock.Mock(side_effect=error))
