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

"""Lines of real servers' logs, for each version; shortened, no names.

Each group names where it was found. What is marked as measured was written
by a server that somebody of this project ran; where only its text was kept,
time and thread were added as that version writes them.
"""

from trove_pxc.galera.serverlog import Level

ERROR, WARNING, NOTE = Level.ERROR, Level.WARNING, Level.NOTE
SYSTEM = Level.SYSTEM

# (line, level, subsystem, code, beginning of the text)
PXC_56 = (
    # galera issue 172, PXC 5.6.19-67.0
    ('2014-11-05 21:18:22 2083 [Warning] WSREP: last inactive check more '
     'than PT1.5S ago (PT2.83946S), skipping check',
     WARNING, 'WSREP', '', 'last inactive check'),
    ('2014-11-05 21:18:25 2083 [ERROR] WSREP: gcs/src/gcs_defrag.cpp:ssize_t '
     'gcs_defrag_handle_frag():89: Expected: 698890:2, received: 698890:0',
     ERROR, 'WSREP', '', 'gcs/src/gcs_defrag.cpp'),
    # rancher-percona-xtradb-cluster issue 3, PXC 5.6 with Galera 3.11
    ('2015-10-14 04:02:53 70 [Note] InnoDB: Shutdown completed; log sequence '
     'number 1625987', NOTE, 'InnoDB', '', 'Shutdown completed'),
    # the text measured with PXC 5.6.21-70.1 without a binary log, killed
    ('2026-11-27 20:14:05 41 [ERROR] Found 1 prepared transactions! It means '
     'that mysqld was not shut down properly last time and critical recovery '
     'information (last binlog or tc.log file) was manually deleted after a '
     'crash. You have to start mysqld with --tc-heuristic-recover switch to '
     'commit or rollback pending transactions.',
     ERROR, '', '', 'Found 1 prepared transactions!'),
    ('2026-11-27 20:14:05 41 [ERROR] Aborting', ERROR, '', '', 'Aborting'),
)

PXC_57 = (
    # Launchpad bug 1669333, PXC 5.7.16
    ('2017-03-02T09:40:40.231608Z 0 [Note] WSREP: (00000000, '
     "'tcp://0.0.0.0:4567') listening at tcp://0.0.0.0:4567",
     NOTE, 'WSREP', '', '(00000000'),
    ('2017-03-02T09:40:40.231687Z 0 [ERROR] WSREP: failed to open gcomm '
     'backend connection: 131: invalid UUID: 00000000 (FATAL)',
     ERROR, 'WSREP', '', 'failed to open gcomm'),
    ('2017-03-02T09:40:40.231702Z 0 [ERROR] WSREP: gcs/src/gcs_core.cpp:'
     'gcs_core_open():208: Failed to open backend connection: -131 (State '
     'not recoverable)', ERROR, 'WSREP', '', 'gcs/src/gcs_core.cpp'),
    ('2017-03-02T09:40:40.231740Z 0 [ERROR] WSREP: wsrep::connect(gcomm://'
     '172.17.0.4,172.17.0.5) failed: 7', ERROR, 'WSREP', '',
     'wsrep::connect'),
    ('2017-03-02T09:40:40.231743Z 0 [ERROR] Aborting',
     ERROR, '', '', 'Aborting'),
    ('2017-03-02T09:40:41.231862Z 0 [Note] Binlog end',
     NOTE, '', '', 'Binlog end'),
)

PXC_80 = (
    # percona-xtradb-cluster-operator issue 1929, PXC 8.0.39-30.1
    ('2024-12-27T16:21:42.796650Z 0 [ERROR] [MY-000000] [WSREP] Failed to '
     'read uuid:seqno from joiner script.',
     ERROR, 'WSREP', 'MY-000000', 'Failed to read'),
    ('2024-12-27T16:21:42.796776Z 3 [Note] [MY-000000] [Galera] SST received: '
     '00000000-0000-0000-0000-000000000000:-1',
     NOTE, 'Galera', 'MY-000000', 'SST received'),
    ('2024-12-27T16:21:42.796791Z 3 [System] [MY-000000] [WSREP] SST '
     'completed', SYSTEM, 'WSREP', 'MY-000000', 'SST completed'),
    ('2024-12-27T16:21:42.796919Z 2 [ERROR] [MY-000000] [Galera] Application '
     'received wrong state: ', ERROR, 'Galera', 'MY-000000', 'Application'),
    ('2024-12-27T16:21:42.796926Z 2 [ERROR] [MY-000000] [Galera] Application '
     'state transfer failed. This is unrecoverable condition, restart '
     'required.', ERROR, 'Galera', 'MY-000000', 'Application'),
    # Percona's forum, topic 36773, PXC 8.0.36-28.1
    ('2025-02-18T11:56:40.356460Z 0 [System] [MY-013172] [Server] Received '
     'SHUTDOWN from user <via user signal>. Shutting down mysqld (Version: '
     '8.0.36-28.1).', SYSTEM, 'Server', 'MY-013172', 'Received SHUTDOWN'),
    # a gist of an SST of PXC 8.0.32-24.2, May 2024
    ('2024-05-08T15:31:11.024215Z 0 [Warning] [MY-000000] [WSREP-SST] Found a '
     'stale sst_in_progress file: /var/lib/mysql//sst_in_progress',
     WARNING, 'WSREP-SST', 'MY-000000', 'Found a stale'),
    # nextcloud-snap issue 2405, MySQL 8.0.32
    ('2023-04-29T23:02:40.786909Z 1 [ERROR] [MY-012962] [InnoDB] The redo log '
     'file ./#innodb_redo/#ib_redo1975 size 2088960 is not a multiple of '
     'innodb_page_size', ERROR, 'InnoDB', 'MY-012962', 'The redo log file'),
    ('2023-04-29T23:02:40.787810Z 0 [ERROR] [MY-010020] [Server] Data '
     'Dictionary initialization failed.',
     ERROR, 'Server', 'MY-010020', 'Data Dictionary'),
    ('2023-04-29T23:02:40.787849Z 0 [ERROR] [MY-010119] [Server] Aborting',
     ERROR, 'Server', 'MY-010119', 'Aborting'),
)

PXC_84 = (
    # docker-library/mysql issue 1082, MySQL 8.4.2
    ('2024-09-02T08:34:57.763848Z 0 [Warning] [MY-010001] [Server] Can\'t '
     'create thread to handle bootstrap (errno: 1)',
     WARNING, 'Server', 'MY-010001', "Can't create thread"),
    ('2024-09-02T08:34:57.763917Z 0 [ERROR] [MY-013236] [Server] The '
     'designated data directory /var/lib/mysql/ is unusable. You can remove '
     'all files that the server added to it.',
     ERROR, 'Server', 'MY-013236', 'The designated'),
    ('2024-09-02T08:34:57.763924Z 0 [ERROR] [MY-010119] [Server] Aborting',
     ERROR, 'Server', 'MY-010119', 'Aborting'),
    ('2024-09-02T08:34:57.764809Z 0 [System] [MY-015018] [Server] MySQL '
     'Server Initialization - end.',
     SYSTEM, 'Server', 'MY-015018', 'MySQL Server Initialization'),
)

MARIADB = (
    # pull request 748 of ClusterLabs/resource-agents, MariaDB 5.5
    ('160129 14:47:27 [Note] Found 1 prepared transaction(s) in InnoDB',
     NOTE, '', '', 'Found 1 prepared'),
    ('160129 14:47:27 [ERROR] Found 1 prepared transactions! It means that '
     'mysqld was not shut down properly last time',
     ERROR, '', '', 'Found 1 prepared transactions!'),
    ('160129 14:47:27 [ERROR] Aborting', ERROR, '', '', 'Aborting'),
    # pastebin GCHUxNR7, MariaDB 10.1 with Galera 25.3.25
    ('2019-02-15 15:49:14 140696895580352 [Note] WSREP: Read nil XID from '
     'storage engines, skipping position init',
     NOTE, 'WSREP', '', 'Read nil XID'),
    # bitnami/charts issue 3542, MariaDB 10.5
    ('2020-08-28  1:38:30 0 [Warning] WSREP: 1.0 (galera-1): State transfer '
     'to 0.0 (galera-0) failed: -22 (Invalid argument)',
     WARNING, 'WSREP', '', '1.0 (galera-1)'),
    ('2020-08-28  1:38:30 0 [ERROR] WSREP: gcs/src/gcs_group.cpp:'
     'gcs_group_handle_join_msg():1178: Will never receive state. Need to '
     'abort.', ERROR, 'WSREP', '', 'gcs/src/gcs_group.cpp'),
    ('WSREP_SST: [INFO] Proceeding with SST (20200828 01:38:20.875)',
     NOTE, 'WSREP_SST', '', 'Proceeding with SST'),
    # the text measured with MariaDB 10.11.19
    ("2026-11-25 10:29:15 0 [ERROR] /usr/sbin/mariadbd: unknown variable "
     "'x=1'", ERROR, '', '', '/usr/sbin/mariadbd: unknown variable'),
    # measured, MariaDB 10.11.19
    ('2026-11-28 13:35:46 0 [Warning] WSREP: Rejecting JOIN message from 0.0 '
     '(big-3): new State Transfer required.',
     WARNING, 'WSREP', '', 'Rejecting JOIN'),
)

# Lines that no server writes: those of the start program, and earlier ones.
OTHERS = (
    ('galera-start: [ERROR] the position could not be recovered; the data is '
     'unchanged', ERROR, 'galera-start', '', 'the position'),
    ('galera-start: the server did not stop cleanly: waiting 6 s',
     Level.OTHER, 'galera-start', '', 'the server did not'),
    ('mysqld: [ERROR] Found option without preceding group in config file '
     '/etc/my.cnf at line 1.', ERROR, '', '', 'Found option'),
    ('InnoDB: Progress in percents: 1 2 3', Level.OTHER, '', '',
     'InnoDB: Progress'),
    ('', Level.OTHER, '', '', ''),
    # a quoted text of a client, which is not an error of the server
    ('2026-11-28 16:50:14 9 [Warning] Access denied for user "[ERROR] WSREP: '
     'Inconsistency detected: me"@"10.0.0.9"',
     WARNING, '', '', 'Access denied'),
    ('2026-11-28T16:50:14.000001Z 9 [Note] [MY-010926] [Server] Access denied '
     "for user '[ERROR] [MY-010119] [Server] Aborting'@'10.0.0.9'",
     NOTE, 'Server', 'MY-010926', 'Access denied'),
)

LINES = PXC_56 + PXC_57 + PXC_80 + PXC_84 + MARIADB + OTHERS

# Written by the signal handler, not through the log.
SIGNALS = (
    '10:22:57 UTC - mysqld got signal 11 ;',  # mysql-audit issue 167, PXC 5.6
    '11:40:21 UTC - mysqld got signal 11 ;',  # mysql-wsrep issue 352, 5.7
    '2024-07-25T12:52:05Z UTC - mysqld got signal 6 ;',  # PXC 8.0.36-28.1
    '2026-08-14T07:51:05Z UTC - mysqld got signal 11 ;',  # PXC 8.0.46-38.1
    '2024-06-16T18:44:01Z UTC - mysqld got signal 11 ;',  # MySQL 8.4.0
    # measured, MariaDB 10.11.19
    '261125 10:29:17 [ERROR] /usr/sbin/mariadbd got signal 11 ;',
    'mysqld got signal 6 ;',
)

# What the workarounds (trove_pxc/galera/workarounds.py) look for. Measured,
# MariaDB 10.11.19 with Galera 26.4.23, uuid and seqno changed.
VOTES = (
    '2026-11-28 16:50:14 6 [ERROR] WSREP: Inconsistency detected: '
    'Inconsistent by consensus on f00d1b77-e732-11f1-88aa-77cb7e14d66a:5350',
    # the text of replicator_smm.cpp in the format of PXC 8; no server of PXC
    # 8 wrote it here
    '2026-11-28T16:50:14.0Z 6 [ERROR] [MY-000000] [Galera] Vote 0 (success) '
    'on f00d1b77-e732-11f1-88aa-77cb7e14d66a:7 is inconsistent with group. '
    'Leaving cluster.')
LEFT = '2026-11-28 16:50:14 6 [Note] WSREP: view((empty))'
COMPONENT = ('2026-11-28 17:22:40 0 [Note] WSREP: New COMPONENT: primary = '
             'yes, bootstrap = no, my_idx = 0, memb_num = 2')
NO_EXCHANGE = ('2026-11-28 17:22:40 0 [Note] WSREP: Temporary failure in '
               'sending state UUID, will try again in next primary component')
# the text measured with PXC 5.6.21-70.1
SHUT_DOWN = '2014-11-05 21:18:23 9 [Note] mysqld: Shutdown complete'
# in the format of PXC 8, where each of the others has its own line above
LEFT_8 = '2026-11-28T16:50:14.0Z 6 [Note] [MY-000000] [Galera] view((empty))'
NO_EXCHANGE_8 = (
    '2026-11-28T17:22:40.0Z 0 [Note] [MY-000000] [Galera] Temporary failure '
    'in sending state UUID, will try again in next primary component')
# Percona's forum, topic 36773, PXC 8.0.36-28.1
SHUT_DOWN_8 = (
    '2025-02-18T11:56:57.759992Z 0 [System] [MY-010910] [Server] '
    '/usr/sbin/mysqld: Shutdown complete (mysqld 8.0.36-28.1)  Percona '
    'XtraDB Cluster (GPL), Release rel28')


def log(lines: tuple[tuple[str, Level, str, str, str], ...]) -> str:
    """The lines of a version, unchanged."""
    return '\n'.join(line for line, *_ in lines)
