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

"""The status of a member that is shown to users."""

import types
from typing import Any

import testtools
from trove.instance import service_status

from trove_pxc.api import members

Statuses = service_status.ServiceStatuses


def member(status: str, of_guest: Any) -> Any:
    return types.SimpleNamespace(
        status=status,
        datastore_status=types.SimpleNamespace(status=of_guest))


class ShownStatusTest(testtools.TestCase):

    def test_a_member_is_build_until_its_cluster_is_complete(self) -> None:
        for status, of_guest, shown in (
                ('ACTIVE', Statuses.NEW, 'BUILD'),
                ('ACTIVE', Statuses.BUILDING, 'BUILD'),
                ('ACTIVE', Statuses.INSTANCE_READY, 'BUILD'),
                ('ACTIVE', Statuses.HEALTHY, 'ACTIVE'),
                ('ACTIVE', Statuses.CRASHED, 'ACTIVE'),
                ('BUILD', Statuses.NEW, 'BUILD'),
                ('ERROR', Statuses.INSTANCE_READY, 'ERROR'),
                ('SHUTDOWN', Statuses.HEALTHY, 'SHUTDOWN')):
            self.assertEqual(
                shown, members.shown_status(member(status, of_guest)),
                f'{status}, {of_guest}')
