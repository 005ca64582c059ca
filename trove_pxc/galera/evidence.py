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

"""The evidence that each server series of the catalogue works.

Pure data, for doc/source/user/versions.rst ("tools/versions" renders it) and
for developers who change a Dialect: what was run with a real server and
where, what was only read, and what was not checked. If you run something, add
it here and remove it from ``unchecked``.
"""

from collections.abc import Mapping
import dataclasses

#: datastore manager and series, as in Dialect
Key = tuple[str, tuple[int, int]]


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """A run with a real server.

    :ivar server: the version and origin of the server.
    :ivar where: the platform and the month.
    :ivar what: the operations, as a list of nouns.
    :ivar repeated: the command that repeats it; '' for none.
    :ivar cluster: whether it was a cluster of this series. Otherwise it was
        a part, such as its server without Galera.
    """

    server: str
    where: str
    what: str
    repeated: str = ''
    cluster: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A source that was read.

    :ivar title: the title of the page, file or report.
    :ivar version: the version of the server, or the commit.
    :ivar url: its address.
    """

    title: str
    version: str
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for one series.

    :ivar runs: all runs.
    :ivar sources: the sources that the dialect was compared with.
    :ivar unchecked: relevant properties that were not run.
    """

    runs: tuple[Run, ...]
    sources: tuple[Source, ...]
    unchecked: tuple[str, ...]


_KIT = 'the conformance kit (tests/conformance), all checks'
_LAB = 'the lab on Debian 12, 2 cores, November 2026'

_PXC_REPOSITORY = 'https://github.com/percona/percona-xtradb-cluster'
_PXC_DOCS = 'https://docs.percona.com/percona-xtradb-cluster'
_PXC_IMAGES = 'https://github.com/percona/percona-docker/tree/main'


def _pxc_sources(series: str, image: str) -> tuple[Source, ...]:
    return (
        Source('build files of the published image', image,
               f'{_PXC_IMAGES}/percona-xtradb-cluster-{series}'),
        Source('index of wsrep system variables', series,
               f'{_PXC_DOCS}/{series}/wsrep-system-index.html'),
        Source('wsrep_sst_xtrabackup-v2 and wsrep_sst_common', series,
               f'{_PXC_REPOSITORY}/tree/{series}/scripts'),
        Source('MySQL manual, server options added, deprecated or removed',
               series, f'https://dev.mysql.com/doc/refman/{series}/en/'
                       'added-deprecated-removed.html'),
    )


_MARIADB_SOURCES = (
    Source('introduction to state snapshot transfers', '10.6 to 11.8',
           'https://mariadb.com/kb/en/'
           'introduction-to-state-snapshot-transfers-ssts/'),
    Source('upgrading from MariaDB 10.6 to 10.11, and its successors',
           '10.6 to 11.8',
           'https://mariadb.com/kb/en/upgrading-from-mariadb-10-6-to-'
           'mariadb-10-11/'),
    Source('wsrep_sst_mariabackup, wsrep_sst_rsync', '10.6 to 11.8',
           'https://github.com/MariaDB/server/tree/main/scripts'),
)
_IMAGE = 'the published image {}: the lab has no registry'
_NOTHING = 'any cluster of this series: none was run'
_NEVER = ('the published image {}: never run',
          'a state transfer by xtrabackup-v2 with its real programs',
          'encryption by pxc_encrypt_cluster_traffic with a real server')

EVIDENCE: Mapping[Key, Evidence] = {
    ('pxc', (5, 6)): Evidence(
        runs=(
            Run('5.6.21-70.1, built from source, Galera 25.3.37, rsync '
                'alone', 'a lab of other people, November 2026',
                'create, show, list, users, databases, grow, shrink, '
                'resize, restart, rotation, IST, kill of a server, reboot '
                'and loss of power of all members, a frozen server, delete; '
                'encryption of group communication and IST'),
            Run('MySQL 5.6.24, the server under it, without Galera', _LAB,
                'configuration, system tables, first accounts, passwords',
                cluster=False)),
        sources=(
            Source('entry point and build file of the published image',
                   '5.6.51', f'{_PXC_IMAGES}/percona-xtradb-cluster-5.6'),
            Source('wsrep_hton.cc, of wsrep 25', '5.6',
                   'https://github.com/codership/mysql-wsrep'),
            Source('replicator_smm.cpp and gcs.cpp of Galera', '25.3.37',
                   'https://github.com/codership/galera/tree/'
                   'release_25.3.37'),
            Source('pull request 748 of resource-agents: prepared '
                   'transactions', '5.6',
                   'https://github.com/ClusterLabs/resource-agents/pull/748')
        ),
        unchecked=(
            'the published image percona/percona-xtradb-cluster:5.6: never '
            'run',
            'a state transfer by xtrabackup-v2, and its encryption',
            'through Trove, two later corrections: a start with prepared '
            'transactions (it works without Trove), and root enable')),
    ('pxc', (5, 7)): Evidence(
        runs=(),
        sources=_pxc_sources('5.7', '5.7.44'),
        unchecked=(_NOTHING, *(one.format(
            'percona/percona-xtradb-cluster:5.7') for one in _NEVER))),
    ('pxc', (8, 0)): Evidence(
        runs=(),
        sources=(
            *_pxc_sources('8.0', '8.0.43'),
            Source('sql/xa/recovery.cc: prepared transactions', '8.0',
                   f'{_PXC_REPOSITORY}/tree/8.0/sql/xa')),
        unchecked=(_NOTHING, *(one.format(
            'percona/percona-xtradb-cluster:8.0') for one in _NEVER))),
    ('pxc', (8, 4)): Evidence(
        runs=(
            Run('MySQL 9.7.4 of Debian sid, a later series without Galera',
                'by hand, November 2026',
                'that it accepts each option that is not a wsrep option, and '
                'accounts at its initialization', cluster=False),),
        sources=(
            *_pxc_sources('8.4', '8.4.10'),
            Source('PXC-4631: sst_in_progress of an IST', '8.0, 8.4',
                   'https://perconadev.atlassian.net/browse/PXC-4631'),
            Source('pull request 2171: SST with TLS by IPv6', '8.4',
                   f'{_PXC_REPOSITORY}/pull/2171')),
        unchecked=(_NOTHING, *(one.format(
            'percona/percona-xtradb-cluster:8.4') for one in _NEVER))),
    ('mariadb', (10, 6)): Evidence(
        runs=(), sources=_MARIADB_SOURCES,
        unchecked=(_NOTHING, _IMAGE.format('mariadb:10.6'))),
    ('mariadb', (10, 11)): Evidence(
        runs=(
            Run('10.11.19, Galera 26.4.23, of Debian 12', _LAB,
                'all tests with real servers: every operation, every fault '
                'of tests/faults, encryption, IPv6, users, the user guide',
                'tox -e e2e, e2e-long, faults'),
            Run('10.11.19, Galera 26.4.23, of Debian 12', _LAB, _KIT,
                'tox -e conformance')),
        sources=_MARIADB_SOURCES,
        unchecked=(_IMAGE.format('mariadb:10.11'),)),
    ('mariadb', (11, 4)): Evidence(
        runs=(), sources=_MARIADB_SOURCES,
        unchecked=(_NOTHING, _IMAGE.format('mariadb:11.4'))),
    ('mariadb', (11, 8)): Evidence(
        runs=(
            Run('11.8.9, Galera 26.4.23, of Debian 13', _LAB, _KIT,
                'tests/conformance/run with an image of "lab image build '
                '--suite trixie"'),),
        sources=_MARIADB_SOURCES,
        unchecked=(_IMAGE.format('mariadb:11.8'),
                   'the faults of tests/faults except those of the kit',
                   'IPv6')),
}
