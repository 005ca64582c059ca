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

"""Detects that the creation of an instance was interrupted.

Imported by formation. A taskmanager creates each instance of a cluster, with
parameters that are only in an RPC message and in its memory. If it dies, the
instance stays BUILDING and cannot be completed. Unlike a slow creation, an
interrupted one makes no progress.
"""

from collections.abc import Hashable

from trove.common import exception

from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import members
from trove_pxc import waiting

_CUT_SHORT = ('the taskmanager died while it created the instance, and its '
              'parameters are lost')


class Creation:
    """Follows the creation of one instance, which may be interrupted."""

    def __init__(self, member: members.Member) -> None:
        self._member = member
        self._signs: Hashable = None
        self._quiet = waiting.Stopwatch()
        self._unprepared: waiting.Stopwatch | None = None

    def look(self) -> None:
        """Check for progress in the cloud.

        :raises MemberFailed: if it has no server, and there was no progress
            for creation_stall_timeout seconds.
        """
        member = self._member
        row = member.row()
        if row.compute_instance_id:
            return
        signs = self._seen_in_cloud(row)
        if signs != self._signs:
            self._signs, self._quiet = signs, waiting.Stopwatch()
        elif self._quiet.elapsed >= member.options.creation_stall_timeout:
            raise member.failed(
                f'it has no server: {_CUT_SHORT}')

    def ask(self) -> None:
        """Check whether a guest that runs was called to prepare.

        :raises MemberFailed: if it runs and has not begun to prepare for
            creation_stall_timeout seconds.
        """
        if not self._member.untouched():
            self._unprepared = None
            return
        if self._unprepared is None:
            if self._answers():
                self._unprepared = waiting.Stopwatch()
        elif (self._unprepared.elapsed
              >= self._member.options.creation_stall_timeout):
            raise self._member.failed(
                f'its guest runs but was never called to prepare: '
                f'{_CUT_SHORT}')

    def _answers(self) -> bool:
        try:
            report = self._member.guest.member_report()
        except (exception.GuestTimeout, exception.GuestError):
            return False
        return isinstance(report, view.MemberReport)

    def _seen_in_cloud(self, row: object) -> Hashable:
        member = self._member
        name = f'trove-{member.id}'
        ports = member.neutron.list_ports(name=name)['ports']
        volumes = member.cinder.volumes.list(search_opts={'name': name})
        return (getattr(row, 'updated', None),
                frozenset(port['id'] for port in ports),
                frozenset((volume.id, volume.status) for volume in volumes))
