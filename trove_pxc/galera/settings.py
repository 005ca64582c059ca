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

"""The configuration files of a node, sized by its memory and volume.

Pure. Every module of trove_pxc may import it.

Sources: "Galera Cluster system variables" and "Galera parameters" of the
Galera documentation; the servers' manuals as catalogue.py names them.
"""

from collections.abc import Iterable
from collections.abc import Mapping
import dataclasses
import re
from typing import Any
import zlib

from trove_pxc.galera import addresses
from trove_pxc.galera.certificates import Paths
from trove_pxc.galera.defaults import Defaults
from trove_pxc.galera.dialect import Dialect
from trove_pxc.galera.secret import Secret

DATA_DIR = '/var/lib/mysql/data'
SOCKET = '/var/run/mysqld/mysqld.sock'
PID_FILE = '/var/run/mysqld/mysqld.pid'
INCLUDE_DIR = '/etc/mysql/conf.d/'

ADMIN_USER = 'os_admin'
SST_USER = 'os_sst'

SQL_PORT = 3306
GROUP_PORT = 4567

_PASSWORDS = ('admin_password', 'root_password', 'sst_password')

#: Options whose variable has another name.
_AS_VARIABLE = {'skip_log_bin': 'log_bin'}
#: Prefix of an option that not every server has.
_LOOSE = 'loose_'
#: Suffixes of variables that may contain a secret.
_SECRET = ('_auth', '_password', '_passphrase', '_secret')

#: Prefix of options that a configuration group must not change.
_OF_CLUSTER = 'wsrep_'

_OTHERS_MB = 384  # for the guest's kernel, Docker engine and agent


@dataclasses.dataclass(frozen=True, slots=True)
class MemberFacts:
    """The facts that determine the configuration of a member.

    :ivar cluster_name: the cluster's id in hex without dashes: 32 letters.
    :ivar member_name: its name in the cluster, from naming.node_name.
    :ivar members: (name, address) of all members, in member order.
    :ivar sst_method: None for the dialect's default.
    :ivar defaults: the defaults that all members share since the cluster was
        created, from defaults.choose; empty in a cluster of an older
        version.
    """

    cluster_id: str
    cluster_name: str
    member_name: str
    member_address: str
    members: tuple[tuple[str, str], ...]
    instance_id: str
    memory_mb: int
    volume_gb: int
    sst_method: str | None = None
    defaults: Defaults = ()

    @property
    def ipv6(self) -> bool:
        """Whether the members use IPv6."""
        return addresses.version(self.member_address) == addresses.IPV6

    def to_dict(self) -> dict[str, Any]:
        """JSON-safe; from_dict(to_dict()) are the same facts."""
        plain = dataclasses.asdict(self)
        plain['members'] = [list(member) for member in self.members]
        plain['defaults'] = [list(default) for default in self.defaults]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'MemberFacts':
        known = {field.name: plain[field.name]
                 for field in dataclasses.fields(cls) if field.name in plain}
        known['members'] = tuple(
            (str(name), str(address)) for name, address in plain['members'])
        known['defaults'] = tuple(
            (str(name), str(value))
            for name, value in plain.get('defaults', ()))
        return cls(**known)


@dataclasses.dataclass(frozen=True, slots=True)
class ClusterSecrets:
    """The secrets that the members of a cluster share.

    :ivar authorities: the certificate authorities of the cluster, each a
        certificate and its key, PEM. The first one issues certificates, and
        all are trusted; empty if members do not encrypt their traffic.
    """

    admin_password: Secret
    root_password: Secret
    sst_password: Secret
    authorities: tuple[Secret, ...] = ()

    @property
    def passwords(self) -> tuple[Secret, ...]:
        return (self.admin_password, self.root_password, self.sst_password)

    @property
    def encrypted(self) -> bool:
        """Whether the traffic between members is encrypted."""
        return bool(self.authorities)

    def to_dict(self) -> dict[str, Any]:
        """Reveals the secrets: only for encrypted RPC or a 0600 file."""
        plain: dict[str, Any] = {
            name: getattr(self, name).reveal() for name in _PASSWORDS}
        plain['authorities'] = [one.reveal() for one in self.authorities]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> 'ClusterSecrets':
        return cls(
            **{name: Secret(plain[name]) for name in _PASSWORDS},
            authorities=tuple(map(Secret, plain.get('authorities', ()))))


@dataclasses.dataclass(frozen=True, slots=True)
class Sizes:
    """Settings that depend on the size of the guest; memory in MiB."""

    buffer_pool_mb: int
    buffer_pool_instances: int
    redo_log_mb: int
    gcache_mb: int
    max_connections: int
    applier_threads: int
    temporary_table_mb: int
    table_cache: int
    small: bool


def _within(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


def _down_to(multiple: int, number: int) -> int:
    return max(multiple, number // multiple * multiple)


def applier_threads(memory_mb: int) -> int:
    """How many write sets of other members a member applies at a time.

    8 below 2 GiB of memory, 16 from there on, and one for each GiB from 16 to
    32 GiB, where it ends. An applier waits for the disk most of the time, and
    takes little memory.

    Sources:

    - 16: measured with MariaDB 10.11, a flavor of 2 GiB and 2 cores (2 rounds
      each, in turns). 12 clients inserted single rows through two members
      while the third was cut off for 20 s: 789 and 891 writes/s with 2
      threads, 1,221 and 1,262 with 8, 1,306 and 1,335 with 16. The third was
      Synced again after 34 and 39 s, 17 and 15 s, 13 and 13 s. With 2 threads
      it applied more slowly than the others wrote. After an outage of 60 s
      it was not Synced within 120 s in one of two rounds; with 16 threads it
      was after 25 and 50 s (tests/benchmarks/settings).
    - 8: "Setting parallel replica threads" of the Galera documentation, which
      recommends to start with four for each core; flavors of less than 2 GiB
      seldom have more than 2 cores. Measured as above: 94 % of the writes of
      16 threads.
    - 32: the same rule for 8 cores. Measured on 2 cores: Synced after 21 and
      19 s, 0.93 to 1.19 times the inserts of 16 threads, and 0.97 times the
      updates of hot rows. Tables with few hot rows do not have as many write
      sets that can be applied in parallel (wsrep_cert_deps_distance).
    """
    if memory_mb < 2048:
        return 8
    return _within(16, memory_mb // 1024, 32)


def sizes(memory_mb: int, volume_gb: int) -> Sizes:
    """Sizes for a guest that also runs a Docker engine and an agent.

    The buffer pool gets 60 % of the remaining memory. The redo log gets 1/8
    of the pool, at most 1/16 of the volume and 512 MiB, because an SST by
    rsync copies it completely (measured: with 1152 MiB a join took 10 s
    instead of 4 s). The gcache gets at most 1/8 of the volume: a joiner that
    lacks older writes needs an SST, but the gcache takes space from the data
    (in galera issue 373 it filled the volume).
    """
    own_mb = max(memory_mb - _OTHERS_MB, memory_mb // 4, 64)
    pool_mb = own_mb * 6 // 10
    instances = _within(1, pool_mb // 1024, 8)
    pool_mb = (_down_to(128 * instances, pool_mb) if pool_mb >= 128
               else _down_to(16, pool_mb))
    volume_mb = volume_gb * 1024
    return Sizes(
        buffer_pool_mb=pool_mb,
        buffer_pool_instances=instances,
        redo_log_mb=_within(
            32, min(_down_to(16, pool_mb // 8), volume_mb // 16), 512),
        gcache_mb=_within(32, volume_mb // 8, 2048),
        max_connections=_within(64, memory_mb // 8, 4000),
        applier_threads=applier_threads(memory_mb),
        temporary_table_mb=_within(8, memory_mb // 128, 64),
        table_cache=_within(400, memory_mb // 2, 4000),
        small=memory_mb < 2048)


def server_id(instance_id: str) -> int:
    """The same in every process and at every start; never 0."""
    return zlib.crc32(instance_id.encode()) or 1


def _value(text: str) -> str:
    """The value for an option file, quoted if necessary.

    :raises ValueError: if it cannot be quoted. The text does not contain the
        value, which may be a secret.
    """
    if re.fullmatch(r'[A-Za-z0-9_./:@%+,*-]+', text):
        return text
    if not text.isprintable() or '"' in text:
        raise ValueError('a value with control characters or double quotes '
                         'cannot be written to a server option file')
    return '"' + text.replace('\\', '\\\\') + '"'


def _section(name: str, options: Iterable[tuple[str, str]]) -> str:
    lines = [f'[{name}]']
    lines += [f'{option} = {_value(value)}' if value else option
              for option, value in options]
    return '\n'.join(lines) + '\n'


def _redo_log(dialect: Dialect, own: Sizes) -> tuple[str, str]:
    variable, files = dialect.redo_log
    return variable, f'{own.redo_log_mb // files}M'


def server_config(dialect: Dialect, facts: MemberFacts, *,
                  data_dir: str = DATA_DIR, socket: str = SOCKET,
                  pid_file: str = PID_FILE,
                  include_dir: str = INCLUDE_DIR) -> str:
    """The text of /etc/mysql/my.cnf, without cluster options and secrets.

    log_error is not set: the log goes to stderr in every dialect, where
    `docker logs` reads it.
    """
    options = _server_options(dialect, facts, data_dir, socket, pid_file)
    client = [('port', str(SQL_PORT)), ('socket', socket)]
    return '\n'.join((_section('client', client),
                      _section('mysqld', options),
                      f'!includedir {include_dir}\n'))


def _server_options(dialect: Dialect, facts: MemberFacts, data_dir: str,
                    socket: str, pid_file: str) -> list[tuple[str, str]]:
    own = sizes(facts.memory_mb, facts.volume_gb)
    any_address = '::' if facts.ipv6 else '0.0.0.0'
    options = [
        ('port', str(SQL_PORT)),
        ('socket', socket),
        ('pid_file', pid_file),
        ('datadir', data_dir),
        ('bind_address', any_address),
        ('server_id', str(server_id(facts.instance_id))),
        ('skip_name_resolve', '1'),
        ('local_infile', '0'),
        ('max_allowed_packet', '64M'),
        ('max_connections', str(own.max_connections)),
        ('max_user_connections', str(own.max_connections - 8)),
        ('table_open_cache', str(own.table_cache)),
        ('table_definition_cache', str(own.table_cache)),
        ('key_buffer_size', '8M'),
        ('tmp_table_size', f'{own.temporary_table_mb}M'),
        ('max_heap_table_size', f'{own.temporary_table_mb}M'),
        ('default_storage_engine', 'InnoDB'),
        ('innodb_buffer_pool_size', f'{own.buffer_pool_mb}M'),
        _redo_log(dialect, own),
    ]
    if dialect.splits_buffer_pool:
        options.append(('innodb_buffer_pool_instances',
                        str(own.buffer_pool_instances)))
    if own.small:
        options.append(('performance_schema', '0'))
    options += dialect.settings
    options += [(name, value) for name, value in facts.defaults
                if not name.startswith(_OF_CLUSTER)]
    return options


def variables(dialect: Dialect, facts: MemberFacts,
              paths: Paths | None = None) -> frozenset[str]:
    """Names of the server's variables that a member's configuration sets.

    Some options have no variable in some servers.
    """
    options = [*_server_options(dialect, facts, DATA_DIR, SOCKET, PID_FILE),
               *_of_cluster(dialect, facts, '', paths)]
    return frozenset({'wsrep_sst_method'}.union(
        _AS_VARIABLE.get(name, name.removeprefix(_LOOSE))
        for name, _ in options))


def shown(known: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """The named variables of a server, without possible secrets.

    :param known: all variables of the server, by name.
    """
    wanted = {name.lower().replace('-', '_') for name in names}
    return {name: value for name, value in sorted(known.items())
            if name in wanted and not name.endswith(_SECRET)}


def provider_options(facts: MemberFacts,
                     paths: Paths | None = None) -> str:
    """The options of Galera that differ from its defaults.

    :param certificate: None if members do not encrypt their traffic, or if the
        server itself passes the certificate to Galera.
    """
    own = sizes(facts.memory_mb, facts.volume_gb)
    any_host = '[::]' if facts.ipv6 else '0.0.0.0'
    options = [
        f'gmcast.listen_addr=tcp://{any_host}:{GROUP_PORT}',
        f'gcache.size={own.gcache_mb}M',
        f'gcache.page_size={min(own.gcache_mb, 128)}M',
        'gcache.recover=yes',
    ]
    if paths is not None:
        options += [f'socket.ssl_ca={paths.trusted}',
                    f'socket.ssl_cert={paths.certificate}',
                    f'socket.ssl_key={paths.key}']
    return '; '.join(options)


def cluster_config(dialect: Dialect, facts: MemberFacts,
                   secrets: ClusterSecrets, provider: str,
                   paths: Paths | None = None,
                   encrypted_sst: bool = False) -> str:
    """The [mysqld] section that makes the server a member.

    It may contain the password of the SST user, so only the owner may read
    the file. It never bootstraps: it has the addresses of all members,
    including this one, and no file that a restart reads has an order to
    bootstrap.

    :param provider: path of Galera's library in the database image.
    :param certificate: the paths of the member's certificate; None if members
        do not encrypt their traffic.
    :param encrypted_sst: whether state transfers are encrypted as well.
    :raises UnsupportedVersion: if the dialect lacks facts.sst_method.
    """
    method = dialect.sst_method(facts.sst_method)
    options = [*_of_cluster(dialect, facts, provider, paths),
               ('wsrep_sst_method', method)]
    backup: list[tuple[str, str]] = []
    if method in dialect.sst_auth_methods:
        password = secrets.sst_password.reveal()
        if dialect.sst_auth_section == 'mysqld':
            options.append(('wsrep_sst_auth', f'{SST_USER}:{password}'))
        else:
            backup = [('user', SST_USER), ('password', password)]
    sections = [_section('mysqld', options)]
    if backup:
        sections.append(_section(dialect.sst_auth_section, backup))
    transfer = [*dialect.sst_options]
    if facts.ipv6:
        transfer += dialect.sst_ipv6
    if paths is not None and encrypted_sst:
        transfer += [(name, paths.filled_in(value))
                     for name, value in dialect.sst_encryption]
    if transfer:
        sections.append(_section('sst', transfer))
    return '\n'.join(sections)


def _of_cluster(dialect: Dialect, facts: MemberFacts, provider: str,
                paths: Paths | None) -> list[tuple[str, str]]:
    """The options of a member, without those of state transfers."""
    all_members = ','.join(addresses.as_host(address)
                           for _, address in facts.members)
    by_server = dialect.traffic_encryption_variable is not None
    options = [
        ('binlog_format', 'ROW'),
        ('innodb_autoinc_lock_mode', '2'),
        ('innodb_flush_log_at_trx_commit', '1'),
        ('wsrep_provider', provider),
        ('wsrep_provider_options', provider_options(
            facts, None if by_server else paths)),
        ('wsrep_cluster_name', facts.cluster_name),
        ('wsrep_cluster_address', f'gcomm://{all_members}'),
        ('wsrep_node_name', facts.member_name),
        ('wsrep_node_address', addresses.as_host(facts.member_address)),
        (dialect.applier_threads_variable,
         str(sizes(facts.memory_mb, facts.volume_gb).applier_threads)),
    ]
    if dialect.is_mariadb:
        options.insert(0, ('wsrep_on', 'ON'))
    if dialect.strict_mode_variable is not None:
        options.append((dialect.strict_mode_variable, 'ENFORCING'))
    options += [(name, value) for name, value in facts.defaults
                if name.startswith(_OF_CLUSTER)]
    if dialect.traffic_encryption_variable is not None:
        options.append((dialect.traffic_encryption_variable,
                        'OFF' if paths is None else 'ON'))
        if paths is not None:
            options += [('ssl_ca', paths.trusted),
                        ('ssl_cert', paths.certificate),
                        ('ssl_key', paths.key)]
    return options
