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

"""The table of the servers: one Dialect for each series.

Pure data. dialect.py looks things up here; nobody else needs to.

Sources: "Upgrading from MariaDB 10.6 to 10.11" and its successors,
"Introduction to State Snapshot Transfers" (mariadb.com/kb); "Percona XtraDB
Cluster 8.0: changed in", "wsrep system variable index", "State snapshot
transfer" (docs.percona.com); the MySQL 5.6 to 8.4 reference manuals,
"Server options added, deprecated, or removed".
"""

from trove_pxc.galera.series import Dialect

_SST_HOLES = ('its SST scripts run commands that a peer puts into a request '
              '(CVE-2026-44168, -48163, -48165, -49261)')

_MARIADB_PROVIDERS = (
    '/usr/lib/galera/libgalera_smm.so',
    '/usr/lib64/galera-4/libgalera_smm.so',
    '/usr/lib/libgalera_smm.so',
)

_MARIADB_INITIALISE = (
    'mariadb-install-db',
    '--no-defaults',
    '--datadir={data_dir}',
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    '--force',
)


def _mariadb(version: tuple[int, int], patch: int) -> Dialect:
    series = f'{version[0]}.{version[1]}'
    return Dialect(
        name=f'MariaDB {series}',
        manager='mariadb',
        version=version,
        published_image=f'mariadb:{series}',
        image_uid=999,
        image_gid=999,
        server_commands=('mariadbd', 'mysqld'),
        initialise_command=_MARIADB_INITIALISE,
        provider_paths=_MARIADB_PROVIDERS,
        applier_threads_variable='wsrep_slave_threads',
        sst_methods=('mariabackup', 'rsync'),
        default_sst_method='mariabackup',
        formation_sst_method='rsync',
        sst_auth_methods=('mariabackup',),
        sst_user_grants=('RELOAD', 'PROCESS', 'LOCK TABLES',
                         'BINLOG MONITOR'),
        strict_mode_variable=None,
        traffic_encryption_variable=None,
        knows_alter_user=True,
        settings=(('query_cache_type', 'OFF'), ('query_cache_size', '0')),
        removed_options=frozenset({
            'innodb_buffer_pool_instances', 'innodb_log_files_in_group',
            'innodb_large_prefix', 'innodb_file_format'}),
        minimum_safe_version=(*version, patch),
        minimum_reason=_SST_HOLES)


DIALECTS = (
    _mariadb((10, 6), 27),
    _mariadb((10, 11), 18),
    _mariadb((11, 4), 12),
    _mariadb((11, 8), 8),
)
