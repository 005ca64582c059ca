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

"""The class Dialect: the properties of one server series.

Pure. Other modules get dialects from dialect.py; catalogue.py has the series
themselves.
"""

from collections.abc import Collection
import dataclasses
import re

from trove_pxc.galera import errors

#: Suffix of the name of an encrypted SST method.
TLS = '+tls'

_NUMBERS = re.compile(r'(\d+)\.(\d+)(?:\.(\d+))?')
# --version begins with the path of the server, which may contain numbers.
_BEFORE_VERSION = re.compile(r'.*\bVer\s', re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class Dialect:
    """The programs, options and SQL of one server series.

    :ivar version: the series, for example (10, 11).
    :ivar server_commands: names of the server's program, best first.
    :ivar initialise_command: the arguments of the command that initialises
        a database in an empty data directory. The guest replaces
        '{server}', '{basedir}', '{data_dir}', '{defaults_file}' and
        '{sql_file}'. Without '{sql_file}', the server runs the statements
        with --bootstrap afterwards.
    :ivar initial_cleaning: the first statements: they make account
        statements possible, and remove the accounts without a password that
        the initialisation creates.
    :ivar needs_basedir: whether the server needs its base directory as an
        option: it finds its messages and SST scripts by a path that was
        compiled in.
    :ivar provider_paths: possible paths of Galera's library, best first,
        with shell patterns for builds from source.
    :ivar applier_threads_variable: its name in this series.
    :ivar redo_log: the variable that sizes the redo log, and how many
        files of that size there are.
    :ivar splits_buffer_pool: whether the pool has instances, and its size
        is a multiple of 128 MiB for each.
    :ivar sst_methods: the methods that can be configured.
    :ivar default_sst_method: the best method for a cluster with clients.
    :ivar formation_sst_method: the fastest method for a cluster that is
        still empty and has no clients.
    :ivar sst_programs: the programs that each method needs in the image;
        'lsof|ss' means one of them. A method that can be encrypted has a
        second entry, for example 'rsync+tls'.
    :ivar sst_folders: folders in the data directory that the joiner's script
        creates before it removes any data for a full SST, and removes when
        the new data is complete. () if it is unknown whether there is one,
        or if no other file proves that the data is complete.
    :ivar sst_auth_methods: the methods that need an SST user.
    :ivar sst_auth_section: the section for its name and password: 'mysqld'
        as wsrep_sst_auth, or 'xtrabackup' as options of the backup.
    :ivar sst_user_grants: the global privileges of that user.
    :ivar strict_mode_variable: None if the series has none.
    :ivar traffic_encryption_variable: the variable that encrypts all traffic
        between members with the server's ssl_ca, ssl_cert and ssl_key; None
        if Galera's library and the SST scripts have separate options.
    :ivar sst_options: options of the [sst] section that are always set.
    :ivar sst_encryption: the options of the [sst] section that encrypt a
        state transfer and authenticate both ends; '{ca}', '{cert}', '{key}'
        and '{pair}' are replaced by the paths of the files.
    :ivar knows_alter_user: whether ALTER USER sets passwords and
        IF [NOT] EXISTS is known for users.
    :ivar collation: the server's default collation of utf8mb4.
    :ivar time_zone_commands: names of the program that converts time zone
        files to SQL, best first.
    :ivar grant_makes_accounts: whether GRANT creates a missing account
        without a password, unless the sql_mode forbids it ("Changes in MySQL
        8.0.11").
    :ivar longest_user: the maximum length of a user name, in characters.
    :ivar longest_host: the maximum length of a host, in characters.
    :ivar prepared: the value of --tc-heuristic-recover for transactions that
        a killed server had prepared, if it has no binary log and refuses to
        start because of them; '' for none. See catalogue.ROLLBACK.
    :ivar recover_options: options that --wsrep-recover needs to print the
        position.
    :ivar settings: additional options of the [mysqld] section; an option
        with an empty value has no value in the file.
    :ivar removed_options: options that prevent the start of the server.
    :ivar minimum_safe_version: older servers of the series are refused.
    :ivar minimum_reason: the reason, as the end of a sentence.
    :ivar sst_ipv6: additional options of the [sst] section if members use
        IPv6.
    :ivar takes_ipv6: whether members can use IPv6.
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
        """The methods that can be encrypted, for example 'rsync+tls'."""
        return tuple(method for method, _ in self.sst_programs
                     if method.endswith(TLS))

    def can_encrypt(self, method: str,
                    in_image: Collection[str] | None = None) -> bool:
        """Whether a state transfer by this method can be encrypted.

        :param in_image: the methods whose programs the database image
            contains; None if unknown.
        """
        return method + TLS in (
            self.sst_methods_with_tls if in_image is None else in_image)

    def sst_method(self, wanted: str | None,
                   in_image: Collection[str] | None = None,
                   encrypted: bool = False) -> str:
        """The wanted method if this series has it, or the default.

        :param in_image: the methods whose programs the database image
            contains; None if unknown.
        :param encrypted: whether to prefer a method that can be encrypted.
        :raises UnsupportedVersion: with the available methods.
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
                f'{", ".join(sorted(set(there))) or "none"}. Provide an '
                'image with them, or change sst_method.')
        if wanted not in self.sst_methods:
            raise errors.UnsupportedVersion(
                f'{self.name} has no SST method {wanted!r}. Set sst_method '
                f'to one of {", ".join(self.sst_methods)}, or omit it.')
        return wanted

    def refusal(self, server_version: str) -> str | None:
        """Why this server does not match this dialect, or None.

        :param server_version: the output of --version, or the result of
            SELECT VERSION().
        """
        version = parse_version(server_version)
        if version is None:
            return (f'The server reports {server_version.strip()!r}, which '
                    f'has no version number; {self.name} was expected. '
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
    """The version with dots between its numbers."""
    return '.'.join(str(number) for number in version)


def parse_version(text: str) -> tuple[int, ...] | None:
    """The first version number, after "Ver" if the text has it."""
    found = _NUMBERS.search(_BEFORE_VERSION.sub('', text))
    if found is None:
        return None
    return tuple(int(number) for number in found.groups()
                 if number is not None)
