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

"""The files of the start program, and its settings from the dialect's data.

The service uses it. It reads only files of this package.
"""

from importlib import resources
import shlex

from trove_pxc.galera import dialect as dialects
from trove_pxc.galera import serverlog
from trove_pxc.galera import workarounds
from trove_pxc.guestagent import paths

# Paths inside the container.
START_DIR = '/etc/trove-pxc'
ORDER_DIR = '/run/trove-pxc'
DEFAULTS_FILE = '/etc/mysql/my.cnf'
ZONEINFO_DIR = '/usr/share/zoneinfo'

PROGRAM = 'galera-start.sh'
SETTINGS = 'galera-start.conf'
ENTRYPOINT = ('/bin/sh', f'{START_DIR}/{PROGRAM}')
RECOVER = 'recover'
VERSION = 'version'

BOOTSTRAP = 'bootstrap'
FORM = 'form'
CONTINUE = 'continue'
RESTORED = 'restored'

# A server ends if InnoDB waits so long for one of its internal locks
# ("innodb_fatal_semaphore_wait_threshold" in the manuals of MariaDB and of
# Percona Server). The start program kills a server that hangs otherwise.
_STALL_SECONDS = 600

_SHELL = {
    'server': '$server',
    'basedir': '$basedir',
    'data_dir': '$DATA_DIR',
    'defaults_file': '$DEFAULTS_FILE',
    'sql_file': '$SQL_FILE',
}


def continuing(uuid: str, seqno: int) -> str:
    """The order to bootstrap from data that is at exactly this position."""
    return f'{CONTINUE} {uuid.lower()}:{seqno}'


def texts() -> dict[str, str]:
    """The files of the start program by name; the entry point is last."""
    folder = resources.files('trove_pxc.guestagent').joinpath('start')
    found = {file.name: file.read_text() for file in folder.iterdir()
             if file.name.endswith('.sh')}
    return {name: found[name] for name in sorted(
        found, key=lambda name: (name == PROGRAM, name))}


def settings(dialect: dialects.Dialect, where: paths.Paths) -> str:
    """What differs between servers, as shell variables; no secret."""
    values = {
        'SERVER_COMMANDS': ' '.join(dialect.server_commands),
        'PROVIDER_PATHS': ' '.join(dialect.provider_paths),
        'FORMATION_SST': dialect.formation_sst_method,
        'SST_METHODS': ' '.join(
            (*dialect.sst_methods, *dialect.sst_methods_with_tls)),
        'CAN_ENCRYPT': ' '.join(dialect.sst_methods_with_tls),
        'IDENTITY_DIR': where.certificate_dir,
        'NEEDS_BASEDIR': 'yes' if dialect.needs_basedir else '',
        'TIME_ZONE_COMMANDS': ' '.join(dialect.time_zone_commands),
        'ZONEINFO_DIR': ZONEINFO_DIR,
        'DEFAULTS_FILE': DEFAULTS_FILE,
        'INCLUDE_DIR': where.include_dir,
        'DATA_DIR': where.data_dir,
        'ORDER_DIR': ORDER_DIR,
        'TRANSFER_DIR': where.transfer_dir,
        'ROOM_KIB': str(paths.ROOM_BYTES >> 10),
        'LOG_ERROR': serverlog.ERROR,
        'LOG_POSITION': serverlog.POSITION,
        'LOG_PREPARED': serverlog.PREPARED,
        'PREPARED': dialect.prepared,
        'WORKAROUNDS': ' '.join(workarounds.names_for(dialect)),
        'SST_FOLDERS': ' '.join(dialect.sst_folders),
        'STALL_SECONDS': str(_STALL_SECONDS),
        'RECOVER_OPTIONS': ' '.join(dialect.recover_options),
    }
    lines = [f'{name}={shlex.quote(value)}'
             for name, value in values.items()]
    return '\n'.join([*lines, _sst_needs(dialect), _read_log_line(),
                      _initialise(dialect)]) + '\n'


def _sst_needs(dialect: dialects.Dialect) -> str:
    """A shell function that prints the programs that a method needs."""
    cases = [f"    {method}) echo '{' '.join(programs)}' ;;"
             for method, programs in dialect.sst_programs]
    return '\n'.join(['sst_needs() {', '    case $1 in', *cases,
                      '    esac', '}'])


def _read_log_line() -> str:
    """A shell function that sets $event for a line of the server's log."""
    quote = shlex.quote
    shut_down = [f'{quote(serverlog.SHUT_DOWN_BEGINS)}*',
                 *(f'*{quote(text)}' for text in serverlog.SHUT_DOWN_ENDS)]
    of_galera = [f'{quote(text)}*' for text in serverlog.OF_GALERA]
    events = [
        f"    {' | '.join(f'*{quote(text)}*' for text in texts)}) "
        f'event={kind} ;;' for kind, texts in serverlog.EVENTS]
    return '\n'.join([
        'read_log_line() {', '    event=', '    case $1 in',
        "    *'] '*) ;;", '    *) return ;;', '    esac',
        "    rest=${1#*'] '}", '    case $rest in',
        f"    {' | '.join(shut_down)})",
        f'        event={serverlog.Event.SHUT_DOWN}', '        return ;;',
        f"    {' | '.join(of_galera)}) ;;", '    *) return ;;', '    esac',
        f'    case $1 in *{quote(serverlog.WARNING)}*) return ;; esac',
        '    case $rest in', *events, '    esac', '}'])


def _initialise(dialect: dialects.Dialect) -> str:
    """A shell function that creates a database, without a network."""
    commands = [' '.join(_word(argument)
                         for argument in dialect.initialise_command)]
    if not any('{sql_file}' in argument
               for argument in dialect.initialise_command):
        commands.append('"$server" --defaults-file="$DEFAULTS_FILE" '
                        '${basedir_option:+"$basedir_option"} '
                        '--bootstrap < "$SQL_FILE"')
    return ('initialise_data_dir() {\n    '
            + ' &&\n    '.join(commands) + '\n}')


def _word(argument: str) -> str:
    """One argument, quoted, with shell variables for the fields."""
    quoted = shlex.quote(argument)
    for field, variable in _SHELL.items():
        quoted = quoted.replace(f'{{{field}}}', f"'\"{variable}\"'")
    return quoted
