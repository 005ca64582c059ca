# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The duration of a create through Trove's API, and of its phases.

Imported by the bringup program. The phases follow each other without a gap:
the first ones are observed from outside, the steps are those that the
taskmanager logs.
"""

from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
from pathlib import Path
import re
import threading
import time
from typing import Any

from lab import api
from lab.cloud import seed
from lab import datastores
from lab import errors
from lab.guest import boot
from lab.guest import control
from lab.guest import init
from lab.guest import spec as guest_spec
from lab import home as lab_home
from lab import process
from lab import report as lab_report
from lab import waiting
from lab import web
from tests.benchmarks import removal

FLAVOR = '2'
VOLUME_GB = 1
TIMEOUT = 900
POLL = 0.1
#: Seconds without a message until the state is printed.
QUIET = 30
LOOK_AT_GUESTS = 0.05
STEP = re.compile(
    r'^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) .*'
    r'create of cluster (?P<cluster>\S+): (?P<step>.+) of (?P<member>\S+) '
    r'took (?P<seconds>[\d.]+) s')
MOMENT = len('2026-11-23 12:32:38.657')
PREPARE = 'Starting datastore prepare'
SYNCED = 'Synchronized with group, ready for connections'
#: the step that starts a server, by the step that waits until it is Synced
STARTS = {'bootstrap': 'start the bootstrap', 'join': 'join'}


@dataclasses.dataclass(frozen=True)
class Step:
    """A step of the taskmanager for one member, with its times."""

    name: str
    member: str
    began: float
    ended: float

    @classmethod
    def parse(cls, line: str, cluster_id: str) -> 'Step | None':
        found = STEP.match(line)
        if found is None or found['cluster'] != cluster_id:
            return None
        ended = datetime.datetime.fromisoformat(found['at']).timestamp()
        return cls(found['step'], found['member'],
                   ended - float(found['seconds']), ended)


class GuestWatch(threading.Thread):
    """Records when a guest appears, and when its Docker engine answers.

    :ivar there: when each was seen first, by its server's ID
    :ivar booted: when its engine answered
    :param prefix: of the names of the guests that count
    """

    def __init__(self, home: lab_home.Home, prefix: str,
                 report: lab_report.Report) -> None:
        super().__init__(daemon=True)
        self._home = home
        self._prefix = prefix
        self._report = report
        self._passed_over = set(self._folders())
        self._end = threading.Event()
        self.there: dict[str, float] = {}
        self.booted: dict[str, float] = {}
        self.image = ''

    def run(self) -> None:
        while not self._end.is_set():
            self._look()
            waiting.pause(LOOK_AT_GUESTS)

    def stop(self) -> None:
        self._end.set()
        self.join()

    def _folders(self) -> list[str]:
        return [path.name for path in self._home.guests.iterdir()]

    def _look(self) -> None:
        for server_id in set(self._folders()) - self._passed_over:
            seen = self.there.setdefault(server_id, time.time())
            folder = guest_spec.GuestFolder(self._home, server_id)
            try:
                spec = folder.load()
            except FileNotFoundError:
                continue
            if not spec.name.startswith(self._prefix):
                # A guest of another cluster in the same lab.
                self._passed_over.add(server_id)
                del self.there[server_id]
                continue
            pid = boot.init_pid(folder)
            if pid and Path(f'/proc/{pid}/root{init.DOCKER_SOCKET}').exists():
                self._passed_over.add(server_id)
                self.booted[server_id] = time.time()
                self.image = spec.image
                self._report.say(f'  {spec.name} has booted in '
                                 f'{self.booted[server_id] - seen:.1f} s')


class StepLog:
    """The steps of one cluster, as the taskmanager logs them.

    :param path: of its log; existing lines are skipped
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = path.stat().st_size if path.exists() else 0
        self._rest = ''
        self.steps: list[Step] = []

    def news(self, cluster_id: str) -> list[Step]:
        """The steps that have ended since the last call."""
        if not self._path.exists():
            return []
        with self._path.open('rb') as log:
            log.seek(self._offset)
            read = log.read()
        self._offset += len(read)
        *lines, self._rest = (
            self._rest + read.decode(errors='replace')).split('\n')
        parsed = [Step.parse(line, cluster_id) for line in lines]
        fresh = [step for step in parsed if step is not None]
        self.steps = sorted([*self.steps, *fresh],
                            key=lambda step: step.ended)
        return fresh


def name_of(members: int) -> str:
    """The name of the cluster with this number of members."""
    return f'bringup{members}'


def bring_up(home: lab_home.Home, members: int,
             report: lab_report.Report) -> dict[str, Any]:
    """Create a cluster, measure, and delete it."""
    name = name_of(members)
    log = StepLog(process.log_file(home, 'taskmanager'))
    with (removal.removed(home, name, report),
          _watched(home, name, report) as watch):
        asked = time.time()
        cluster_id = _create(home, name, members)
        answered = time.time()
        report.say(f'  the API answered in {answered - asked:.1f} s')
        _wait_ready(home, cluster_id, log, report)
        ready = time.time()
        watch.stop()
        log.news(cluster_id)
        report.say(f'  all members are ACTIVE, after '
                   f'{ready - answered:.1f} s')
        return {
            'seconds': ready - answered,
            'answer_seconds': answered - asked,
            'image': watch.image,
            'phases': _phases(home, answered, ready, watch, log.steps),
            'starts': list(_starts(home, log.steps)),
            'guests': sorted(watch.booted[server] - there
                             for server, there in watch.there.items()),
            'steps': [dataclasses.asdict(step) for step in log.steps]}


@contextlib.contextmanager
def _watched(home: lab_home.Home, name: str,
             report: lab_report.Report) -> Iterator[GuestWatch]:
    watch = GuestWatch(home, f'{name}-', report)
    watch.start()
    try:
        yield watch
    finally:
        watch.stop()


def _create(home: lab_home.Home, name: str, members: int) -> str:
    answer = web.ask(api.request(home, 'POST', '/clusters', {'cluster': {
        'name': name,
        'datastore': {'type': datastores.DEFAULT_NAME,
                      'version': datastores.DEFAULT_VERSION},
        'instances': [{
            'flavorRef': FLAVOR, 'volume': {'size': VOLUME_GB},
            'nics': [{'network_id': seed.NETWORK_ID}]}] * members}}))
    if not answer.good:
        raise errors.LabError(f'Trove refuses the cluster {name}: '
                              f'{answer.words}')
    return str(answer.body['cluster']['id'])


def _wait_ready(home: lab_home.Home, cluster_id: str, log: StepLog,
                report: lab_report.Report) -> None:
    spoke = report.elapsed

    def ready() -> bool:
        nonlocal spoke
        for step in log.news(cluster_id):
            spoke = report.elapsed
            report.say(f'  {step.name} of {step.member} took '
                       f'{step.ended - step.began:.1f} s')
        cluster = api.cluster(home, cluster_id)
        states = {member['name']: member['status']
                  for member in cluster['instances']}
        for member in cluster['instances']:
            if member['status'] in ('ERROR', 'FAILED'):
                raise errors.LabError(_failure(home, member))
        if (cluster['task']['name'] != 'NONE'
                or set(states.values()) - {'ACTIVE', 'HEALTHY'}):
            seen = f'{cluster["task"]["name"]}, {states}'
            if report.elapsed - spoke > QUIET:
                spoke = report.elapsed
                report.say(f'  waiting; Trove shows: {seen}')
            raise waiting.NotYet(seen)
        return True

    waiting.until('the cluster to be ready', ready, TIMEOUT, POLL)


def _failure(home: lab_home.Home, member: api.Record) -> str:
    """Why a member is in error, as Trove reports it."""
    fault = api.instance(home, member['id']).get('fault') or {}
    return (f'the cluster has failed: {member["name"]} is in '
            f'{member["status"]}: '
            f'{fault.get("message", "Trove shows no reason")}; see '
            f'"./lab/lab logs taskmanager"')


def _phases(home: lab_home.Home, answered: float, ready: float,
            watch: GuestWatch, steps: list[Step]) -> list[dict[str, Any]]:
    """The run, divided into phases without a gap."""
    starts = [step for step in steps if step.name in STARTS]
    first = starts[0].member
    ended = {(step.name, step.member): step.ended for step in steps}
    marks = [
        ('guest boot: the first Docker engine answers',
         min(watch.booted.values())),
        (f'guest agent of {first}: start, file system',
         _prepare_began(home, first)),
        (f'prepare of {first}', ended['prepare', first]),
        (f'configure of {first}', ended['configure', first])]
    marks += [(f'{step.name} of {step.member}', step.ended)
              for step in starts]
    marks += [('verify, replicate, complete, healthy', steps[-1].ended),
              ('until the API shows ACTIVE and NONE', ready)]
    phases = []
    for name, end in marks:
        phases.append({'name': name, 'seconds': end - answered})
        answered = end
    return phases


def _prepare_began(home: lab_home.Home, member: str) -> float:
    """When the guest's agent began to carry out its first request."""
    log = process.log_file(home, f'guest-{member}-agent')
    began = [line[:MOMENT] for line in
             log.read_text(errors='replace').splitlines()
             if PREPARE in line]
    return datetime.datetime.fromisoformat(began[-1]).timestamp()


def _starts(home: lab_home.Home,
            steps: list[Step]) -> Iterator[dict[str, Any]]:
    """The parts of each start, by the times of its container and log."""
    for step in steps:
        if step.name not in STARTS:
            continue
        began = next(other.began for other in steps
                     if (other.name, other.member)
                     == (STARTS[step.name], step.member))
        started, synced = _server_times(home, step.member)
        yield {'member': f'{step.name} of {step.member}',
               'ordering': started - began,
               'server': synced - started,
               'noticing': step.ended - synced}


def _server_times(home: lab_home.Home, member: str) -> tuple[float, float]:
    """When the container was started, and when it was first Synced."""
    guest = control.find(home, member)
    started = control.run(home, guest.instance_id, [
        'docker', 'inspect', '--format', '{{.State.StartedAt}}',
        'database']).stdout.strip()
    logs = control.run(home, guest.instance_id, [
        'sh', '-c', 'docker logs --timestamps database 2>&1'])
    synced = next(line.split()[0] for line in logs.stdout.splitlines()
                  if SYNCED in line)
    return _epoch(started), _epoch(synced)


def _epoch(text: str) -> float:
    """Docker's time, which has nine decimals."""
    seconds, _, fraction = text.rstrip('Z').partition('.')
    moment = datetime.datetime.fromisoformat(f'{seconds}+00:00')
    return moment.timestamp() + float(f'0.{fraction or 0}')
