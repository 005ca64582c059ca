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

"""What the server of a member runs with, asked when somebody looks.

Imported by api/extension. Trove's own answer is its template for single
instances, which no member has ever had.
"""


from trove.common import clients
from trove.common import exception
from trove.configuration import models as configuration_models

from trove_pxc.api import validation
from trove_pxc.protocols import Context
from trove_pxc.protocols import Instance


def configuration(context: Context, member: Instance) -> dict[str, str]:
    """The variables that are set for a member, as its server has them now.

    :param member: Trove's view of the instance.
    :raises trove.common.exception.UnprocessableEntity: if it does not tell.
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
            f'Member {member.name} ({member.id}) does not tell what its '
            f'server runs with: {silence} Look at the health of its '
            'cluster, and ask again when the member serves.') from silence
    return told
