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

"""The cluster of the fault tests: created once, observed, waited for.

For the tests of this folder and the campaign. It is created through Trove, as
users do; after that, only the lab's actions on its guests and the status of
its servers count.
"""

from collections.abc import Callable, Iterable
import contextlib
import datetime
import logging
import time

from lab import api
from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import parallel
from lab import waiting
from tests.e2e import laboratory
from tests.e2e import transfers
from tests.faults import member as members

LOG = logging.getLogger(__name__)

NAME = 'faults'
SIZE = 3
VOLUME_GB = 1
LOOK = 0.3
#: Of everything that a cluster needs after any single fault, on a machine
#: that has other work too.
RECOVERY_SECONDS = 180
#: For a cluster that an earlier test may have left broken.
FOUND_SECONDS = 60


class Cluster:
    """Three members and the history that they share.

    :ivar uuid: the history at the first observation.
    :param cluster_id: of a cluster whose task is done.
    :raises WaitTimeout: the members do not become healthy.
    """

    def __init__(self, home: lab_home.Home, cluster_id: str) -> None:
        told = api.cluster(home, cluster_id)
        self.home = home
        self.cluster_id = cluster_id
        self.name = str(told['name'])
        names = [str(each['name']) for each in told['instances']]
        self.members = [members.Member(home, each) for each in names]
        self.uuid = self.wait_healthy(FOUND_SECONDS)

    def others(self, *struck: members.Member) -> list[members.Member]:
        """The members except for these."""
        return [member for member in self.members if member not in struck]

    def places(self) -> dict[str, members.Place]:
        return {member.name: member.place() for member in self.members}

    def problem(self, uuid: str | None = None) -> str:
        """The first problem, in words; '' if there is none.

        :param uuid: the expected history; None: any, but one
        """
        places = self.places()
        wrong = [f'{name}: {place}' for name, place in places.items()
                 if not place.serves or place.state != 'Synced'
                 or place.size != len(places)]
        if wrong:
            return '; '.join(wrong)
        uuids = {place.uuid for place in places.values()}
        if len(uuids) != 1 or (uuid is not None and uuids != {uuid}):
            return f'histories {sorted(uuids)}, expected {uuid}'
        return ''

    def wait_healthy(self, seconds: float = RECOVERY_SECONDS,
                     uuid: str | None = None) -> str:
        """Wait until all members agree; return the UUID that they agree on."""
        def healthy() -> str:
            problem = self.problem(uuid)
            if problem:
                raise waiting.NotYet(problem)
            return self.members[0].place().uuid

        return waiting.until(f'{self.name} to be healthy', healthy,
                             seconds, LOOK)

    def wait_recovered(self, seconds: float = RECOVERY_SECONDS) -> float:
        """Wait until all members have the one history; seconds it took."""
        began = time.monotonic()
        self.wait_healthy(seconds, self.uuid)
        return time.monotonic() - began

    def histories(self) -> set[str]:
        """The histories of members that answer, without the expected one."""
        return {place.uuid for place in self.places().values()
                if place.serves} - {self.uuid}

    def strike(self, fault: Callable[[lab_home.Home, str], object],
               struck: Iterable[members.Member]) -> None:
        """Do the same to several guests, as simultaneously as possible."""
        who = [member.instance_id for member in struck]
        parallel.each(lambda each: fault(self.home, each), who)

    def restore(self) -> None:
        """Undo every effect that a fault may have left on any member."""
        parallel.each(restore, self.members)

    def mark(self) -> datetime.datetime:
        """The current time, for ``Member.server_log``."""
        return transfers.now()


def shared(name: str = NAME, volume_gb: int = VOLUME_GB) -> Cluster:
    """The healthy cluster of that name; created or replaced if needed.

    "lab down" removes it with the lab.
    """
    home = laboratory.home()
    for each in api.clusters(home):
        if each['name'] != name:
            continue
        cluster_id = str(each['id'])
        try:
            return _found(home, cluster_id)
        except waiting.WaitTimeout as broken:
            LOG.warning('the cluster cannot be used any more: %s', broken)
            laboratory.delete_cluster(cluster_id, RECOVERY_SECONDS)
    cluster_id = laboratory.create_cluster(
        name, [laboratory.member_option(volume=volume_gb)] * SIZE)
    laboratory.wait_ready(cluster_id)
    return Cluster(home, cluster_id)


def _found(home: lab_home.Home, cluster_id: str) -> Cluster:
    """A cluster that an earlier test has left, in any state."""
    for each in api.cluster(home, cluster_id)['instances']:
        restore(members.Member(home, str(each['name'])))
    return Cluster(home, cluster_id)


def restore(member: members.Member) -> None:
    """Undo every effect that a fault may have left."""
    home, who = member.home, member.instance_id
    control.heal(home, who)
    control.power_on(home, who)
    control.free_disk(home, who)
    with contextlib.suppress(errors.LabError):
        control.thaw_database(home, who)
    with contextlib.suppress(errors.LabError):
        control.start_database(home, who)
