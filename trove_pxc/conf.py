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

"""Every option of this package: in Trove's [pxc] and [mariadb], and its own.

Anyone outside galera/ may import it. Options are read when they are used:
``CONF[manager].bootstrap_timeout``. Those in [trove_pxc] are of a process,
whatever the datastore.
"""

import ipaddress

from oslo_config import cfg
from oslo_config import types

MANAGERS = ('pxc', 'mariadb')
#: the group of what concerns no datastore in particular
OWN_GROUP = 'trove_pxc'

_BOTH = (
    cfg.StrOpt(
        'sst_method',
        help='How a member receives a full copy of the data when it joins '
             'a cluster (wsrep_sst_method). Unset: the best method of the '
             'server version, as galera/dialect.py knows it.'),
    cfg.BoolOpt(
        'encrypt_cluster_traffic', default=True,
        help='Whether what the members of a new cluster say to each other '
             '(group communication, incremental and whole state transfers) '
             'is encrypted, and each proves with a certificate of the '
             "cluster's own authority that it is a member. A cluster keeps "
             'for life what this was when it was created.'),
    cfg.StrOpt(
        'default_collation', regex='^[a-z0-9_]*$',
        help='Collation (collation_server), and with it the character set '
             '(character_set_server, the first part of its name), of what '
             'is created without one in a new cluster. Unset: that of the '
             'server for utf8mb4. An empty text leaves both to the server. '
             'The configuration group of a cluster comes first. A cluster '
             'keeps for life what this was when it was created.'),
    cfg.IntOpt(
        'certificate_days', default=3650, min=1,
        help="Days for which a cluster's authority and the certificates of "
             'its members are valid; they can be rotated before.'),
    cfg.IntOpt(
        'member_ready_timeout', default=1800, min=10,
        help='Seconds that a new member may take from the request until its '
             'guest is ready: volume, server, boot, database image. A '
             'member whose server or guest reports an error ends the wait '
             'at once.'),
    cfg.IntOpt(
        'bootstrap_timeout', default=300, min=10,
        help='Seconds that the first member may take to initialise its data '
             'directory and to be Synced in a primary component of one.'),
    cfg.IntOpt(
        'join_stall_timeout', default=300, min=10,
        help='Seconds without any progress (data arriving, state changing) '
             'after which the join of a member is given up. However long a '
             'state transfer takes, it is not given up while it moves.'),
    cfg.IntOpt(
        'verify_timeout', default=60, min=5,
        help='Seconds until all members must agree on size, state and '
             'cluster UUID, and must read what was written through each.'),
    cfg.IntOpt(
        'health_timeout', default=180, min=10,
        help='Seconds until all members of a finished cluster must be '
             'reported HEALTHY by their guests.'),
    cfg.IntOpt(
        'guest_silence_timeout', default=120, min=5,
        help='Seconds for which the guest of a member may leave every call '
             'unanswered before the member counts as failed. A restart of '
             'the message broker or of the guest agent fits in.'),
    cfg.IntOpt(
        'member_call_timeout', default=15, min=1,
        help='Seconds that one call to a guest which only looks (report, '
             'position, settings, probe) may take.'),
    cfg.IntOpt(
        'member_start_timeout', default=60, min=5,
        help='Seconds that one call to a guest which configures or starts '
             'the server may take. It does not wait for the server to be '
             'Synced.'),
    cfg.IntOpt(
        'member_stop_timeout', default=240, min=5,
        help='Seconds that a server may take to stop when its member is '
             'restarted or resized; more than state_change_wait_time, after '
             'which the guest ends it by force.'),
    cfg.IntOpt(
        'server_resize_timeout', default=900, min=5,
        help='Seconds that Nova may take to resize the server of a member, '
             'to confirm that or to revert it.'),
    cfg.IntOpt(
        'volume_resize_timeout', default=300, min=5,
        help='Seconds that Cinder, Nova and the guest may take for each '
             'step of a volume resize: detach, extend, attach.'),
    cfg.IntOpt(
        'self_recovery_timeout', default=30, min=1,
        help='Seconds for which a recovery lets members that start find '
             'each other, or the primary component, by themselves, and '
             'waits for guests that do not answer and for servers that are '
             'there and do not, such as one that is just stopping. After '
             'that it stops what looks in vain and reads the disks.'),
    cfg.BoolOpt(
        'automatic_recovery', default=True,
        help='Whether a cluster of which no member serves is recovered '
             'without being asked, if that is proven to be safe. What is '
             'refused then, an operator can still force.'),
    cfg.IntOpt(
        'automatic_recovery_patience', default=30, min=5,
        help='Seconds for which no member of a cluster may serve until it '
             'is recovered by itself. Members that lost power together '
             'find each other within that time. A third of it is enough '
             'where one member is left and the others have stopped in '
             'order, so that only a recovery can help. Each try that '
             'fails doubles it for the next one.'),
    cfg.IntOpt(
        'status_call_timeout', default=3, min=1,
        help='Seconds that the guests may take to answer, all at the same '
             'time, when a user lists the members of a cluster or asks for '
             'its health.'),
    cfg.FloatOpt(
        'status_look_interval', default=2.0, min=0.5,
        help='Seconds that a guest pauses between two looks at its member. '
             'It tells Trove at once when the status has changed, and '
             'otherwise every report_interval seconds. A look costs the '
             'guest some 20 ms of processor time and sends nothing.'),
    cfg.PortOpt(
        'metrics_port', default=0,
        help='Port of each guest at which Prometheus can read the figures '
             'of the member, at /metrics. 0: none. Off by default, for who '
             'reaches the port reads them without a password. It is read '
             'by guests, so it stands in the file that guest_config names.'),
    cfg.HostAddressOpt(
        'metrics_address', default='127.0.0.1',
        help='Address of the guest that metrics_port is opened on. By '
             'default only programs in the guest itself reach it; 0.0.0.0 '
             'opens it to whomever the security group of the member '
             'allows, which is nobody unless tcp_ports has the port.'),
    cfg.IntOpt(
        'creation_settle_timeout', default=10, min=1,
        help='Seconds for which nothing new may appear of an instance that '
             'Trove is still creating while its cluster is deleted, until '
             'its creation is taken for dead.'),
    cfg.IntOpt(
        'operation_lease', default=30, min=6,
        help='Seconds for which a running operation may give no sign of '
             'life until its taskmanager is taken for dead and another one '
             'takes the operation up. It gives a sign six times as often. '
             'The same on all taskmanagers.'),
    cfg.IntOpt(
        'creation_stall_timeout', default=75, min=5,
        help='Seconds for which nothing may move in the creation of an '
             'instance by Trove, once a taskmanager has died while its '
             'cluster was built, until that creation is taken for dead, '
             'too. More than [DEFAULT] volume_time_out, for which Trove '
             'waits for a volume without a sign.'),
    cfg.FloatOpt(
        'member_poll_interval', default=0.25, min=0.05,
        help='Seconds between two looks at a member during an operation.'),
    cfg.FloatOpt(
        'database_poll_interval', default=0.3, min=0.05,
        help="Seconds between two looks at Trove's own tables during an "
             'operation.'),
    cfg.FloatOpt(
        'cloud_poll_interval', default=0.5, min=0.1,
        help='Seconds between two looks at Nova, Neutron or Cinder during '
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
        help='What the members of a new cluster refuse (wsrep_mode). '
             'STRICT_REPLICATION: tables of other engines than InnoDB, '
             'which are not replicated. DISALLOW_LOCAL_GTID: writes to '
             'such tables, and all else that one member would have alone. '
             'REQUIRED_PRIMARY_KEY: tables without a primary key, and '
             'CREATE TABLE LIKE. Empty: nothing. A cluster keeps for life '
             'what this was when it was created.'),
)

_OWN = (
    cfg.StrOpt(
        'ipv6_users_cidr',
        help='IPv6 network whose users reach the ports of tcp_ports of '
             'members that use IPv6; Trove opens them to the one network of '
             '[DEFAULT] trove_security_group_rule_cidr. Unset: everyone '
             '(::/0) if that is everyone (0.0.0.0/0), the same network if '
             'that is one of IPv6, otherwise nobody.'),
    cfg.IntOpt(
        'cloud_call_timeout', default=60, min=1,
        help='Seconds that one call of trove-taskmanager to Nova, Neutron, '
             'Cinder or Glance may take. Trove itself sets no limit, and '
             'waits for ever for a service that hangs.'),
    cfg.IntOpt(
        'cloud_retry_timeout', default=180, min=0,
        help='Seconds for which a call to the cloud is repeated that Trove '
             'itself makes while it creates a member, when the answer is an '
             'error that may pass: 408, 429, 500, 502, 503, 504, a time-out '
             'or a lost connection. Before a request that makes something '
             'is repeated, it is looked for what the first one has made. 0: '
             'such an error puts the member into ERROR, as Trove does it. '
             'Steps of an operation repeat their own calls for as long as '
             'the step may take.'),
    cfg.IntOpt(
        'request_retry_timeout', default=30, min=0,
        help='Seconds for which trove-api repeats such a call while a '
             'request about clusters, instances or flavors waits for the '
             'answer; less than clients and load balancers wait. 0: it '
             'repeats none.'),
)


def ipv6_users(conf: cfg.ConfigOpts) -> ipaddress.IPv6Network | None:
    """The IPv6 network whose users reach the servers; None for nobody.

    :raises ValueError: if an option is no such network.
    """
    wanted = conf[OWN_GROUP].ipv6_users_cidr
    if wanted:
        return ipaddress.IPv6Network(wanted, strict=False)
    troves = ipaddress.ip_network(
        conf.trove_security_group_rule_cidr, strict=False)
    if isinstance(troves, ipaddress.IPv6Network):
        return troves
    return None if troves.prefixlen else ipaddress.IPv6Network('::/0')


def list_opts() -> list[tuple[str, list[cfg.Opt]]]:
    """What this package adds to each group, for oslo-config-generator."""
    return [('pxc', [*_BOTH, *_PXC]), ('mariadb', [*_BOTH, *_MARIADB]),
            (OWN_GROUP, list(_OWN))]


def register(conf: cfg.ConfigOpts) -> None:
    """Add our options; harmless when done already.

    An option that Trove itself has under the same name stays Trove's.
    """
    conf.register_group(cfg.OptGroup(OWN_GROUP, 'trove-pxc'))
    for group, options in list_opts():
        for option in options:
            if option.dest not in conf[group]:
                conf.register_opt(option, group=group)
