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

"""The cluster under test: created, observed, made to fail and replaced.

Every check gets it. The status and the data of the servers count, not only
what Trove shows.
"""

from collections.abc import Iterator, Sequence
import contextlib
import itertools
from pathlib import Path
import re
import subprocess
from typing import Any

import pymysql

from lab import api
from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import waiting
from lab import web
from tests.conformance import check
from tests.e2e import laboratory
from tests.faults import audit as audits
from tests.faults import cluster as clusters
from tests.faults import ledger as ledgers
from tests.faults import member as servers
from trove_pxc.galera import dialect as dialects

NAME = 'conformance'
SIZE = 3
TABLE = f'{NAME}.noted'
#: PXC 8 needs more room than the lab's other clusters.
MEMBER = laboratory.member_option(volume=3)
#: The errors of a check, with those of the database's client.
EXPECTED = (*check.EXPECTED, *servers.LOST)
#: Writes that have to be acknowledged before a check acts.
WARM = 50
WARM_SECONDS = 60
WRITE_SECONDS = 60
#: Until Trove shows a cluster as healthy after its task is over.
SHOWN_SECONDS = 90
#: The server's own option; Galera shows the values of all others.
ENCRYPTED = re.compile(r'\bsocket\.ssl = YES\b')
#: The donor's log line, in all versions: the script that it starts.
DONATED = re.compile(
    r"wsrep_sst_(?P<method>[\w-]+) --role 'donor'(?P<rest>.*)")
RECEIVED = 'IST received: '
#: The last series of PXC with Galera 3 is 5.7.
LAST_GALERA_3 = (5, 7)


def figures(audit: audits.Audit) -> str:
    """The results of the writes of a check, in a line."""
    kept = ''.join(
        f', {number} of them there after error {error}'
        for error, number in sorted(audit.kept_after.items()))
    return (f'{audit.acknowledged} writes, {audit.lost} lost, '
            f'{audit.unknown} unknown{kept}; '
            f'stall {audit.longest_stall:.1f} s')


class Subject:
    """The cluster under test, and the rows that it must keep.

    :param patience: seconds that any single wait may take.
    :ivar cluster: None while there is none.
    :ivar noted: the acknowledged rows.
    """

    def __init__(self, home: lab_home.Home, manager: str, version: str,
                 datastore: str, patience: float) -> None:
        self.home = home
        self.version = version
        self.datastore = datastore
        self.patience = patience
        self.dialect = dialects.for_version(manager, version)
        self.cluster: clusters.Cluster | None = None
        self.noted: set[int] = set()
        self._numbers = itertools.count(1)
        self._failed = 0

    @property
    def id(self) -> str:
        return self.there.cluster_id

    @property
    def there(self) -> clusters.Cluster:
        if self.cluster is None:
            raise check.Stopped('there is no cluster; see "create of three"')
        return self.cluster

    @property
    def members(self) -> list[servers.Member]:
        return self.there.members

    # Creation and deletion

    def create(self) -> None:
        """Create it, with three members and a table for the rows."""
        self._failed += 1
        cluster_id = laboratory.create_cluster(
            NAME, [MEMBER] * SIZE, self.version, self.datastore)
        laboratory.wait_ready(cluster_id, self.patience)
        self.cluster = clusters.Cluster(self.home, cluster_id)
        self._failed = 0
        self.noted = set()
        first = self.members[0]
        first.ask(f'CREATE DATABASE IF NOT EXISTS {NAME}')
        first.ask(f'CREATE TABLE IF NOT EXISTS {TABLE} (number INT PRIMARY '
                  f'KEY, member VARCHAR(64) NOT NULL) ENGINE=InnoDB')

    def remove(self) -> None:
        """Delete all clusters of its name, if there are any."""
        self.cluster = None
        for each in api.clusters(self.home):
            if each['name'] != NAME:
                continue
            try:
                laboratory.delete_cluster(str(each['id']), self.patience)
            except laboratory.Refused:
                # An operation runs that has not ended yet.
                laboratory.openstack('database', 'cluster', 'force',
                                     'delete', str(each['id']))
                laboratory.wait_gone(f'/clusters/{each["id"]}',
                                     self.patience)

    def prepare(self) -> None:
        """Make sure that it is healthy, with three members.

        :raises Stopped: it could not be created again.
        """
        if self.is_well(SIZE):
            return
        if self._failed > 1:
            raise check.Stopped('no cluster could be created in two attempts')
        self.remove()
        self.create()

    def is_well(self, size: int) -> bool:
        """Whether it is or becomes healthy, with this number of members."""
        if self.cluster is None:
            return False
        try:
            self.cluster.restore()
            self.wait_shown()
            self.refresh()
            self.there.wait_recovered(self.patience)
        except EXPECTED:
            return False
        return len(self.members) == size

    def wait_shown(self, seconds: float | None = None) -> None:
        """Wait until Trove shows it: no task, all members healthy.

        :param seconds: default: the patience.
        """
        def shown() -> bool:
            cluster = api.cluster(self.home, self.id)
            bad = [member for member in cluster['instances']
                   if member['status'] not in laboratory.GOOD]
            if cluster['task']['name'] != 'NONE' or bad:
                raise waiting.NotYet(
                    f'{cluster["task"]["name"]}; ' + '; '.join(
                        f'{member["name"]} {member["status"]}: '
                        f'{self._fault(member)}' for member in bad))
            return True

        waiting.until(f'Trove to show {NAME} healthy', shown,
                      seconds or self.patience, 1)

    def wait_over(self) -> None:
        """Wait until the cluster has no task, and is then shown healthy.

        A member that leaves may be shown in ERROR meanwhile.
        """
        def over() -> bool:
            task = api.cluster(self.home, self.id)['task']['name']
            if task != 'NONE':
                raise waiting.NotYet(task)
            return True

        waiting.until(f'{NAME} to have no task', over, self.patience, 1)
        self.wait_shown(SHOWN_SECONDS)

    def _fault(self, member: dict[str, Any]) -> str:
        try:
            instance = api.instance(self.home, member['id'])
        except errors.LabError as error:
            return str(error)
        return str((instance.get('fault') or {}).get('message', 'no fault'))

    def refresh(self) -> None:
        """Update the list of members."""
        uuid = self.there.uuid
        self.cluster = clusters.Cluster(self.home, self.id)
        if self.there.uuid != uuid:
            raise AssertionError(
                f'the history of the cluster is {self.there.uuid}; it was '
                f'{uuid}')

    # Its data

    def note(self) -> None:
        """Write a row through each member, and remember it."""
        for member in self.members:
            number = next(self._numbers)
            member.ask(f'INSERT INTO {TABLE} VALUES (%s, %s)', number,
                       member.name)
            self.noted.add(number)

    def verify(self, size: int = SIZE) -> None:
        """All members are Synced, encrypted, and have every noted row.

        :raises AssertionError: the difference.
        """
        self.there.wait_recovered(self.patience)
        self.wait_shown()
        if len(self.members) != size:
            raise AssertionError(
                f'the cluster has {len(self.members)} members, not {size}')
        for member in self.members:
            with contextlib.closing(member.connect()) as connection:
                with connection.cursor() as cursor:
                    cursor.execute('SET SESSION wsrep_sync_wait = 1')
                    cursor.execute(f'SELECT number FROM {TABLE}')
                    there = {int(row[0]) for row in cursor.fetchall()}
            if there != self.noted:
                raise AssertionError(
                    f'{member.name} lacks the acknowledged rows '
                    f'{sorted(self.noted - there)} and has the unknown rows '
                    f'{sorted(there - self.noted)}')
        clear = [member.name for member in self.members
                 if not self.is_encrypted(member)]
        if clear:
            raise AssertionError(
                f'{", ".join(clear)} talk to the others in clear text: '
                f'wsrep_provider_options has no "socket.ssl = YES"')

    def is_encrypted(self, member: servers.Member) -> bool:
        [(options,)] = member.ask('SELECT @@wsrep_provider_options')
        return bool(ENCRYPTED.search(str(options)))

    @contextlib.contextmanager
    def under_writes(self) -> Iterator[list[audits.Audit]]:
        """Clients on all members write meanwhile; no write may be lost.

        The block ends when the cluster is healthy again. Then the list gets
        the audit.
        """
        # A member that joins meanwhile has no clients.
        writing = self.members
        books = ledgers.Ledger(writing, refusals=self.refusals())
        books.prepare()
        books.start()
        told: list[audits.Audit] = []
        try:
            self._wait_writes(books, WARM, WARM_SECONDS)
            yield told
            for member in writing:
                self._wait_writes(books, 1, WRITE_SECONDS, member.name)
            audit = books.close()
        finally:
            books.stop()
        told.append(audit)
        if audit.findings:
            raise AssertionError('; '.join(audit.findings))

    def refusals(self) -> tuple[int, ...]:
        """The errors of a commit after which the row is certainly lost."""
        if not self.dialect.is_mariadb and (
                self.dialect.version <= LAST_GALERA_3):
            return ()
        return ledgers.clients.ROLLED_BACK

    def _wait_writes(self, books: ledgers.Ledger, number: int,
                     seconds: float, name: str | None = None) -> None:
        before = books.record.acknowledged(name)

        def written() -> bool:
            more = books.record.acknowledged(name) - before
            if more < number:
                raise waiting.NotYet(f'{more} writes')
            return True

        waiting.until(f'{number} writes on {name or "any member"}', written,
                      seconds, 0.2)

    # Its servers

    def donated(self, since: Any) -> list[tuple[str, bool]]:
        """State transfers that the members have given since a time.

        :returns: the method of each, and whether it was a full copy; if not,
            it only told the joiner that it gets the missing writes (IST).
        """
        return [(found['method'], '--bypass' not in found['rest'])
                for member in self.members
                for line in member.server_log(since)
                if (found := DONATED.search(line))]

    def in_image(self) -> dict[str, str]:
        """What the image lacks for each SST method, '' for nothing.

        A method that the image can encrypt is also listed as 'rsync+tls'. The
        guest's own start program checks it.
        """
        said = self.inside(
            self.members[0], 'sh', '/etc/trove-pxc/galera-start.sh',
            'version')
        return {method: lacks.strip() for method, lacks in re.findall(
            r'^SST method (\S+): lacks(.*)$', said, re.MULTILINE)}

    def inside(self, member: servers.Member, *argv: str) -> str:
        """Run a program of the image in the server's container.

        Without Docker's client, which the machine may lack.
        """
        pids = control.servers(self.home, member.instance_id)
        done = subprocess.run(
            ['nsenter', f'--target={next(iter(pids))}', '--mount', '--pid',
             '--root', '--wd', '--', *argv],
            capture_output=True, text=True, timeout=60,
            env={'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:'
                         '/sbin:/bin'})
        return done.stdout

    # Its users

    def ask(self, method: str, path: str, body: Any = None,
            member: int = 0) -> Any:
        """Send a request for a member; return the body of the answer.

        :raises AssertionError: it was refused.
        """
        answer = web.ask(api.request(
            self.home, method,
            f'/instances/{self.members[member].instance_id}/{path}', body))
        if not answer.good:
            raise AssertionError(
                f'{method} {path}: {answer.code} {answer.words}')
        return answer.body

    def log_in(self, member: servers.Member, user: str,
               password: str) -> Any:
        """A connection of a user, through the socket of the server."""
        return pymysql.connect(
            unix_socket=f'{member.root}{servers.sql.SOCKET}', user=user,
            password=password, charset='utf8mb4', autocommit=True)

    def grow(self) -> None:
        laboratory.openstack('database', 'cluster', 'grow', NAME,
                             '--instance', MEMBER)
        self.wait_over()
        self.refresh()

    def shrink(self) -> None:
        """Remove the last member."""
        laboratory.openstack('database', 'cluster', 'shrink', NAME,
                             self.members[-1].instance_id)
        self.wait_over()
        self.refresh()

    def keep_logs(self, folder: Path) -> None:
        """Write the logs of the servers into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        of: Sequence[servers.Member] = (
            self.cluster.members if self.cluster else [
                servers.Member(self.home, guest.server_id)
                for guest in control.guests(self.home)])
        for member in of:
            (folder / f'{member.name}.log').write_text(
                '\n'.join(member.server_log()) + '\n')
