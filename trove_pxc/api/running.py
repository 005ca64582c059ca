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

"""The settings of a member's server, read when a user asks.

Imported by api/extension. Trove shows its template for single instances, which
members do not use.
"""

from trove.common import clients
from trove.common import exception
from trove.configuration import models as configuration_models

from trove_pxc.api import validation
from trove_pxc.protocols import Context
from trove_pxc.protocols import Instance


def configuration(context: Context, member: Instance) -> dict[str, str]:
    """Return the current values of the variables that are set for a member.

    :param member: Trove's model of the instance.
    :raises trove.common.exception.UnprocessableEntity: if the guest does not
        answer.
    """
    group = configuration_models.Configuration(
        context, member.db_info.configuration_id)
    guest = clients.create_guest_client(
        context, member.id, member.datastore_version.manager)
    try:
        told: dict[str, str] = guest.member_variables(
            group.get_configuration_overrides().keys())
    except (exception.GuestTimeout, exception.GuestError) as silence:
        raise validation.unavailable(
            'The settings of the server of member '
            f'{member.name} ({member.id}) cannot be read: {silence} Check '
            'the health of its cluster, and try again when the member '
            'serves.') from silence
    return told
