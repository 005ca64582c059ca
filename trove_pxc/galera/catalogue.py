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

Pure data. Only dialect.py uses it.

Sources: "Upgrading from MariaDB 10.6 to 10.11" and its successors,
"Introduction to State Snapshot Transfers" (mariadb.com/kb); "Percona XtraDB
Cluster 8.0: changed in", "wsrep system variable index", "State snapshot
transfer" (docs.percona.com); the MySQL 5.6 to 8.4 reference manuals,
"Server options added, deprecated, or removed"; for the lengths of accounts
MySQL's worklogs 2284 (user names, 5.7.8) and 12571 (hosts, 8.0.17), MariaDB's
MDEV-24312 (hosts, 10.6) and its error 1470 (measured with 10.11).
"""

import dataclasses

from trove_pxc.galera.series import Dialect

ROLLBACK = 'ROLLBACK'
"""Roll back transactions that a killed server prepared but did not commit.

Without a binary log, nothing on the disk determines the outcome of a
transaction that InnoDB has prepared. The server then refuses to start, also
with --wsrep-recover: "Found 1 prepared transactions! ... You have to start
mysqld with --tc-heuristic-recover" (measured with PXC 5.6.21 at the first
kill -9 under six writers).

- No acknowledged write is lost. A client gets its answer after the commit of
  InnoDB, which is on disk then (innodb_flush_log_at_trx_commit = 1). This
  member did not acknowledge a transaction that is only prepared. If the
  transaction was certified, the others have it, and this member gets it by a
  state transfer.
- The data is then exactly at the recovered position. InnoDB writes the
  position with the commit, in the same mini-transaction (trx_commit,
  trx_sys_update_wsrep_checkpoint), and Galera commits in the order of
  seqnos. Measured with PXC 5.6.21: 3,267 inserts and 2 DDL acknowledged,
  position 3,269 after ROLLBACK. A rollback does not move the position: the
  transaction's XID is cleared first (innobase_rollback_by_xid in
  ha_innodb.cc of MariaDB; of PXC 8, where innobase_commit_by_xid alone keeps
  it, as wsrep_recover_xid).
- COMMIT would keep transactions that certification may have rejected, and
  that the position does not include, so that they would be applied twice.

MariaDB itself commits prepared transactions that follow the position without a
gap, and refuses to start if there is a gap (xarecover_handlerton in
sql/handler.cc, MDEV-15740). With ROLLBACK it still commits the former, and
rolls back the latter. PXC 8.x with skip_log_bin behaves like 5.7
(sql/xa/recovery.cc, recover_one_internal_trx). Neither was run here.

With a binary log, the server decides by its content. This package does not
override that.

Pull request 748 of ClusterLabs/resource-agents does the same. PXC continues
after the rollback (TC_LOG_DUMMY). MariaDB with its tc.log ends and must be
started again without the option (TC_LOG::using_heuristic_recover).
"""

_SST_HOLES = ('its SST scripts run commands that a peer puts into a request '
              '(CVE-2026-44168, -48163, -48165, -49261)')

# A query cache serves stale rows while write sets are applied.
_NO_QUERY_CACHE = (('query_cache_type', 'OFF'), ('query_cache_size', '0'))
_DIRECT = (('innodb_flush_method', 'O_DIRECT'),)

# The position is logged as a note. 8.x omits notes by default (2), and a
# configuration group can omit them in 5.7 ("log_error_verbosity" in the
# manuals of MySQL 5.7 and 8.0; older servers do not know it).
_TELL_NOTES = ('--log-error-verbosity=3',)

# Possible paths of builds from source.
_ELSEWHERE = (
    '/usr/lib*/*/libgalera_smm.so',
    '/usr/local/lib*/libgalera_smm.so',
    '/usr/local/*/libgalera_smm.so',
    '/usr/local/*/lib*/libgalera_smm.so',
    '/usr/local/*/lib*/*/libgalera_smm.so',
    '/opt/*/libgalera_smm.so',
    '/opt/*/lib*/libgalera_smm.so',
    '/opt/*/lib*/*/libgalera_smm.so',
)

# The joiner's script checks its listener with lsof, or with ss in newer
# versions.
_RSYNC = ('rsync', ('wsrep_sst_rsync', 'rsync', 'lsof|ss'))
_RSYNC_56 = ('rsync', ('wsrep_sst_rsync', 'rsync', 'lsof', 'ps', 'bash'))
_RSYNC_TLS = ('rsync+tls', (*_RSYNC[1], 'stunnel'))
# nc is used only with transferfmt=nc in [sst], which this package does not
# set. socat is the default: get_transfer in wsrep_sst_mariabackup (MariaDB
# 10.6 to 11.8) and wsrep_sst_xtrabackup-v2 (PXC 5.6 to 8.4), which finds it
# with "which".
_MARIABACKUP = ('mariabackup', (
    'wsrep_sst_mariabackup', 'mariadb-backup|mariabackup', 'socat'))
_MARIABACKUP_TLS = ('mariabackup+tls', _MARIABACKUP[1])
_XTRABACKUP = ('xtrabackup-v2', (
    'wsrep_sst_xtrabackup-v2', 'innobackupex|xtrabackup', 'socat', 'which'))
_XTRABACKUP_TLS = ('xtrabackup-v2+tls', _XTRABACKUP[1])
# It compares certificate and key: verify_cert_matches_key.
_XTRABACKUP_57_TLS = ('xtrabackup-v2+tls', (
    *_XTRABACKUP[1], 'openssl', 'diff'))
# PXC 8 has the backup program in a separate folder. Its script checks its
# listener with ps, and starts a second server to upgrade the received data
# (run_post_processing_steps in wsrep_sst_common).
_XTRABACKUP_8 = ('xtrabackup-v2', (
    'wsrep_sst_xtrabackup-v2', 'socat', 'which', 'ps', 'mysql', 'mysqladmin'))
_XTRABACKUP_8_TLS = ('xtrabackup-v2+tls', (
    *_XTRABACKUP_8[1], 'openssl', 'diff'))

# JOINER_SST_DIR of wsrep_sst_xtrabackup-v2 without tmpdir in [sst], which is
# not set: .sst in PXC 5.7, sst-xb-tmpdir in 8.x. position.py explains what it
# proves.
_SST_FOLDERS = ('.sst', 'sst-xb-tmpdir')

# A joiner's script listens before a donor is chosen, and ends if it receives
# nothing for 100 s (PXC) or 300 s (MariaDB). While the donor is busy, it would
# end and start again without end. 0 disables the timeout
# ("sst-initial-timeout" in "Percona XtraBackup SST configuration";
# wsrep_sst_mariabackup of MariaDB 10.6).
_NO_INITIAL_TIMEOUT = (('sst-initial-timeout', '0'),)
# The server waits for this time after each SIGTERM, 10 s by default, for
# proxies that check pxc_maint_mode ("Index of wsrep system variables" of PXC
# 5.7, 8.0, 8.4; since 5.7.16, as pxc_encrypt_cluster_traffic is, pull request
# 365 of PXC).
_NO_MAINTENANCE = (('pxc_maint_transition_period', '1'),)
# A component writes facts about the server to a file each day ("Telemetry and
# data collection", "Disable DB component", of Percona Server). Not every 8.0
# has the option.
_NO_TELEMETRY = (('loose_percona_telemetry_disable', '1'),)

# encrypt=3 without an authority, and encrypt=2 with certificate and key in one
# file, as in "Percona XtraDB Cluster 5.6: Encrypting SST traffic".
_MARIADB_SST_TLS = (('encrypt', '3'), ('tca', '{ca}'), ('tcert', '{cert}'),
                    ('tkey', '{key}'), ('ssl-mode', 'VERIFY_CA'))
_XTRABACKUP_SST_TLS = (('encrypt', '2'), ('tca', '{ca}'),
                       ('tcert', '{pair}'))

# socat listens only on IPv4 by default, and the script adds the option only to
# transfers without encryption (PXC-3767; pull request 2171 of PXC, open in
# November 2026, for 8.0 and, according to its text, for 8.4). The script
# appends the text to the other options of socat, so it begins with a comma. A
# second pf=ip6 has no effect. MariaDB's script always adds it (get_transfer in
# wsrep_sst_mariabackup of 10.11.19).
_SOCAT_IPV6 = (('sockopt', ',pf=ip6'),)

# --init-file also works at the initialisation, including accounts: "Initialize
# your MySQL 5.7 instances with ease" (dev.mysql.com/blog-archive).
_MYSQL_INITIALISE = (
    '{server}',
    '--defaults-file={defaults_file}',
    '--initialize-insecure',
    '--datadir={data_dir}',
    '--init-file={sql_file}',
)

_MARIADB_PROVIDERS = (
    '/usr/lib/galera/libgalera_smm.so',
    '/usr/lib64/galera-4/libgalera_smm.so',
    '/usr/lib/libgalera_smm.so',
    *_ELSEWHERE,
)

_MARIADB_INITIALISE = (
    'mariadb-install-db',
    '--defaults-file={defaults_file}',
    '--datadir={data_dir}',
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    '--force',
    # To create the system tables and load the time zones it syncs 1,085 files
    # (measured with 10.11.19), with this option 26. The start program syncs
    # the whole file system before it counts the database as complete.
    '--loose-debug-no-sync',
)
_MARIADB_EXTRA_FILE = '--extra-file={sql_file}'  # MDEV-21252, not in 10.6

# The collation of a connection after SET NAMES utf8mb4. With any other one,
# WHERE column = @variable is an "Illegal mix of collations" (error 1267;
# measured on MariaDB 10.11.19), until user variables became weaker than
# columns in 11.5 (MDEV-25829), which also changed MariaDB's.
_GENERAL = 'utf8mb4_general_ci'
_UCA_9_0 = 'utf8mb4_0900_ai_ci'
_UCA_14_0 = 'utf8mb4_uca1400_ai_ci'

# Grant tables are off in --bootstrap mode until they are flushed.
_MARIADB_CLEANING = (
    'FLUSH PRIVILEGES',
    "DELETE FROM mysql.global_priv WHERE User = '' OR "
    "(User = 'root' AND Host <> 'localhost')",
    "DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost'",
    'FLUSH PRIVILEGES',
)


def _mariadb(version: tuple[int, int], patch: int) -> Dialect:
    series = f'{version[0]}.{version[1]}'
    initialise: tuple[str, ...] = _MARIADB_INITIALISE
    if version > (10, 6):
        initialise += (_MARIADB_EXTRA_FILE,)
    return Dialect(
        name=f'MariaDB {series}',
        manager='mariadb',
        version=version,
        server_commands=('mariadbd', 'mysqld'),
        initialise_command=initialise,
        initial_cleaning=_MARIADB_CLEANING,
        needs_basedir=False,
        provider_paths=_MARIADB_PROVIDERS,
        applier_threads_variable='wsrep_slave_threads',
        redo_log=('innodb_log_file_size', 1),
        splits_buffer_pool=False,
        sst_methods=('mariabackup', 'rsync'),
        default_sst_method='mariabackup',
        formation_sst_method='rsync',
        sst_programs=(_MARIABACKUP, _RSYNC, _MARIABACKUP_TLS, _RSYNC_TLS),
        sst_folders=(),
        sst_auth_methods=('mariabackup',),
        sst_auth_section='mysqld',
        sst_user_grants=('RELOAD', 'PROCESS', 'LOCK TABLES',
                         'BINLOG MONITOR'),
        strict_mode_variable=None,
        traffic_encryption_variable=None,
        sst_options=_NO_INITIAL_TIMEOUT,
        sst_encryption=_MARIADB_SST_TLS,
        knows_alter_user=True,
        collation=_UCA_14_0 if version >= (11, 5) else _GENERAL,
        time_zone_commands=('mariadb-tzinfo-to-sql', 'mysql_tzinfo_to_sql'),
        grant_makes_accounts=True,
        longest_user=128,
        longest_host=255,
        prepared=ROLLBACK,
        recover_options=(),
        settings=_NO_QUERY_CACHE,
        removed_options=frozenset({
            'innodb_buffer_pool_instances', 'innodb_log_files_in_group',
            'innodb_large_prefix', 'innodb_file_format',
            'wsrep_applier_threads', 'pxc_strict_mode',
            'pxc_encrypt_cluster_traffic', 'mysqlx'}),
        minimum_safe_version=(*version, patch),
        minimum_reason=_SST_HOLES)


_PXC_56 = Dialect(
    name='Percona XtraDB Cluster 5.6',
    manager='pxc',
    version=(5, 6),
    server_commands=('mysqld',),
    initialise_command=(
        'mysql_install_db', '--defaults-file={defaults_file}',
        '--basedir={basedir}', '--datadir={data_dir}', '--force',
        '--skip-name-resolve', '--keep-my-cnf'),
    # It creates anonymous users, root for all hosts, and a database that all
    # users can write.
    initial_cleaning=(
        'FLUSH PRIVILEGES',
        "DELETE FROM mysql.user WHERE User = '' OR Host <> 'localhost'",
        "DELETE FROM mysql.db WHERE Db LIKE 'test%'",
        "DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost'",
        'DROP DATABASE IF EXISTS test',
        'FLUSH PRIVILEGES'),
    needs_basedir=True,
    provider_paths=(
        '/usr/lib/galera3/libgalera_smm.so',
        '/usr/lib64/galera3/libgalera_smm.so',
        '/usr/lib/libgalera_smm.so',
        '/usr/lib64/libgalera_smm.so',
        '/usr/lib/galera/libgalera_smm.so',
        '/usr/local/lib/libgalera_smm.so',
        *_ELSEWHERE),
    applier_threads_variable='wsrep_slave_threads',
    redo_log=('innodb_log_file_size', 2),
    splits_buffer_pool=True,
    sst_methods=('xtrabackup-v2', 'rsync'),
    default_sst_method='xtrabackup-v2',
    formation_sst_method='rsync',
    sst_programs=(_XTRABACKUP, _RSYNC_56, _XTRABACKUP_TLS),
    sst_folders=(),
    sst_auth_methods=('xtrabackup-v2',),
    # A joiner with wsrep_sst_auth writes it to its error log (measured on
    # 5.6.21). The backup also reads its account from its own section.
    sst_auth_section='xtrabackup',
    sst_user_grants=('RELOAD', 'LOCK TABLES', 'REPLICATION CLIENT'),
    strict_mode_variable=None,
    traffic_encryption_variable=None,
    sst_options=_NO_INITIAL_TIMEOUT,
    sst_encryption=_XTRABACKUP_SST_TLS,
    # Its scripts split an address at each colon (setup_ports in
    # wsrep_sst_xtrabackup-v2 of PXC 5.6.34, 003d1efd; issue 210 of
    # mysql-wsrep for wsrep_sst_rsync).
    takes_ipv6=False,
    knows_alter_user=False,
    collation=_GENERAL,
    time_zone_commands=('mysql_tzinfo_to_sql',),
    grant_makes_accounts=True,
    longest_user=16,
    longest_host=60,
    prepared=ROLLBACK,
    recover_options=(),
    settings=(*_NO_QUERY_CACHE, *_DIRECT),
    removed_options=frozenset({
        'wsrep_applier_threads', 'pxc_strict_mode', 'mysqlx', 'wsrep_on',
        'pxc_encrypt_cluster_traffic', 'innodb_redo_log_capacity'}))

_PXC_57 = dataclasses.replace(
    _PXC_56,
    name='Percona XtraDB Cluster 5.7',
    version=(5, 7),
    initialise_command=(*_MYSQL_INITIALISE, '--basedir={basedir}'),
    initial_cleaning=(),
    provider_paths=(
        '/usr/lib64/galera3/libgalera_smm.so',
        '/usr/lib/galera3/libgalera_smm.so',
        '/usr/lib/libgalera_smm.so',
        *_ELSEWHERE),
    sst_programs=(_XTRABACKUP, _RSYNC, _XTRABACKUP_57_TLS),
    sst_folders=_SST_FOLDERS,
    sst_auth_section='mysqld',
    sst_user_grants=('RELOAD', 'LOCK TABLES', 'PROCESS',
                     'REPLICATION CLIENT'),
    strict_mode_variable='pxc_strict_mode',
    traffic_encryption_variable='pxc_encrypt_cluster_traffic',
    sst_encryption=(),
    sst_ipv6=_SOCAT_IPV6,
    takes_ipv6=True,
    knows_alter_user=True,
    longest_user=32,
    recover_options=_TELL_NOTES,
    settings=(*_PXC_56.settings, *_NO_MAINTENANCE),
    removed_options=frozenset({
        'wsrep_applier_threads', 'mysqlx', 'innodb_redo_log_capacity',
        'wsrep_on'}))

_PXC_80 = dataclasses.replace(
    _PXC_57,
    name='Percona XtraDB Cluster 8.0',
    version=(8, 0),
    initialise_command=_MYSQL_INITIALISE,
    needs_basedir=False,
    provider_paths=(
        '/usr/lib64/galera4/libgalera_smm.so',
        '/usr/lib/galera4/libgalera_smm.so',
        '/usr/lib/libgalera_smm.so',
        *_ELSEWHERE),
    applier_threads_variable='wsrep_applier_threads',
    sst_methods=('xtrabackup-v2',),
    formation_sst_method='xtrabackup-v2',
    sst_programs=(_XTRABACKUP_8, _XTRABACKUP_8_TLS),
    sst_auth_methods=(),
    sst_user_grants=(),
    collation=_UCA_9_0,
    grant_makes_accounts=False,
    longest_host=255,
    # The binary log is on by default and fills the volume; Galera does not
    # need it. The X protocol would open another port.
    settings=(*_DIRECT, ('skip_log_bin', ''), ('mysqlx', '0'),
              *_NO_MAINTENANCE, *_NO_TELEMETRY),
    removed_options=frozenset({
        'query_cache_type', 'query_cache_size', 'query_cache_limit',
        'wsrep_sst_auth', 'innodb_file_format', 'wsrep_on',
        'innodb_large_prefix'}),
    minimum_safe_version=(8, 0, 26),
    minimum_reason='it does not have the variable wsrep_applier_threads')

_PXC_84 = dataclasses.replace(
    _PXC_80,
    name='Percona XtraDB Cluster 8.4',
    version=(8, 4),
    redo_log=('innodb_redo_log_capacity', 1),
    removed_options=_PXC_80.removed_options | frozenset({
        'default_authentication_plugin', 'skip_ssl',
        'innodb_parallel_dblwr_encrypt'}),
    minimum_safe_version=None,
    minimum_reason='')

DIALECTS = (
    _PXC_56,
    _PXC_57,
    _PXC_80,
    _PXC_84,
    _mariadb((10, 6), 27),
    _mariadb((10, 11), 18),
    _mariadb((11, 4), 12),
    _mariadb((11, 8), 8),
)
