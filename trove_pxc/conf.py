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

"""The options of this package, in [pxc], [mariadb] and [trove_pxc].

The modules outside galera/ may import it. Options are read when they are used:
``CONF[manager].bootstrap_timeout``. The options in [trove_pxc] apply to a
process, for all datastores.
"""

import ipaddress

from oslo_config import cfg
from oslo_config import types

MANAGERS = ('pxc', 'mariadb')
#: the group of options for all datastores
OWN_GROUP = 'trove_pxc'
#: how often a guest reports an unchanged status: as often as Trove's own
#: agents do, in a periodic task with the default interval of oslo.service
REPORT_SECONDS = 60

_BOTH = (
    cfg.StrOpt(
        'sst_method',
        help='The method of a state snapshot transfer (wsrep_sst_method), by '
             'which a joiner receives a full copy of the data. Unset: the '
             'best method for the version of the server.'),
    cfg.BoolOpt(
        'encrypt_cluster_traffic', default=True,
        help='Whether the traffic between the members of a new cluster '
             '(group communication, IST and SST) is encrypted, and each '
             'member authenticates itself with a certificate of the '
             "cluster's own certificate authority. A cluster keeps the value "
             'with which it was created.'),
    cfg.StrOpt(
        'default_collation', regex='^[a-z0-9_]*$',
        help='The collation (collation_server) of a new cluster, and with it '
             'the character set (character_set_server, the first part of its '
             'name). They apply to databases and tables that are created '
             'without them. Unset: the default of the server for utf8mb4. '
             'Empty: the default of the server. The configuration group of a '
             'cluster takes precedence. A cluster keeps the value with which '
             'it was created.'),
    cfg.IntOpt(
        'certificate_days', default=3650, min=1,
        help='Days for which the certificate authority of a cluster and the '
             'certificates of its members are valid. They can be rotated '
             'before they expire.'),
    cfg.IntOpt(
        'member_ready_timeout', default=1800, min=10,
        help='Seconds from the beginning of its creation until the guest of '
             'a new member must be ready: volume, server, boot, database '
             'image. If the server or the guest reports an error, the wait '
             'ends at once.'),
    cfg.IntOpt(
        'bootstrap_timeout', default=300, min=10,
        help='Seconds in which the first member must initialize its data '
             'directory and be Synced in a primary component of one member.'),
    cfg.IntOpt(
        'join_stall_timeout', default=300, min=10,
        help='Seconds without progress (data that arrives, a state that '
             'changes) after which the join of a member fails. The duration '
             'of a state transfer is not limited as long as it makes '
             'progress.'),
    cfg.IntOpt(
        'verify_timeout', default=60, min=5,
        help='Seconds in which all members must agree on size, state and '
             'cluster UUID, and must read what was written through each '
             'member.'),
    cfg.IntOpt(
        'health_timeout', default=180, min=10,
        help='Seconds in which the guests of all members of a finished '
             'cluster must report HEALTHY.'),
    cfg.IntOpt(
        'guest_silence_timeout', default=120, min=5,
        help='Seconds after which a member counts as failed if its guest '
             'does not answer any call. Must be longer than a restart of the '
             'message broker or of the guest agent.'),
    cfg.IntOpt(
        'member_call_timeout', default=15, min=1,
        help='Seconds that one call to a guest may take if it only reads '
             '(report, position, settings, probe).'),
    cfg.IntOpt(
        'member_start_timeout', default=60, min=5,
        help='Seconds that one call to a guest may take if it configures or '
             'starts the server. The call does not wait for the server to be '
             'Synced.'),
    cfg.IntOpt(
        'member_stop_timeout', default=240, min=5,
        help='Seconds that the server of a member may take to stop for a '
             'restart or a resize. Must be larger than '
             'state_change_wait_time, after which the guest kills the '
             'server.'),
    cfg.IntOpt(
        'server_resize_timeout', default=900, min=5,
        help='Seconds that Nova may take to resize the server of a member, '
             'and to confirm or revert the resize.'),
    cfg.IntOpt(
        'volume_resize_timeout', default=300, min=5,
        help='Seconds that Cinder, Nova and the guest may take for each step '
             'of a volume resize: detach, extend, attach.'),
    cfg.IntOpt(
        'self_recovery_timeout', default=30, min=1,
        help='Seconds for which a recovery waits before it stops servers and '
             'reads their data: for members that are starting and may find '
             'each other or the primary component, for guests that do not '
             'answer, and for servers that run and do not answer, such as a '
             'server that is stopping.'),
    cfg.BoolOpt(
        'automatic_recovery', default=True,
        help='Whether the taskmanager recovers a cluster of which no member '
             'serves, if this is proven to be safe. If it is refused, an '
             'operator can still force a recovery.'),
    cfg.IntOpt(
        'automatic_recovery_patience', default=30, min=5,
        help='Seconds for which no member of a cluster serves before the '
             'taskmanager recovers it. Members that lost power together '
             'usually find each other within this time. A third of it is '
             'used if one member survives and the others have stopped '
             'cleanly, because then only a recovery can help. Each failed '
             'attempt doubles the time before the next one.'),
    cfg.IntOpt(
        'status_call_timeout', default=3, min=1,
        help='Seconds that the guests may take to answer, all at the same '
             'time, when a user lists the members of a cluster or asks for '
             'its health.'),
    cfg.FloatOpt(
        'status_look_interval', default=2.0, min=0.5,
        help='Seconds between two checks of a member by its guest; twice as '
             'long while the member serves and nothing changes. The guest '
             'reports a changed status to Trove at once, and an unchanged '
             'one once a minute. A check sends nothing.'),
    cfg.PortOpt(
        'metrics_port', default=0,
        help='Port on each guest at which Prometheus can read the metrics of '
             'the member, at /metrics. 0: no port. Disabled by default, '
             'because no password is needed to read them. The guests read '
             'this option, so set it in the file that guest_config names.'),
    cfg.HostAddressOpt(
        'metrics_address', default='127.0.0.1',
        help='Address of the guest on which metrics_port is opened. By '
             'default, only programs in the guest can reach it. With '
             '0.0.0.0, the security group of the member decides, which does '
             'not allow the port unless it is in tcp_ports.'),
    cfg.StrOpt(
        'backup_encryption_key', secret=True,
        help='Key that encrypts the backups of clusters (AES-256-GCM), any '
             'text of high entropy. The guests read this option, so set it '
             'in the file that guest_config names. Without the same key, '
             'encrypted backups cannot be restored. Unset: backups are not '
             'encrypted.'),
    cfg.IntOpt(
        'backup_stall_timeout', default=1800, min=10,
        help='Seconds without progress after which the backup of a member '
             'or a restore fails: no data from the backup tool of the '
             'server, and none to or from the object store. The guests read '
             'this option.'),
    cfg.BoolOpt(
        'backup_encryption', default=False,
        help='Whether new backups are encrypted with backup_encryption_key '
             'of the guests. trove-taskmanager reads this option.'),
    cfg.IntOpt(
        'backup_rate_mb', default=0, min=0,
        help='The most MiB of data that the backup of a member reads in a '
             'second. 0: no limit.'),
    cfg.FloatOpt(
        'backup_poll_interval', default=2, min=0.05,
        help='Seconds between two reads of the progress of a backup.'),
    cfg.IntOpt(
        'creation_settle_timeout', default=10, min=1,
        help='Seconds after which the creation of an instance by Trove is '
             'considered to have ended, if its cluster is being deleted and '
             'nothing new appears.'),
    cfg.IntOpt(
        'operation_lease', default=30, min=6,
        help='Seconds without a renewal of its lease after which a running '
             'operation is resumed by another taskmanager. The lease is '
             'renewed six times in this time. Must be the same on all '
             'taskmanagers.'),
    cfg.IntOpt(
        'operation_start_timeout', default=900, min=6,
        help='Seconds after which an operation that was requested, and that '
             'no taskmanager has started, is started by a taskmanager that '
             'did not get the request. Usually the request waits behind many '
             'others. It is lost if the message broker, or the taskmanager '
             'that has received it and not started it, ends. It is safe if '
             'the request is handled later.'),
    cfg.IntOpt(
        'creation_stall_timeout', default=75, min=5,
        help='Seconds without progress after which the creation of an '
             'instance by Trove is considered to have ended, if it has '
             'begun, and a taskmanager died while the cluster was built. '
             'Must be larger than [DEFAULT] volume_time_out, because Trove '
             'shows no progress while it waits for a volume.'),
    cfg.IntOpt(
        'creation_start_timeout', default=7200, min=10,
        help='Seconds for which an operation waits for Trove to begin the '
             'creation of an instance. The request for it may wait behind '
             'many others. If it is lost, because the taskmanager that has '
             'received it ends, it cannot be repeated. member_ready_timeout '
             'begins when the creation begins.'),
    cfg.FloatOpt(
        'member_poll_interval', default=0.25, min=0.05,
        help='Seconds between two checks of a member during an operation.'),
    cfg.FloatOpt(
        'database_poll_interval', default=0.3, min=0.05,
        help="Seconds between two reads of Trove's tables during an "
             'operation.'),
    cfg.FloatOpt(
        'cloud_poll_interval', default=0.5, min=0.1,
        help='Seconds between two requests to Nova, Neutron or Cinder during '
             'an operation.'),
)

_PXC = (
    cfg.StrOpt(
        'docker_image', default='percona/percona-xtradb-cluster',
        help='Database docker image. The version of the datastore version is '
             'its tag.'),
)

_MARIADB = (
    cfg.ListOpt(
        'wsrep_mode', item_type=types.String(choices=[
            'STRICT_REPLICATION', 'DISALLOW_LOCAL_GTID',
            'REQUIRED_PRIMARY_KEY', 'BINLOG_ROW_FORMAT_ONLY']),
        default=['STRICT_REPLICATION', 'DISALLOW_LOCAL_GTID'],
        help='Restrictions of the members of a new cluster (wsrep_mode). '
             'STRICT_REPLICATION refuses tables of other engines than '
             'InnoDB, which are not replicated. DISALLOW_LOCAL_GTID refuses '
             'writes to such tables, and all other changes that would exist '
             'on only one member. REQUIRED_PRIMARY_KEY refuses tables '
             'without a primary key, and CREATE TABLE LIKE. Empty: no '
             'restrictions. A cluster keeps the value with which it was '
             'created.'),
)

_OWN = (
    cfg.StrOpt(
        'ipv6_users_cidr',
        help='IPv6 network whose users can reach the ports of tcp_ports on '
             'members that use IPv6. Trove opens these ports only to the '
             'network of [DEFAULT] trove_security_group_rule_cidr. Unset: '
             'all addresses (::/0) if that option is 0.0.0.0/0, the same '
             'network if it is an IPv6 network, otherwise none.'),
    cfg.IntOpt(
        'cloud_call_timeout', default=60, min=1,
        help='Seconds that one call of trove-taskmanager to Nova, Neutron, '
             'Cinder or Glance may take. Trove itself sets no limit.'),
    cfg.IntOpt(
        'cloud_retry_timeout', default=180, min=0,
        help="Seconds for which a call to the cloud is retried that Trove's "
             'own code makes while it creates a member, if the error is '
             'temporary: 408, 429, 500, 502, 503, 504, a time-out or a lost '
             'connection. Before a request that creates something is '
             'retried, it is checked whether the first request created it. '
             '0: no retries; such an error puts the member into ERROR, as in '
             'Trove. The steps of an operation retry their own calls for as '
             'long as the step may take.'),
    cfg.IntOpt(
        'long_operations', default=32, min=1, mutable=True,
        help='Number of long operations on clusters (create, grow, shrink, '
             'resize, rotation of certificates) that one taskmanager runs at '
             'the same time. Others wait in the order of their requests. '
             'Each that runs reads rows of its cluster several times a '
             'second.'),
    cfg.IntOpt(
        'short_operations', default=32, min=1, mutable=True,
        help='Number of restarts and recoveries of clusters that one '
             'taskmanager runs at the same time. They do not wait for long '
             'operations, deletions or creations of members.'),
    cfg.IntOpt(
        'deletions', default=32, min=1, mutable=True,
        help='Number of clusters that one taskmanager deletes at the same '
             'time. They do not wait for other operations or for creations '
             'of members.'),
    cfg.IntOpt(
        'member_creations', default=64, min=1, mutable=True,
        help='Number of members that one taskmanager creates at the same '
             'time, each from the request to Cinder and Nova until its guest '
             'is ready. Others wait in the order of their requests. Reduce '
             'it if Nova, Cinder or Glance cannot build as many servers at '
             'the same time.'),
    cfg.IntOpt(
        'backups', default=64, min=1, mutable=True,
        help='Number of backups of members that one taskmanager follows at '
             'the same time. The guests do the work.'),
    cfg.IntOpt(
        'request_retry_timeout', default=30, min=0,
        help='Seconds for which trove-api retries such a call for a request '
             'about clusters, instances or flavors. Must be shorter than the '
             'time-outs of clients and load balancers. 0: no retries.'),
)


def ipv6_users(conf: cfg.ConfigOpts) -> ipaddress.IPv6Network | None:
    """Return the IPv6 network whose users reach the servers, or None.

    :raises ValueError: if an option is not an IPv6 network.
    """
    wanted = conf[OWN_GROUP].ipv6_users_cidr
    if wanted:
        return ipaddress.IPv6Network(wanted, strict=False)
    troves = ipaddress.ip_network(
        conf.trove_security_group_rule_cidr, strict=False)
    if isinstance(troves, ipaddress.IPv6Network):
        return troves
    return None if troves.prefixlen else ipaddress.IPv6Network('::/0')


def report_seconds(report_interval: int) -> int:
    """Seconds between two reports of an unchanged status.

    :param report_interval: Trove's option of this name; periodic tasks of
        Trove's own agents run no more often.
    """
    return max(REPORT_SECONDS, report_interval)


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """Return the options of each group, for oslo-config-generator."""
    return [('pxc', [*_BOTH, *_PXC]), ('mariadb', [*_BOTH, *_MARIADB]),
            (OWN_GROUP, list(_OWN))]


def register(conf: cfg.ConfigOpts) -> None:
    """Register the options; repeating it is safe.

    An option that Trove has under the same name is not replaced.
    """
    conf.register_group(cfg.OptGroup(OWN_GROUP, 'trove-pxc'))
    for group, options in list_opts():
        for option in options:
            if option.dest not in conf[group]:
                conf.register_opt(option, group=group)
