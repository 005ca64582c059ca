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

"""The resources of a lab, to find those that a test leaves behind.

Imported by the end-to-end tests.
"""

from collections.abc import Callable
import contextlib
import functools
import json
import os
from pathlib import Path
import sqlite3
import subprocess

from lab import api
from lab import home as lab_home
from lab import netns
from lab import process
from lab.services import rabbitmq
from lab import waiting

Snapshot = dict[str, frozenset[str]]
Look = Callable[[lab_home.Home], frozenset[str]]
SLOWEST = 'queues'
QUEUES = ('/usr/lib/rabbitmq/bin/rabbitmqctl', '--quiet', 'list_queues',
          '--silent', 'name', 'arguments')
# The broker removes them some time after their last consumer is gone.
EXPIRES = 'x-expires'
ROWS = ('clusters', 'instances')
CLOUD = ('servers', 'ports', 'volumes', 'security_groups',
         'server_groups')
# Every project gets this one at its first request, for good.
DEFAULT_GROUP = 'default'


def snapshot(home: lab_home.Home) -> Snapshot:
    """Every resource that a cluster creates, by kind."""
    return {kind: look(home) for kind, look in _looks().items()}


def _looks() -> dict[str, Look]:
    """The function that finds each kind; the last takes a second of a core."""
    return {
        'namespaces': lambda home: frozenset(netns.listed(home.lab_id)),
        'links': _links,
        'loop devices': _loops,
        'mounts': _mounts,
        'processes': _processes,
        'disks': lambda home: _files(home.cloud / 'volumes'),
        'guests': lambda home: _files(home.guests),
        'quota': _quota,
        **{what: functools.partial(_rows, what=what) for what in ROWS},
        **{f'cloud {what}': functools.partial(_in_cloud, kind=what)
           for what in CLOUD},
        SLOWEST: _queues,
    }


def wait_unchanged(home: lab_home.Home, before: Snapshot,
                   timeout: float = 30) -> None:
    """Wait until every resource that was not there before is gone."""
    def unchanged() -> bool:
        left = {}
        for kind, look in _looks().items():
            if left and kind == SLOWEST:
                break
            more = look(home) - before[kind]
            if more:
                left[kind] = sorted(more)
        if left:
            raise waiting.NotYet(str(left))
        return True

    waiting.until('everything to be as before', unchanged, timeout, 0.5)


def _links(home: lab_home.Home) -> frozenset[str]:
    listed = netns.run(home.controller, ['ip', '-o', 'link'])
    return frozenset(line.split(': ')[1].split('@')[0]
                     for line in listed.stdout.splitlines())


def _loops(home: lab_home.Home) -> frozenset[str]:
    listed = subprocess.run(
        ['losetup', '--list', '--noheadings', '--raw', '--output',
         'BACK-FILE'], capture_output=True, text=True, check=True)
    return frozenset(line for line in listed.stdout.splitlines()
                     if line.startswith(f'{home.root}/'))


def _mounts(home: lab_home.Home) -> frozenset[str]:
    lines = Path('/proc/self/mountinfo').read_text().splitlines()
    return frozenset(line.split()[4] for line in lines
                     if line.split()[4].startswith(f'{home.root}/'))


def _processes(home: lab_home.Home) -> frozenset[str]:
    """Processes with the lab's mark that descend from the init of a guest.

    The processes of a guest live in separate namespaces; the services live in
    those of the machine, and start and end at any time.
    """
    machine = os.readlink('/proc/self/ns/pid')
    found = set()
    for pid in process.marked(home):
        try:
            space = os.readlink(f'/proc/{pid}/ns/pid')
            name = Path(f'/proc/{pid}/comm').read_text().strip()
        except OSError:
            continue  # It has ended since it was listed.
        if space != machine:
            found.add(f'{name} {pid}')
    return frozenset(found)


def _files(folder: Path) -> frozenset[str]:
    if not folder.is_dir():
        return frozenset()
    return frozenset(entry.name for entry in folder.iterdir())


def _queues(home: lab_home.Home) -> frozenset[str]:
    environment = {**process.environment(home),
                   **rabbitmq.RabbitMQ(home).env()}
    listed = subprocess.run(
        netns.inside(home.controller, QUEUES), env=environment,
        capture_output=True, text=True, check=True)
    return frozenset(line.split('\t')[0]
                     for line in listed.stdout.splitlines()
                     if EXPIRES not in line)


def _quota(home: lab_home.Home) -> frozenset[str]:
    """The project's usage of quota, and its reservations."""
    told = api.get(home, f'/mgmt/quotas/{lab_home.PROJECT}')['quotas']
    return frozenset(
        f'{one["resource"]}: {one["in_use"]} used, {one["reserved"]} reserved'
        for one in told)


def _rows(home: lab_home.Home, what: str) -> frozenset[str]:
    return frozenset(row['id'] for row in api.get(home, f'/{what}')[what])


def _in_cloud(home: lab_home.Home, kind: str) -> frozenset[str]:
    store = f'file:{home.cloud}/cloud.sqlite?mode=ro'
    with contextlib.closing(sqlite3.connect(store, uri=True)) as database:
        bodies = database.execute(
            'SELECT body FROM documents WHERE kind = ?', (kind,)).fetchall()
    documents = [json.loads(body) for (body,) in bodies]
    return frozenset(document['id'] for document in documents
                     if document.get('name') != DEFAULT_GROUP)
