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
"""The demo: creates a cluster of three, watches it, and tests it.

Imported by the command line.
"""

from typing import Any
import uuid

from lab import api
from lab import client
from lab.cloud import seed
from lab import datastores
from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import parallel
from lab import report as lab_report
from lab import sql
from lab import status
from lab import waiting

NAME = 'products'
MEMBERS = 3
FLAVOR = '2'
VOLUME_GB = 1
#: seconds for the whole creation, and for a row to be on all members
CREATE_TIMEOUT = 600
REPLICATION_TIMEOUT = 10
#: seconds; each query takes CPU time from the creation
WATCH_INTERVAL = 1.5
QUIET = 60
#: seconds from the end of Trove's task until the servers must be Synced
SETTLE_TIMEOUT = 60
NO_TASK = 'NONE'
FAILED = ('ERROR', 'FAILED')

Record = dict[str, Any]


def demo(home: lab_home.Home, report: lab_report.Report) -> None:
    """Create a cluster ``products``, and check that it works.

    :raises LabError: it does not work; with the failed members and causes
    """
    known = [found for found in api.clusters(home) if found['name'] == NAME]
    if len(known) > 1:
        raise errors.LabError(
            f'{len(known)} clusters have the name {NAME}; delete all but '
            f'one: lab openstack database cluster delete ID')
    if known:
        cluster_id = known[0]['id']
        report.say(f'the cluster {NAME} already exists ({cluster_id}); '
                   f'using it if it is healthy')
    else:
        cluster_id = _create(home, report)
    began = report.elapsed
    members = _watch(home, report, cluster_id)
    report.say(f'all {len(members)} members are Synced, '
               f'after {report.elapsed - began:.1f} s')
    _show_tables(home, cluster_id)
    _try_data(home, report, members)


def _create(home: lab_home.Home, report: lab_report.Report) -> str:
    member = (f"flavor={FLAVOR},volume={VOLUME_GB},"
              f"nic='net-id={seed.NETWORK_ID}'")
    arguments = ['database', 'cluster', 'create', NAME,
                 datastores.DEFAULT_NAME, datastores.DEFAULT_VERSION]
    arguments += ['--instance', member] * MEMBERS
    report.say('openstack ' + ' '.join(
        f'"{word}"' if "'" in word else word for word in arguments))
    return client.output(
        home, [*arguments, '-f', 'value', '-c', 'id']).strip()


class _Progress:
    """Prints each change, and a hint if nothing changes for long."""

    def __init__(self, report: lab_report.Report) -> None:
        self._report = report
        self._told: dict[str, str] = {}
        self._changed = self._spoke = report.elapsed

    def tell(self, lines: dict[str, str]) -> None:
        """Print the lines that have changed; the keys name their subjects."""
        for what, line in lines.items():
            if self._told.get(what) != line:
                self._told[what] = line
                self._changed = self._spoke = self._report.elapsed
                self._report.say(f'{what}: {line}')
        if self._report.elapsed - self._spoke > QUIET:
            self._spoke = self._report.elapsed
            self._report.say(
                f'no change for {QUIET} s; see "lab logs '
                f'taskmanager" and "lab logs MEMBER" for the reason')

    @property
    def unchanged_for(self) -> float:
        """Seconds since the last change."""
        return self._report.elapsed - self._changed

    def last(self) -> str:
        """The last line of each subject."""
        return '; '.join(f'{what}: {line}'
                         for what, line in self._told.items())


def _watch(home: lab_home.Home, report: lab_report.Report,
           cluster_id: str) -> list[Record]:
    """Print each change until all members are Synced."""
    progress = _Progress(report)

    def all_synced() -> list[Record]:
        cluster = api.cluster(home, cluster_id)
        guests = control.guests(home)
        members = parallel.each(
            lambda record: status.member(home, record, guests),
            cluster['instances'])
        task = cluster['task']['name']
        progress.tell({f'cluster {NAME}': f'task {task}', **{
            f'member {member["name"]}': _in_words(member)
            for member in members}})
        _refuse_failure(home, cluster, members)
        if task == NO_TASK and members and all(map(_is_synced, members)):
            return members
        if task == NO_TASK and progress.unchanged_for > SETTLE_TIMEOUT:
            raise _not_synced(home, members)
        raise waiting.NotYet(progress.last())

    return waiting.until(f'the cluster {NAME}', all_synced, CREATE_TIMEOUT,
                         WATCH_INTERVAL)


def _in_words(member: Record) -> str:
    wsrep = member['wsrep']
    words = f'status {member["status"]}'
    if member['operating_status']:
        words += f', service {member["operating_status"]}'
    if wsrep:
        words += (f', {wsrep["local_state_comment"]} '
                  f'{wsrep["cluster_status"]} '
                  f'in a cluster of {wsrep["cluster_size"]}')
    return words


def _is_synced(member: Record) -> bool:
    wsrep = member['wsrep']
    return (wsrep is not None
            and wsrep['local_state_comment'] == 'Synced'
            and wsrep['cluster_status'] == 'Primary'
            and wsrep['cluster_size'] == MEMBERS
            and member['status'] in ('ACTIVE', 'HEALTHY'))


def _refuse_failure(home: lab_home.Home, cluster: Record,
                    members: list[Record]) -> None:
    """Raise with the members in error and the faults that Trove shows."""
    failed = [member for member in members if member['status'] in FAILED]
    if not failed:
        return
    lines = [f'the cluster {NAME} ({cluster["id"]}, '
             f'task {cluster["task"]["name"]}) has failed:']
    for member in failed:
        fault = api.instance(home, member['instance_id']).get('fault') or {}
        reason = str(fault.get('message', 'Trove shows no fault'))
        lines.append(f'  {member["name"]} ({member["instance_id"]}) is in '
                     f'{member["status"]}: {" ".join(reason.split())}')
    lines.append('see "lab logs taskmanager" and "lab logs MEMBER"; then '
                 f'"lab openstack database cluster delete {cluster["id"]}"')
    raise errors.LabError('\n'.join(lines))


def _not_synced(home: lab_home.Home,
                members: list[Record]) -> errors.LabError:
    lines = [f'Trove has finished the cluster {NAME}, but not all '
             f'servers are Synced in a primary component of {MEMBERS}:']
    for member in members:
        words = status.wsrep_in_words(member['wsrep'])
        try:
            sql.wsrep_rows(home, member['instance_id'])
        except errors.LabError as error:
            words = str(error)
        lines.append(f'  {member["name"]}: {member["status"]} '
                     f'{member["operating_status"]}; its server: {words}')
    lines.append('see "lab logs MEMBER"')
    return errors.LabError('\n'.join(lines))


def _show_tables(home: lab_home.Home, cluster_id: str) -> None:
    for arguments in (['list'], ['show', cluster_id],
                      ['list', 'instances', cluster_id]):
        print(f'$ openstack database cluster {" ".join(arguments)}',
              flush=True)
        if client.run(home, ['database', 'cluster', *arguments]):
            raise errors.LabError(
                f'openstack database cluster {arguments[0]} failed')


def _try_data(home: lab_home.Home, report: lab_report.Report,
              members: list[Record]) -> None:
    """Write a row through each member; read all rows from every other."""
    first = members[0]['instance_id']
    run_id = uuid.uuid4().hex
    sql.run(home, first, 'CREATE DATABASE IF NOT EXISTS demo')
    sql.run(home, first, 'CREATE TABLE IF NOT EXISTS demo.greetings ('
            'run CHAR(32), member VARCHAR(255), PRIMARY KEY (run, member))')
    for member in members:
        _wait_for_rows(home, member, run_id, [])
        sql.run(home, member['instance_id'],
                'INSERT INTO demo.greetings VALUES (?, ?)',
                run_id, member['name'])
        report.say(f'wrote a row through {member["name"]}')
    written = sorted(member['name'] for member in members)
    for member in members:
        _wait_for_rows(home, member, run_id, written)
        report.say(f'read all {len(written)} rows from {member["name"]}')


def _wait_for_rows(home: lab_home.Home, member: Record, run_id: str,
                   names: list[str]) -> None:
    """Wait until a member has the rows of these names."""

    def all_there() -> bool:
        try:
            rows = sql.run(
                home, member['instance_id'],
                'SELECT member FROM demo.greetings WHERE run = ?', run_id)
        except sql.SqlError as error:
            raise waiting.NotYet(str(error)) from error
        seen = {row[0] for row in rows}
        if not seen.issuperset(names):
            raise waiting.NotYet(f'rows of {sorted(map(str, seen))}')
        return True

    waiting.until(f'the rows of {", ".join(names) or "the new table"} on '
                  f'{member["name"]}', all_there, REPLICATION_TIMEOUT)
