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

"""A model of a cluster: the effects of events on the disks of servers.

It follows what was measured on galera 25.3.37 and 26.4.23. A story is a
list of events; after each of them the members can be asked what they would
tell, and the truth is known beside it.
"""

import dataclasses

from tests.unit.galera import samples
from trove_pxc.galera import history
from trove_pxc.galera import plan

NAMES = ('a-1', 'a-2', 'a-3')
STRANGE_UUID = samples.OTHER_UUID


@dataclasses.dataclass
class Node:
    """One server: up or not, in the primary component or not, and a disk.

    :ivar applied: the last write set in its data.
    :ivar seen: the last one that its guest knows it to have had.
    """

    up: bool = True
    primary: bool = True
    applied: int = 1
    uuid: str = samples.UUID
    clean: bool = False
    safe: bool = False
    spoiled: bool = False
    grastate: bool = True
    seen: int = 1


class Cluster:
    """All nodes, and the last acknowledged write."""

    def __init__(self):
        self.nodes = {name: Node() for name in NAMES}
        self.acknowledged = 1
        self.forks = 0

    def primaries(self):
        return [name for name, node in self.nodes.items()
                if node.up and node.primary]

    def write(self, _name):
        if self.primaries():
            self.acknowledged += 1
            for name in self.primaries():
                self.nodes[name].applied = self.acknowledged
                self.nodes[name].seen = self.acknowledged

    def stop(self, name):
        """A clean stop: the position is written, the rest keeps quorum."""
        node = self.nodes[name]
        if node.up:
            alone = self.primaries() == [name]
            self.nodes[name] = dataclasses.replace(
                node, up=False, primary=False, clean=True,
                safe=node.primary and alone)

    def kill(self, name):
        """kill -9: the rest stays primary if it was the majority."""
        node = self.nodes[name]
        if node.up:
            before = self.primaries()
            self.nodes[name] = dataclasses.replace(
                node, up=False, primary=False, clean=False, safe=False)
            self.quorum(before)

    def kill_all(self, _name):
        for node in self.nodes.values():
            if node.up:
                node.up = node.primary = node.clean = node.safe = False

    def stop_all(self, _name):
        for node in self.nodes.values():
            if node.up:
                node.up = node.primary = node.safe = False
                node.clean = True

    def cut(self, name):
        """It loses the network; the rest keeps quorum or does not."""
        node = self.nodes[name]
        if node.up and node.primary:
            before = self.primaries()
            node.primary = len(before) == 1
            self.quorum(before)

    def quorum(self, before):
        left = self.primaries()
        if before and len(left) * 2 <= len(before):
            for name in left:
                self.nodes[name].primary = False

    def join(self, name):
        """It starts or reconnects, and gets all data of the primary."""
        primaries = self.primaries()
        if primaries and name not in primaries:
            self.nodes[name] = Node(applied=self.acknowledged,
                                    seen=self.acknowledged)

    def break_sst(self, name):
        node = self.nodes[name]
        if not node.up and self.primaries():
            self.nodes[name] = Node(False, False, node.applied,
                                    spoiled=True, seen=node.seen)

    def fail_start(self, name):
        """A refused start: the seqno in grastate.dat is lost."""
        node = self.nodes[name]
        if not node.up:
            node.clean = node.safe = False

    def lose_data(self, name):
        """Its disk is empty, except for the state of the guest."""
        node = self.nodes[name]
        if not node.up:
            self.nodes[name] = Node(False, False, -1, None, grastate=False,
                                    seen=node.seen)

    def lose_grastate(self, name):
        if not self.nodes[name].up:
            self.nodes[name].grastate = False

    def recover(self, name):
        """Execute the step of the plan."""
        choice = plan.choose_bootstrap(NAMES, self.answers())
        if choice.step in (plan.Step.BOOTSTRAP, plan.Step.PROMOTE):
            if self.primaries():
                self.forks += 1
            node = self.nodes[choice.member]
            self.nodes[choice.member] = Node(applied=node.applied,
                                             seen=node.seen)

    def answers(self):
        return {name: self.answer(node)
                for name, node in self.nodes.items()}

    def answer(self, node):
        if node.up and node.primary:
            return history.Answer(samples.primary(
                last_committed=node.applied, incoming_addresses=[
                    f'{name}:3306' for name in self.primaries()]))
        if node.up:
            return history.Answer(samples.outside(node.applied))
        place = samples.place(node.applied, node.uuid, safe=node.safe,
                              sst=node.spoiled, grastate=node.grastate,
                              gvwstate=not node.clean and node.applied >= 0,
                              seen=node.seen)
        return history.Answer(samples.report('stopped'), place)


EVENTS = ('write', 'stop', 'kill', 'kill_all', 'stop_all', 'cut', 'join',
          'break_sst', 'fail_start', 'lose_grastate', 'lose_data',
          'recover')
WITHOUT_NAME = ('write', 'kill_all', 'stop_all', 'recover')


def all_events():
    """Every event with every member that it can affect."""
    return [(event, name) for event in EVENTS for name in NAMES
            if event not in WITHOUT_NAME or name == NAMES[0]]
