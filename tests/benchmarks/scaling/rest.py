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
"""Many clusters that are there already: what checks and lists cost.

Imported by the program. One cluster is created through Trove; the others are
copies of all its rows in Trove's tables, and of its servers, ports and
volumes, with other IDs. So they have whatever the measured version stores.
"""

from collections.abc import Iterable, Mapping
import json
import statistics
import subprocess
import time
from typing import Any
import uuid

from lab import errors
from lab import netns
from lab import process
from lab import waiting
from tests.benchmarks.scaling import burst
from tests.benchmarks.scaling import client
from tests.benchmarks.scaling import counters
from tests.benchmarks.scaling import services

Row = dict[str, Any]
#: new clusters for each message and each INSERT
BATCH = 200
#: seconds for which an idle taskmanager is measured
IDLE = 60.0
TABLES = """\
SELECT DISTINCT table_name FROM information_schema.columns
WHERE table_schema = 'trove' AND column_name IN ('cluster_id', 'instance_id')
"""
#: tasks that the taskmanager runs periodically
TASKS = ('recover_clusters', 'resume_operations')
PAGES = ('/clusters?limit=100', '/clusters?limit=20',
         '/instances?include_clustered=true&limit=20')


class Rest:
    """The site with a growing number of clusters."""

    def __init__(self, site: services.Site, rounds: int) -> None:
        self._site = site
        self._home = site.home
        self._rounds = rounds
        self._database = counters.Database(site.home)
        self._number = 1
        self._cluster = burst.Burst(
            site, burst.Wanted(0)).standing('template')
        self._template = self._rows_of(self._cluster)

    def measured(self, number: int) -> dict[str, Any]:
        """All measurements with this number of clusters."""
        with self._site.report.step(f'{number} clusters'):
            self._grow(number)
        self._refresh()
        rows = [self._look(task) for task in TASKS]
        rows += [self._request(path) for path in PAGES]
        rows.append(self._request(f'/clusters/{self._cluster}',
                                  'GET /clusters/ID'))
        rows.append(self._page_with_a_lost_server())
        rows.append(self._idle())
        return {'clusters': self._number, 'members': burst.MEMBERS,
                'rows': rows}

    # The clusters

    def _rows_of(self, cluster: str) -> dict[str, list[Row]]:
        """All rows that belong to the cluster, by their table."""
        members = [row[0] for row in self._database.rows(
            'SELECT id FROM instances WHERE cluster_id = %s AND deleted = 0',
            cluster)]
        found = {'clusters': self._database.dicts(
            'SELECT * FROM clusters WHERE id = %s', cluster),
            'instances': self._database.dicts(
                'SELECT * FROM instances WHERE id IN %s', members)}
        names = sorted(row[0] for row in self._database.rows(TABLES))
        for name in names:
            if name not in found:
                found[name] = self._database.dicts(
                    f'SELECT * FROM `{name}` WHERE instance_id IN %s',
                    members) if self._has(name, 'instance_id') else (
                    self._database.dicts(
                        f'SELECT * FROM `{name}` WHERE cluster_id = %s',
                        cluster))
        return {name: rows for name, rows in found.items() if rows}

    def _has(self, table: str, column: str) -> bool:
        return bool(self._database.rows(
            "SELECT 1 FROM information_schema.columns WHERE table_schema = "
            "'trove' AND table_name = %s AND column_name = %s",
            table, column))

    def _grow(self, number: int) -> None:
        while self._number < number:
            more = min(BATCH, number - self._number)
            maps = [renamed(self._template) for _ in range(more)]
            for table, rows in self._template.items():
                names = list(rows[0])
                self._database.many(
                    f'INSERT INTO `{table}` ({", ".join(names)}) VALUES '
                    f'({", ".join(["%s"] * len(names))})',
                    [tuple(copy.values()) for ids in maps
                     for copy in copies(rows, ids)])
            client.world(self._home, 'copy', maps=maps)
            self._number += more

    def _refresh(self) -> None:
        """Let all guests have reported now."""
        self._database.rows(
            'UPDATE service_statuses SET updated_at = UTC_TIMESTAMP()')
        self._database.rows('ANALYZE TABLE clusters, instances, '
                            'service_statuses')

    # The measurements

    def _look(self, task: str) -> Row:
        """One periodic task, in a process of its own."""
        done = subprocess.run(
            netns.inside(self._home.controller, [
                str(self._home.venv / 'bin' / 'python'), '-P', '-W',
                'ignore', '-m', 'tests.benchmarks.scaling.looks',
                '--home', str(self._home.root), '--rounds',
                str(self._rounds), task]),
            cwd=self._home.root, env=process.environment(self._home),
            capture_output=True, text=True)
        if done.returncode:
            raise errors.LabError(f'{task} failed:\n{done.stderr[-2000:]}')
        row: Row = json.loads(done.stdout.splitlines()[-1])
        return {'what': f'{task}, one look', **row, 'calls': None}

    def _request(self, path: str, what: str = '') -> Row:
        name = what or f'GET {path}'
        api = [service for service in self._site.trove
               if service.name == services.API]
        client.ask(self._home, 'GET', path)
        before = self._costs(api)
        asked = [client.ask(self._home, 'GET', path)
                 for _ in range(self._rounds)]
        refusals = {one.answer.code for one in asked if not one.answer.good}
        if refusals:
            name += f': answers {", ".join(map(str, sorted(refusals)))}'
        seconds = [one.seconds for one in asked]
        return {'what': name,
                'ms': round(1000 * statistics.median(seconds), 1),
                **self._since(before, api, self._rounds)}

    def _page_with_a_lost_server(self) -> Row:
        path = PAGES[1]
        first = client.get(self._home, path)['clusters'][0]['id']
        server = self._database.rows(
            'SELECT compute_instance_id FROM instances WHERE cluster_id = '
            '%s AND deleted = 0', first)[0][0]
        client.world(self._home, 'lose', server=server)
        try:
            return self._request(path, f'GET {path}, a server is deleted')
        finally:
            client.world(self._home, 'find', server=server)

    def _idle(self) -> Row:
        self._refresh()
        ours = list(self._site.taskmanagers)
        before = self._costs(ours)
        began = time.monotonic()
        waiting.pause(IDLE)
        return {'what': f'an idle taskmanager, {IDLE:g} s',
                'ms': round(1000 * (time.monotonic() - began), 1),
                **self._since(before, ours, 1)}

    def _costs(self, ours: list[Any]) -> tuple[Any, Any, Any]:
        return (self._database.statistics(), counters.used(ours),
                client.world(self._home, 'calls'))

    def _since(self, before: tuple[Any, Any, Any], ours: list[Any],
               rounds: int) -> Row:
        sql, used, calls = before
        name = ours[0].name
        now_sql, now_used, now_calls = self._costs(ours)
        cost = now_sql.get(name, counters.Sql()) - sql.get(
            name, counters.Sql())
        return {
            'cpu_ms': round(1000 * (
                now_used[name].cpu - used[name].cpu) / rounds, 1),
            'statements': round(cost.statements / rounds, 1),
            'rows': round(cost.rows / rounds),
            'calls': round((sum(now_calls['cloud'].values()) - sum(
                calls['cloud'].values())) / rounds, 1),
            'guest_calls': round(
                (now_calls['guests'] - calls['guests']) / rounds, 1)}


def renamed(template: Mapping[str, list[Row]]) -> dict[str, str]:
    """A new ID for each ID that belongs to the cluster alone."""
    old = [row['id'] for row in template['clusters']]
    for row in template['instances']:
        old += [row['id'], row['compute_instance_id'], row['volume_id']]
    return {key: str(uuid.uuid4()) for key in old if key}


def copies(rows: Iterable[Row], ids: Mapping[str, str]) -> list[Row]:
    """The rows of another cluster: its IDs, and a new ``id`` for each row."""
    found = []
    for row in rows:
        copy = {name: replaced(value, ids) for name, value in row.items()}
        if isinstance(row.get('id'), str) and row['id'] not in ids:
            copy['id'] = str(uuid.uuid4())
        found.append(copy)
    return found


def replaced(value: Any, ids: Mapping[str, str]) -> Any:
    """The value with all IDs in it replaced."""
    if not isinstance(value, str):
        return value
    for old, new in ids.items():
        if old in value:
            value = value.replace(old, new)
    return value
