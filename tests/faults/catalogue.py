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

"""Every fault: how it is caused, how it shows, how it is ended.

For the tests of this folder and the campaign. ``seen`` is polled until it is
true; if it never is, the fault had no effect, and the results prove nothing.
"""

from collections.abc import Callable, Sequence
import contextlib
import dataclasses
import os
from pathlib import Path
import subprocess

from lab.guest import boot
from lab.guest import control
from lab.guest import spec as guest_spec
from lab import netns
from lab import waiting
from tests.faults import cluster as clusters
from tests.faults import filling
from tests.faults import member as members

Victims = Sequence[members.Member]
Act = Callable[[clusters.Cluster, Victims], object]
Look = Callable[[clusters.Cluster, members.Member, 'Before'], bool]

#: Of a hundred packets: many, but few enough that the group stays together.
LOSS = 20
#: A busy cluster of this size writes more.
KILOBITS = 256
GROUP_PORT = 4567
DISCARD_PORT = 9
REACH_SECONDS = 2


@dataclasses.dataclass(frozen=True)
class Before:
    """The state of a member before the fault."""

    server: int
    init: int | None
    agents: frozenset[int]
    resent: int
    held_back: int

    @classmethod
    def of(cls, member: members.Member) -> 'Before':
        return cls(server=server_start(member), init=member.info.pid,
                   agents=frozenset(control.agents(
                       member.home, member.instance_id)),
                   resent=resent(member), held_back=held_back(member))


@dataclasses.dataclass(frozen=True)
class Fault:
    """One kind of fault.

    :ivar name: a word, for --only.
    :ivar what: what happens to the victims, as the end of a sentence.
    :ivar strike: causes it for all victims, at once.
    :ivar seen: whether it shows on one of them; may raise NotYet.
    :ivar undo: ends it, if it does not end by itself.
    :ivar most: the number of members that it may affect at once.
    """

    name: str
    what: str
    strike: Act
    seen: Look
    undo: Act | None = None
    most: int = clusters.SIZE

    def wait_seen(self, cluster: clusters.Cluster, victims: Victims,
                  before: Sequence[Before], seconds: float) -> None:
        """Wait until it shows on every victim."""
        for member, was in zip(victims, before, strict=True):
            waiting.until(
                f'{self.name} to show on {member.name}',
                lambda member=member, was=was: self.seen(
                    cluster, member, was),
                seconds, 0.2)

    def end(self, cluster: clusters.Cluster, victims: Victims) -> None:
        if self.undo is not None:
            self.undo(cluster, victims)


def server_start(member: members.Member) -> int:
    """The start time of the running server; 0 if there is none."""
    return max(control.servers(member.home, member.instance_id).values(),
               default=0)


def resent(member: members.Member) -> int:
    """TCP segments that the guest has sent again; 0 without power."""
    pid = boot.init_pid(member.folder)
    if pid is None:
        return 0
    names, values = (line.split() for line in Path(
        f'/proc/{pid}/net/snmp').read_text().splitlines()
        if line.startswith('Tcp:'))
    return int(dict(zip(names, values, strict=True))['RetransSegs'])


def held_back(member: members.Member) -> int:
    """Frames from the guest that its slow link has delayed."""
    namespace = guest_spec.namespace(member.home, member.folder.load())
    if not netns.exists(namespace):
        return 0
    told = netns.run(namespace, ['tc', '-s', 'qdisc', 'show', 'dev', 'eth0'],
                     check=False).stdout
    words = told.replace(',', ' ').split()
    return int(words[words.index('overlimits') + 1]) if (
        'tbf' in words) else 0


def reaches(one: members.Member, other: members.Member) -> bool:
    """Whether a new connection between two guests is possible."""
    address = other.folder.load().ip
    try:
        done = control.run(
            one.home, one.instance_id,
            ['bash', '-c', f'exec 3<>/dev/tcp/{address}/{GROUP_PORT}'],
            timeout=REACH_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    # Refused is an answer too.
    return not done.returncode or 'refused' in done.stderr


def _new_server(_: clusters.Cluster, member: members.Member,
                was: Before) -> bool:
    return server_start(member) != was.server


def _frozen(_: clusters.Cluster, member: members.Member, __: Before) -> bool:
    return member.info.database == 'frozen' and not member.place().component


def _stopped(_: clusters.Cluster, member: members.Member,
             was: Before) -> bool:
    """Its agent may start it again before the test sees it stopped."""
    return (member.info.database == 'stopped'
            or server_start(member) > was.server)


def _off(_: clusters.Cluster, member: members.Member, __: Before) -> bool:
    return member.info.power == 'off'


def _rebooted(_: clusters.Cluster, member: members.Member,
              was: Before) -> bool:
    return member.info.pid not in (None, was.init)


def _alone(cluster: clusters.Cluster, member: members.Member,
           _: Before) -> bool:
    """It reaches no member, and its server has noticed."""
    return (not any(reaches(member, other)
                    for other in cluster.others(member))
            and not member.place().serves)


def _parted(cluster: clusters.Cluster, member: members.Member,
            _: Before) -> bool:
    return not reaches(member, _partner(cluster, member))


def _lossy(_: clusters.Cluster, member: members.Member, was: Before) -> bool:
    return resent(member) > was.resent


def _slow(_: clusters.Cluster, member: members.Member, was: Before) -> bool:
    """A burst of frames is delayed; slow members send none themselves."""
    spec = member.folder.load()
    netns.run(guest_spec.namespace(member.home, spec), [
        'bash', '-c', 'head -c 200000 /dev/zero > /dev/udp/'
        f'{spec.addresses[0].gateway}/{DISCARD_PORT}'], check=False)
    return held_back(member) > was.held_back


def _full(cluster: clusters.Cluster, member: members.Member,
          _: Before) -> bool:
    """No room is left, and its server has noticed.

    A server can write for long into the free space of its files; so another
    member writes more than that, into a table without free space.
    """
    if os.statvfs(member.data).f_bavail:
        return False
    for other in cluster.others(member):
        with contextlib.suppress(*members.LOST):
            filling.burst(other)
            break
    return not member.place().serves


def _new_agent(_: clusters.Cluster, member: members.Member,
               was: Before) -> bool:
    now = control.agents(member.home, member.instance_id)
    return bool(now) and not was.agents & set(now)


def _partner(cluster: clusters.Cluster,
             member: members.Member) -> members.Member:
    """The member that it is separated from: the next in order."""
    place = cluster.members.index(member)
    return cluster.members[(place + 1) % len(cluster.members)]


def _each(fault: Callable[..., object], *arguments: object) -> Act:
    def act(cluster: clusters.Cluster, victims: Victims) -> None:
        cluster.strike(lambda home, who: fault(home, who, *arguments),
                       victims)

    return act


def _fill(cluster: clusters.Cluster, victims: Victims) -> None:
    for member in victims:
        # A member with another fault may not get the writes.
        with contextlib.suppress(*members.LOST):
            filling.forget_bursts(member)
    _each(control.fill_disk)(cluster, victims)


def _separate(cluster: clusters.Cluster, victims: Victims) -> None:
    """From the members alone; the controller is still reached."""
    for member in victims:
        control.cut(cluster.home, member.instance_id,
                    [other.instance_id for other in cluster.others(member)])


def _part(cluster: clusters.Cluster, victims: Victims) -> None:
    for member in victims:
        control.cut(cluster.home, member.instance_id,
                    [_partner(cluster, member).instance_id])


def _hard_reboot(home: object, who: str) -> None:
    control.reboot(home, who, hard=True)  # type: ignore[arg-type]


_HEAL = _each(control.heal)

KILL = Fault('kill', 'the database server is killed with SIGKILL',
             _each(control.kill_database), _new_server)
FREEZE = Fault('freeze', 'the database server hangs (SIGSTOP), and continues',
               _each(control.freeze_database), _frozen,
               _each(control.thaw_database))
STOP = Fault('stop', 'the database server is stopped cleanly, and started',
             _each(control.stop_database), _stopped,
             _each(control.start_database))
OFF = Fault('power-off', 'the power fails, and returns',
            _each(control.power_off), _off, _each(control.power_on))
RESET = Fault('reset', 'the guest is reset',
              _each(_hard_reboot), _rebooted)
REBOOT = Fault('reboot', 'the guest is rebooted cleanly',
               _each(control.reboot), _rebooted)
CUT = Fault('cut', 'the network is cut, and restored', _each(control.cut),
            _alone, _HEAL)
SEPARATE = Fault('separate', 'the other members are unreachable for a while',
                 _separate, _alone, _HEAL)
PART = Fault('part', 'one other member is unreachable for a while',
             _part, _parted, _HEAL)
LOSE = Fault('lose', f'{LOSS} of a hundred packets are lost, for a while',
             _each(control.lose, LOSS), _lossy, _HEAL)
SLOW = Fault('slow', f'the link passes {KILOBITS} kbit/s, for a while',
             _each(control.slow, KILOBITS), _slow, _HEAL)
AGENT = Fault('kill-agent', "Trove's guest agent is killed",
              _each(control.kill_agent), _new_agent)

# If the volumes of a majority are full, the majority votes that the write has
# failed, and evicts the member that could apply it.
FULL = Fault('disk-full', 'the volume is full, and then has room again',
             _fill, _full, _each(control.free_disk),
             most=1)

ALL = (KILL, FREEZE, STOP, OFF, RESET, REBOOT, CUT, SEPARATE, PART, LOSE,
       SLOW, AGENT, FULL)
