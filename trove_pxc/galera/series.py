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

"""One server series: what its Dialect is made of.

Pure. dialect.py hands dialects out to everybody else; catalogue.py holds
the series themselves.
"""

from collections.abc import Collection
import dataclasses
import re

from trove_pxc.galera import errors

#: follows the name of an SST method that is encrypted
TLS = '+tls'

_NUMBERS = re.compile(r'(\d+)\.(\d+)(?:\.(\d+))?')
# --version begins with the server's path, which may hold numbers as well.
_BEFORE_VERSION = re.compile(r'.*\bVer\s', re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Dialect:
    """One server series: its programs, its words, its habits.

    :ivar version: the series, for example (10, 11).
    :ivar server_commands: names of the server's program, best first.
    :ivar initialise_command: makes an empty data directory a database, as
        an argument list; '{server}', '{basedir}', '{data_dir}',
        '{defaults_file}' and '{sql_file}' stand for what the guest finds.
        Where it takes no '{sql_file}', the statements are fed to the
        server's --bootstrap afterwards.
    :ivar initial_cleaning: statements that come before all others: what
        makes account statements work at that moment, and what removes the
        accounts that the initialisation leaves open.
    :ivar needs_basedir: whether the server must be told where it lies:
        it finds its messages and SST scripts by a path that was compiled
        in.
    :ivar provider_paths: where Galera's library may lie, best first; the
        shell's patterns for places that only its builder knows.
    :ivar applier_threads_variable: its name in this series.
    :ivar redo_log: the variable that sizes the redo log, and how many
        files of that size there are.
    :ivar splits_buffer_pool: whether the pool has instances, and its size
        is a multiple of 128 MiB for each.
    :ivar sst_methods: those that may be configured.
    :ivar default_sst_method: the best for a cluster that serves.
    :ivar formation_sst_method: the quickest that is right while the
        cluster is still empty and serves nobody.
    :ivar sst_programs: what each method needs in the image: names of
        programs, or of several that serve alike, 'lsof|ss'. A method that
        can be encrypted stands there a second time, as 'rsync+tls'.
    :ivar sst_folders: in the data directory, made by the joiner's script
        before it removes any data for a full SST, and removed when the new
        data is in place. () where it is not known whether there is one, or
        where nothing else tells that the data is whole.
    :ivar sst_auth_methods: those that need an SST user.
    :ivar sst_auth_section: where its name and password stand: 'mysqld' as
        wsrep_sst_auth, or 'xtrabackup' as the backup's own options.
    :ivar sst_user_grants: what that user needs, globally.
    :ivar strict_mode_variable: None where the series has none.
    :ivar traffic_encryption_variable: what switches the encryption of all
        traffic between members with the server's own ssl_ca, ssl_cert and
        ssl_key; None where Galera's library and the SST scripts have
        options of their own for it.
    :ivar sst_options: what stands in the [sst] section in any case.
    :ivar sst_encryption: the options of the [sst] section that make a
        state transfer encrypted, both ends proving who they are; '{ca}',
        '{cert}', '{key}' and '{pair}' stand for the files' paths.
    :ivar knows_alter_user: whether ALTER USER sets passwords and
        IF [NOT] EXISTS is known for users.
    :ivar collation: the server's own for utf8mb4.
    :ivar time_zone_commands: names of the program that turns the files of
        the time zones into SQL, best first.
    :ivar grant_makes_accounts: whether GRANT makes an account that is not
        there, without a password, unless the sql_mode forbids it ("Changes
        in MySQL 8.0.11").
    :ivar longest_user: characters that the name of a user may have.
    :ivar longest_host: characters that the host of a user may have.
    :ivar prepared: what is done with transactions that a server that was
        killed had prepared, where it keeps no binary log and refuses to
        start because of them: the value of its --tc-heuristic-recover; ''
        for nothing. See catalogue.ROLLBACK.
    :ivar recover_options: what --wsrep-recover needs besides, to tell the
        position.
    :ivar settings: options of the [mysqld] section that this series wants
        beside the common ones; an empty value stands for a bare option.
    :ivar removed_options: options that keep the server from starting.
    :ivar minimum_safe_version: older servers of the series are refused.
    :ivar minimum_reason: why, as the end of a sentence.
    :ivar sst_ipv6: what stands in the [sst] section besides, where members
        use IPv6.
    :ivar takes_ipv6: whether members can use IPv6 at all.
    """

    name: str
    manager: str
    version: tuple[int, int]
    server_commands: tuple[str, ...]
    initialise_command: tuple[str, ...]
    initial_cleaning: tuple[str, ...]
    needs_basedir: bool
    provider_paths: tuple[str, ...]
    applier_threads_variable: str
    redo_log: tuple[str, int]
    splits_buffer_pool: bool
    sst_methods: tuple[str, ...]
    default_sst_method: str
    formation_sst_method: str
    sst_programs: tuple[tuple[str, tuple[str, ...]], ...]
    sst_folders: tuple[str, ...]
    sst_auth_methods: tuple[str, ...]
    sst_auth_section: str
    sst_user_grants: tuple[str, ...]
    strict_mode_variable: str | None
    traffic_encryption_variable: str | None
    sst_options: tuple[tuple[str, str], ...]
    sst_encryption: tuple[tuple[str, str], ...]
    knows_alter_user: bool
    collation: str
    time_zone_commands: tuple[str, ...]
    grant_makes_accounts: bool
    longest_user: int
    longest_host: int
    prepared: str
    recover_options: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    removed_options: frozenset[str]
    minimum_safe_version: tuple[int, int, int] | None = None
    minimum_reason: str = ''
    sst_ipv6: tuple[tuple[str, str], ...] = ()
    takes_ipv6: bool = True

    @property
    def is_mariadb(self) -> bool:
        return self.manager == 'mariadb'

    @property
    def sst_methods_with_tls(self) -> tuple[str, ...]:
        """Those that can be encrypted, as the others: 'rsync+tls'."""
        return tuple(method for method, _ in self.sst_programs
                     if method.endswith(TLS))

    def can_encrypt(self, method: str,
                    in_image: Collection[str] | None = None) -> bool:
        """Whether a state transfer by this method can be encrypted.

        :param in_image: the methods whose programs the database image
            holds, where that is known.
        """
        return method + TLS in (
            self.sst_methods_with_tls if in_image is None else in_image)

    def sst_method(self, wanted: str | None,
                   in_image: Collection[str] | None = None,
                   encrypted: bool = False) -> str:
        """The wanted method if this series has it, or its default.

        :param in_image: the methods whose programs the database image
            holds, where that is known.
        :param encrypted: whether one that can be encrypted comes before
            one that cannot.
        :raises UnsupportedVersion: naming the methods that there are.
        """
        there = [method for method in (
            self.default_sst_method, *self.sst_methods)
            if in_image is None or method in in_image]
        if encrypted:
            there.sort(key=lambda method: not self.can_encrypt(
                method, in_image))
        if not wanted and there:
            return there[0]
        if in_image is not None and wanted in self.sst_methods:
            if wanted in there:
                return wanted
            raise errors.UnsupportedVersion(
                f'The database image lacks the programs that the SST method '
                f'{wanted!r} needs; it has them for '
                f'{", ".join(sorted(set(there))) or "none"}. Bring an image '
                'with them, or change sst_method.')
        if wanted not in self.sst_methods:
            raise errors.UnsupportedVersion(
                f'{self.name} has no SST method {wanted!r}. Set sst_method '
                f'to one of {", ".join(self.sst_methods)}, or leave it out.')
        return wanted

    def refusal(self, server_version: str) -> str | None:
        """Why this server must not run as this dialect, or None.

        :param server_version: what the server says of itself: the output
            of --version, or SELECT VERSION().
        """
        version = parse_version(server_version)
        if version is None:
            return (f'The server says it is {server_version.strip()!r}, '
                    f'which names no version; {self.name} was expected. '
                    'Check the database image of this datastore version.')
        if version[:2] != self.version:
            return (f'The database image holds version '
                    f'{dotted(version)}, but the datastore version needs '
                    f'{self.name}. Register the image under its own '
                    'version, or correct docker_image.')
        return self.too_old(version)

    def too_old(self, version: tuple[int, ...]) -> str | None:
        """Why a server of this series is too old to be used, or None."""
        least = self.minimum_safe_version
        if least is None or len(version) < 3 or version[:3] >= least:
            return None
        return (f'{self.name} older than {dotted(least)} is refused, and '
                f'this is {dotted(version)}: {self.minimum_reason}. Use a '
                'newer database image.')


def dotted(version: tuple[int, ...]) -> str:
    """The version as people write it."""
    return '.'.join(str(number) for number in version)


def parse_version(text: str) -> tuple[int, ...] | None:
    """The first version number, after Ver if that is there."""
    found = _NUMBERS.search(_BEFORE_VERSION.sub('', text))
    if found is None:
        return None
    return tuple(int(number) for number in found.groups()
                 if number is not None)
