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

"""What to do about a cluster that is not whole: the next command.

Pure. diagnosis imports it. Each sentence names a command that there is, or
what to wait for and what to do if that does not come; none is a dead end.
"""

from collections.abc import Mapping
from collections.abc import Sequence
import shlex

from trove_pxc.galera.roles import Role

_CLUSTER = 'openstack database cluster'

#: about one member, the worst last
_BY_ROLE = {
    Role.JOINING: 'Wait until {member} is Synced; {members} shows how it '
                  'goes.',
    Role.BUSY: 'Wait until {member} has given its data away.',
    Role.STARTING: 'Wait until {member} is up; if it is not within two '
                   'minutes, {members} shows what keeps it.',
    Role.NON_PRIMARY: 'Look at the network between {member} and the others; '
                      'if it is whole, {restart}.',
    Role.MUTE: 'Restart it: {restart}.',
    Role.FROZEN: 'Restart it: {restart}.',
    Role.STOPPED: 'Start it: {restart}.',
    Role.CRASHED: 'Remove what {members} tells as the reason, then start '
                  'it: {restart}.',
    Role.NEW: 'Look at its fault: {fault}.',
    Role.SILENT: 'An operator looks at its guest and its agent, and '
                 'restarts it: {reboot}.',
}


class Remedies:
    """The next step for one cluster.

    :param cluster: its name, as the commands take it.
    """

    def __init__(self, cluster: str) -> None:
        self._cluster = shlex.quote(cluster)

    @property
    def recover(self) -> str:
        return self._quoted('recover')

    @property
    def members(self) -> str:
        return self._quoted('member list')

    @property
    def force(self) -> str:
        return f'"{_CLUSTER} recover {self._cluster} --force MEMBER"'

    def of_members(self, wrong: Mapping[str, Role]) -> str:
        """While the others serve: about the worst, or about them all.

        A restart wants all other members to serve; recover brings back
        several at once.
        """
        order = list(_BY_ROLE)
        worst = max(wrong, key=lambda name: order.index(wrong[name]))
        role = wrong[worst]
        if len(wrong) == 1 or '{restart}' not in _BY_ROLE[role]:
            return self._about(worst, role)
        if role is Role.CRASHED:
            return (f'Remove what {self.members} tells as the reason, then '
                    f'bring all of them back: {self.recover}.')
        if role is Role.NON_PRIMARY:
            return ('Look at the network between them; if it is whole, '
                    f'bring all of them back: {self.recover}.')
        return f'Bring all of them back: {self.recover}.'

    def of_certificates(self) -> str:
        """They expire soon."""
        return ('Replace all certificates: '
                f'{self._quoted("certificate rotate")}.')

    def of_unknown(self, unknown: Sequence[str]) -> str:
        """Nobody is known to be primary, and these may be."""
        return (f'An operator looks at the guest of {unknown[0]}, and '
                f'restarts it: {self._reboot(unknown[0])}. If it is lost '
                f'for good, choose the member to go on from: {self.force}.')

    def of_coming(self, coming: Sequence[str]) -> str:
        """Nobody is primary, and these start or join."""
        return (f'Wait until {coming[0]} is up; if it is not within two '
                f'minutes: {self.recover}.')

    def of_cut_off(self, see_each_other: bool) -> str:
        """All that run are outside."""
        if see_each_other:
            return f'Make them one primary component again: {self.recover}.'
        return ('Look at the network between the members; if it is whole: '
                f'{self.recover}.')

    def of_two_histories(self) -> str:
        """None of them is in a primary component."""
        return (f'Find out which is the true one: {self.members} has their '
                f'UUIDs. Then choose a member of it: {self.force}.')

    def of_foreign(self, name: str) -> str:
        """One outside holds another history than the primary component."""
        return (f'Save what {name} alone holds, if it matters. Then have it '
                'take a full copy of the others\' data: '
                f'{self._restart(name)}.')

    def of_two_primaries(self) -> str:
        return ('Stop all writes at once, and decide which side is to be '
                'kept. An operator stops the servers of the other side '
                f'("openstack server stop"); then: {self.recover}.')

    def _about(self, name: str, role: Role) -> str:
        return _BY_ROLE[role].format(
            member=name, members=self.members, restart=self._restart(name),
            fault=f'"openstack database instance show {shlex.quote(name)}"',
            reboot=self._reboot(name))

    def _restart(self, name: str) -> str:
        return (f'"{_CLUSTER} restart {self._cluster} --member '
                f'{shlex.quote(name)}"')

    def _reboot(self, name: str) -> str:
        return f'"openstack database instance reboot {shlex.quote(name)}"'

    def _quoted(self, command: str) -> str:
        return f'"{_CLUSTER} {command} {self._cluster}"'
