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

"""Which member makes a backup.

Pure. trove-api decides it, so that a refusal is immediate. The guest checks
the state of its server again when it begins.
"""

from collections.abc import Mapping

from trove_pxc.galera import errors
from trove_pxc.galera import roles
from trove_pxc.galera.view import MemberReport

_HEALTH = '"openstack database cluster health show"'


def choose(names: Mapping[str, str],
           reports: Mapping[str, MemberReport | None],
           wanted: str | None = None, because: str = '') -> str:
    """Return the id of the member to back up.

    It must be Synced, and another member must be Synced too, because the
    backup makes a member slower. Otherwise the last one of the members: users
    of a cluster mostly connect to the first ones.

    :param names: of the members by their ids, in member order.
    :param wanted: the id of the member that has to make it; None: any.
    :param because: why only this member can make it; '' if the user named it.
    :raises trove_pxc.galera.errors.Refused: with the reason and the next
        action.
    """
    synced = [one for one in names
              if roles.role(reports.get(one)) is roles.Role.SYNCED]
    if wanted is not None and wanted not in synced:
        raise errors.Refused(_not_synced(
            names.get(wanted, wanted), reports.get(wanted), because))
    if not synced:
        raise errors.Refused(
            'No member of the cluster is Synced, so none can be backed up. '
            f'Look at {_HEALTH}, and make the backup when the cluster is '
            'healthy.')
    if len(synced) == 1:
        raise errors.Refused(
            f'Only {names[synced[0]]} is Synced, and a member that is backed '
            'up must not be the only one that serves. Bring another member '
            f'back first; {_HEALTH} names the next action.')
    return wanted or synced[-1]


def _not_synced(name: str, report: MemberReport | None,
                because: str) -> str:
    role = roles.role(report).value
    if because:
        return (f'{name} must make this backup, because {because}. But it '
                f'{role}. Wait until it is Synced, or make a full backup on '
                'another member.')
    return (f'{name} cannot be backed up, because it {role}. Wait until it '
            'is Synced, or let the command choose another member.')
