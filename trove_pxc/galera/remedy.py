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

"""The next action for a cluster that is not healthy.

Pure. diagnosis imports it. Each sentence has a command or a statement that
works in that situation, or what to wait for and what to do if that does not
happen. tests/functional/test_advice.py runs each of them.
"""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
import shlex

from trove_pxc.galera import lost
from trove_pxc.galera.roles import Role
from trove_pxc.galera import view

_CLUSTER = 'openstack database cluster'
_INSTANCE = 'openstack database instance'

_AS_ROOT = ('as a user with all privileges, such as the one of '
            '"openstack database root enable {id}"')

#: By role, in the order of severity: the last one is the worst.
_BY_ROLE = {
    Role.JOINING: 'Wait until {member} is Synced; {list} shows the progress.',
    Role.BUSY: 'Wait until the state transfer from {member} is complete.',
    Role.STARTING: 'Wait until {member} is up; if it is not within two '
                   'minutes, {list} shows the reason.',
    Role.FAILED: 'Remove it: {shrink}. If it was a new member, grow the '
                 'cluster again.',
    Role.NEW: 'Remove it: {shrink}. Then grow the cluster again.',
    Role.GONE: '{replace}',
    Role.LOCKED: 'Wait until the backup is complete; if no backup runs, end '
                 'the lock: {restart}.',
    Role.DESYNCED: 'Run {statement} on {member}, ' + _AS_ROOT + '.',
    Role.READ_ONLY: 'Run {statement} on {member}, ' + _AS_ROOT + '.',
    Role.REJECTING: 'Run {statement} on {member}, ' + _AS_ROOT + '.',
    Role.UNREPLICATED: 'Restart it, which turns wsrep_on on and ends all '
                       'connections that do not replicate: {restart}.',
    Role.NON_PRIMARY: 'Check the network between {member} and the others; '
                      'if it works, restart the member: {restart}.',
    Role.UNRESPONSIVE: 'Restart it: {restart}.',
    Role.FROZEN: 'Restart it: {restart}.',
    Role.STOPPED: 'Start it: {restart}.',
    Role.CRASHED: 'Fix the cause that {list} shows, then start it: '
                  '{restart}.',
    Role.DENIED: 'Wait a minute: its guest agent restores its account '
                 'automatically. If the login still fails, have an operator '
                 'restart its guest; the next start restores the account: '
                 '{reboot}.',
    Role.SILENT: 'Have an operator check its guest and its agent, and '
                 'restart the guest: {reboot}.',
}

#: For several members that a recovery brings back.
_OF_SEVERAL = {
    Role.CRASHED: 'Fix the causes that {list} shows, then bring all of them '
                  'back: {recover}.',
    Role.NON_PRIMARY: 'Check the network between them; if it works, bring '
                      'all of them back: {recover}.',
    Role.LOCKED: 'Wait until all backups are complete; if no backup runs, '
                 'restart those members: {recover}.',
}


class Remedies:
    """The next actions for one cluster.

    :param cluster: its name or id, for the commands.
    :param ids: the ids of its members, by their labels in sentences.
    :param altered: by label, the variables that keep a member from serving
        in full.
    :param least: the minimum number of members.
    """

    def __init__(self, cluster: str, ids: Mapping[str, str],
                 altered: Mapping[str, Collection[str]],
                 least: int) -> None:
        self._name = cluster
        self._cluster = shlex.quote(cluster)
        self._ids = ids
        self._altered = altered
        self._least = least

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
        """The action for the worst member, or for all; others serve.

        A restart requires that all other members serve. A recovery brings
        back several at once, without those that failed to join.
        """
        order = list(_BY_ROLE)
        worst = max(wrong, key=lambda one: order.index(wrong[one]))
        role = wrong[worst]
        if len(wrong) == 1 or '{restart}' not in _BY_ROLE[role]:
            return self._about(worst, role)
        if role not in _OF_SEVERAL:
            return f'Bring all of them back: {self.recover}.'
        return _OF_SEVERAL[role].format(list=self.members,
                                        recover=self.recover)

    def of_failed_create(self) -> str:
        """The create failed, and no taskmanager continues it."""
        return (f'Delete it: {self._quoted("delete")}. Then create it '
                'again.')

    def of_certificates(self) -> str:
        """Certificates expire soon."""
        return ('Replace all certificates: '
                f'{self._quoted("certificate rotate")}.')

    def of_too_many(self) -> str:
        """The primary component has more members than Trove knows."""
        return ('Find its address: run "SHOW STATUS LIKE '
                '\'wsrep_incoming_addresses\'" on a member, and compare its '
                f'output with {self.members}. Then have an operator stop that '
                'server: "openstack server stop SERVER".')

    def of_unknown(self, unknown: Mapping[str, Role]) -> str:
        """No member is known to be primary, but these may be.

        A recovery never overrides a server that runs, not even by force. So
        force is named only if none of these guests answers.
        """
        denied = [one for one, role in unknown.items()
                  if role is Role.DENIED]
        if denied:
            return self._about(denied[0], Role.DENIED)
        one = next(iter(unknown))
        advice = (f'Have an operator check the guest of {one} and restart '
                  f'it: {self._reboot(one)}.')
        if all(role is Role.SILENT for role in unknown.values()):
            advice += (f' If {one} is lost for good, choose the member to '
                       f'continue from: {self.force}.')
        return advice

    def of_coming(self, coming: Sequence[str]) -> str:
        """No member is primary, and these are starting or joining."""
        return (f'Wait until {coming[0]} is up; if it is not within two '
                f'minutes: {self.recover}.')

    def of_down(self, told: Mapping[str, Role]) -> str:
        """No server runs."""
        return self._of_gone(told) or f'Recover the cluster: {self.recover}.'

    def of_cut_off(self, told: Mapping[str, Role],
                   see_each_other: bool) -> str:
        """All servers that run are outside the primary component."""
        gone = self._of_gone(told)
        if gone:
            return gone
        if see_each_other:
            return f'Restore the primary component: {self.recover}.'
        return ('Check the network between the members; if it works, recover '
                f'the cluster: {self.recover}.')

    def of_two_histories(self) -> str:
        """The running members have two histories; none is primary."""
        return (f'Find out which history has your data: {self.members} shows '
                'their UUIDs. Have an operator stop the servers of all '
                'members but one of that history ("openstack server stop '
                f'SERVER"); then continue from that one: {self.force}. Each '
                'of the others takes a full copy when its server is started '
                'again.')

    def of_foreign(self, name: str) -> str:
        """This member has another history than the primary component."""
        return (f'Save the data that only {name} has, if you need it. Then '
                'restart it, which replaces its data by a full copy of the '
                f'others: {self._restart(name)}.')

    def of_two_primaries(self) -> str:
        return ('Stop all writes at once, and decide which side to keep. '
                'Have an operator stop the servers of the other side '
                '("openstack server stop SERVER"); then replace its members '
                f'one after another: {self._grow}, then "{_CLUSTER} shrink '
                f'{self._cluster} MEMBER".')

    def _of_gone(self, told: Mapping[str, Role]) -> str:
        """A recovery needs force if the server of a member is gone."""
        if Role.GONE not in told.values():
            return ''
        return ('The data of a member whose server was deleted is lost. '
                f'Choose the member to continue from: {self.force}.')

    def _about(self, one: str, role: Role) -> str:
        return _BY_ROLE[role].format(
            member=one, id=self._ids[one], list=self.members,
            restart=self._restart(one), statement=self._statements(one, role),
            shrink=self._shrink(one), replace=self._replace(one),
            reboot=self._reboot(one))

    def _statements(self, one: str, role: Role) -> str:
        """The statements that restore the variables of a member."""
        variables = [name for name in view.SERVING_VALUES
                     if name in self._altered.get(one, ())
                     and (role is not Role.DESYNCED) == (
                         name != 'wsrep_desync')
                     and name not in ('super_read_only', 'wsrep_on')]
        return '"' + '; '.join(
            f'SET GLOBAL {name} = {view.SERVING_VALUES[name]}'
            for name in variables) + '"'

    def _replace(self, one: str) -> str:
        return lost.replacement(lost.Member(
            self._name, self._ids[one], one, len(self._ids), self._least))

    @property
    def _grow(self) -> str:
        return lost.adding(self._name)

    def _shrink(self, one: str) -> str:
        return f'"{_CLUSTER} shrink {self._cluster} {self._ids[one]}"'

    def _restart(self, one: str) -> str:
        return (f'"{_CLUSTER} restart {self._cluster} --member '
                f'{self._ids[one]}"')

    def _reboot(self, one: str) -> str:
        return f'"{_INSTANCE} reboot {self._ids[one]}"'

    def _quoted(self, command: str) -> str:
        return f'"{_CLUSTER} {command} {self._cluster}"'
