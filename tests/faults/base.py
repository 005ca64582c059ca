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

"""The base of the fault tests: a healthy cluster under writes.

Use::

    class TestKill(base.FaultTest):

        def test_one(self):
            # causes the fault, waits until it shows, ends it, waits until
            # all members are back in the history that they had
            recovery = self.suffer(catalogue.KILL, self.last(1), seconds=30)
            # no acknowledged write is lost, and all members have the same
            self.expect_ledger(recovery)

Every test finds the cluster healthy and clients of a ledger writing on all
members; at its end, all effects of the fault are undone. A class that needs
another cluster overrides ``make_cluster``; one that causes a fault while a
cluster is created uses ``cluster.Cluster`` and ``ledger.Ledger`` itself.
"""

from collections.abc import Callable, Sequence
import json
import time

import testtools

from lab import waiting
from tests.faults import audit as audits
from tests.faults import catalogue
from tests.faults import cluster as clusters
from tests.faults import ledger
from tests.faults import member as members

#: Writes that have to be acknowledged before the fault.
WARM = 100
WARM_SECONDS = 60
#: Until the clients of a member that is back have connected.
WRITE_SECONDS = 30
#: Until a fault shows; Galera's own timeouts are 5 and 15 s.
EFFECT_SECONDS = 30
LOOK = 0.2


class FaultTest(testtools.TestCase):
    """A test that causes a fault in the shared cluster.

    :ivar since: the time of the fault, by time.monotonic
    :ivar marked: the same, for the servers' logs
    """

    @classmethod
    def make_cluster(cls) -> clusters.Cluster:
        """The healthy cluster for the tests."""
        return clusters.shared()

    def setUp(self):
        super().setUp()
        self.cluster = self.make_cluster()
        self.ledger = ledger.Ledger(self.cluster.members)
        self.ledger.prepare()
        self.addCleanup(self.cluster.restore)
        self.ledger.start()
        self.addCleanup(self.ledger.stop)
        self.wait_writes(WARM, WARM_SECONDS)
        self.since = time.monotonic()
        self.marked = self.cluster.mark()

    def first(self, number: int) -> list[members.Member]:
        """The member that bootstrapped, and those after it."""
        return self.cluster.members[:number]

    def last(self, number: int) -> list[members.Member]:
        """Not the member that bootstrapped, unless it is all of them."""
        return self.cluster.members[-number:]

    def suffer(self, fault: catalogue.Fault,
               victims: Sequence[members.Member], seconds: float,
               between: Callable[[], object] | None = None) -> float:
        """Cause a fault, see it, end it, and wait for the recovery.

        :param seconds: that the recovery may take, from the fault's end
        :param between: what to check while the fault lasts
        :returns: the seconds that the recovery took
        """
        self.strike(fault, victims)
        if between is not None:
            between()
        ended = time.monotonic()
        if fault.undo is None:
            # Over as soon as it has happened.
            ended = self.since
        else:
            fault.undo(self.cluster, victims)
        self.expect_recovery(seconds)
        return time.monotonic() - ended

    def strike(self, fault: catalogue.Fault,
               victims: Sequence[members.Member]) -> None:
        """Cause it, and wait until it shows on every victim."""
        before = [catalogue.Before.of(member) for member in victims]
        self.marked = self.cluster.mark()
        self.since = time.monotonic()
        fault.strike(self.cluster, victims)
        fault.wait_seen(self.cluster, victims, before, EFFECT_SECONDS)

    def wait_until(self, what: str, holds: Callable[[], object],
                   seconds: float = EFFECT_SECONDS) -> None:
        waiting.until(what, holds, seconds, LOOK)

    def wait_writes(self, number: int, seconds: float,
                    member: members.Member | None = None) -> None:
        """Wait for this number of acknowledged writes, through any member."""
        name = None if member is None else member.name
        begin = time.monotonic()

        def written() -> bool:
            count = self.ledger.record.acknowledged(name, since=begin)
            if count < number:
                raise waiting.NotYet(f'{count} writes')
            return True

        self.wait_until(f'{number} writes on {name or "any member"}',
                        written, seconds)

    def expect_out(self, *struck: members.Member) -> None:
        """These take no writes: without answer, or not primary."""
        for member in struck:
            self.wait_until(f'{member.name} to be out',
                            lambda member=member: not member.place().serves)

    def expect_size(self, size: int, *left: members.Member) -> None:
        """These form a primary component of that size."""
        for member in left:
            def counts(member: members.Member = member) -> bool:
                place = member.place()
                if not (place.serves and place.size == size):
                    raise waiting.NotYet(str(place))
                return True

            self.wait_until(f'{member.name} to count {size}', counts)

    def expect_no_writes(self, struck: Sequence[members.Member],
                         seconds: float = 3) -> None:
        """None of these acknowledges a write for some seconds."""
        begin = time.monotonic()
        waiting.pause(seconds)
        for member in struck:
            self.assertEqual(0, self.ledger.record.acknowledged(
                member.name, since=begin), member.name)

    def expect_recovery(self, seconds: float) -> None:
        """All members are back in the history that they had, and write.

        :param seconds: from now on
        """
        self.cluster.wait_recovered(seconds)
        for member in self.cluster.members:
            self.wait_writes(1, WRITE_SECONDS, member)

    def expect_others_go_on(self, victims: Sequence[members.Member],
                            seconds: float = EFFECT_SECONDS) -> None:
        """Each of the others acknowledges writes while the fault lasts."""
        for member in self.cluster.others(*victims):
            self.wait_writes(10, seconds, member)

    def stalls(self, of: Sequence[members.Member]) -> dict[str, float]:
        """The longest time without a write of each, since the fault."""
        return {member.name: self.ledger.record.longest_stall(
            since=self.since, member=member.name) for member in of}

    def expect_ledger(self, recovery: float | None = None) -> audits.Audit:
        """No acknowledged write is lost, and all members have the same."""
        stall = self.ledger.record.longest_stall(since=self.since)
        audit = self.ledger.close()
        self.note(audit, stall, recovery)
        self.assertEqual([], audit.findings)
        self.assertEqual(0, audit.lost)
        self.assertEqual(set(), self.cluster.histories())
        return audit

    def note(self, audit: audits.Audit, stall: float,
             recovery: float | None) -> None:
        """Print the measured values; the lab stores them in faults.jsonl."""
        back = '' if recovery is None else f', all back after {recovery:.1f} s'
        print(f'{self.id()}: {audit}; {stall:.1f} s since it struck{back}')
        path = self.cluster.home.logs / 'faults.jsonl'
        with path.open('a') as file:
            file.write(json.dumps({
                'test': self.id(), 'acknowledged': audit.acknowledged,
                'lost': audit.lost, 'unknown': audit.unknown,
                'stall': round(stall, 1),
                'recovery': None if recovery is None else round(recovery, 1),
                'findings': audit.findings}) + '\n')
