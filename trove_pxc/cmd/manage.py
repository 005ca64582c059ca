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

"""trove-pxc-manage: registers datastore versions for clusters.

Other modules do not import it. It reads the connection of the database from
trove.conf, as trove-manage does.
"""

import argparse
from collections.abc import Callable
from collections.abc import Sequence
import pathlib
import sys
from typing import Protocol

from oslo_config import cfg
from oslo_db import exception as db_exceptions
from trove.common import cfg as trove_cfg
from trove.common import exception
from trove.db import get_db_api

from trove_pxc import conf
from trove_pxc.galera import errors
from trove_pxc import registration

CONF = trove_cfg.CONF
PROGRAM = 'trove-pxc-manage'

ADD = """\
Registers a datastore version for clusters: the datastore, if it does not
exist; the version with its guest manager and replication strategy; and the
validation rules of configuration groups. It prints what it has changed. When
it is repeated, it changes nothing. With another image, it changes the image
for new clusters and members.

It does the same as these three commands:

  trove-manage datastore_update DATASTORE ""
  trove-manage datastore_version_update DATASTORE NAME MANAGER IMAGE "" 1
      --version VERSION --registry-ext GUEST_MANAGER --repl-strategy STRATEGY
  trove-manage db_load_datastore_config_parameters DATASTORE NAME RULES
"""
EXAMPLES = """\
examples:
  Percona XtraDB Cluster 8.0, with a guest image in Glance:

    {program} datastore add --manager pxc --version 8.0 --image IMAGE_ID

  MariaDB 10.11, as the default version, with the newest image that has these
  tags:

    {program} datastore add --manager mariadb --version 10.11 \\
        --image-tags trove,mariadb --default

  A version with the name "stable" whose database image has the tag 8.0.43:

    {program} datastore add --manager pxc --version 8.0.43 --name stable \\
        --image IMAGE_ID
""".format(program=PROGRAM)


class Options(Protocol):
    """The arguments of add_arguments()."""

    manager: str
    number: str
    image: str | None
    image_tags: str | None
    datastore: str | None
    version_name: str | None
    rules: pathlib.Path | None
    default: bool
    inactive: bool


class Commands(Protocol):
    """The subparsers of oslo.config, to add commands."""

    def add_parser(self, name: str, *,
                   help: str) -> argparse.ArgumentParser:
        """Add a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 for success, 1 for a failure, with the reason on stderr."""
    CONF.register_cli_opt(cfg.SubCommandOpt(
        'command', handler=_add_parsers, title='commands',
        help='the command'))
    CONF(list(sys.argv[1:] if argv is None else argv), project='trove',
         prog=PROGRAM)
    conf.register(CONF)
    return run(CONF.command.action, CONF.command)


def run(action: Callable[[Options], int], options: Options) -> int:
    """Run the command; print the reason to stderr if it fails."""
    try:
        return action(options)
    except db_exceptions.DBError as error:
        cause = getattr(error.inner_exception, 'orig', type(error).__name__)
        return _fail(f'the database of [database] connection: {cause}')
    except OSError as error:
        return _fail(f'{error.filename}: {error.strerror}')
    except (errors.UnsupportedVersion, registration.NoRules,
            exception.TroveError) as error:
        return _fail(str(error))


def _add_parsers(commands: Commands) -> None:
    group = commands.add_parser(
        'datastore', help='datastores and their versions')
    inner = group.add_subparsers(metavar='COMMAND', required=True)
    parser = inner.add_parser(
        'add', help='register a version for clusters', description=ADD,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.set_defaults(action=add)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of "datastore add"."""
    parser.add_argument(
        '--manager', required=True,
        choices=sorted(registration.GUEST_MANAGERS),
        help='pxc for Percona XtraDB Cluster, mariadb for MariaDB')
    parser.add_argument(
        '--version', required=True, dest='number',
        help='the version number, which is the tag of the database image, '
             'such as 8.0 or 10.11.19')
    image = parser.add_mutually_exclusive_group(required=True)
    image.add_argument('--image', metavar='IMAGE_ID',
                       help='the guest image in Glance')
    image.add_argument(
        '--image-tags', metavar='TAG,TAG',
        help='tags in Glance; the newest image that has all of them is used')
    parser.add_argument(
        '--datastore', metavar='NAME',
        help='name of the datastore (default: the manager)')
    parser.add_argument(
        '--name', dest='version_name',
        help='name of the version (default: the version number)')
    parser.add_argument(
        '--rules', metavar='FILE', type=pathlib.Path,
        help="file of validation rules of configuration groups (default: "
             "Trove's rules for the manager)")
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        '--default', action='store_true',
        help='make it the default version of the datastore')
    state.add_argument(
        '--inactive', action='store_true',
        help='do not allow new instances and clusters of it')


def add(options: Options) -> int:
    """Register a version and print the changes."""
    wanted = registration.Registration(
        manager=options.manager,
        datastore=options.datastore or options.manager,
        name=options.version_name or options.number, version=options.number,
        image_id=options.image, image_tags=options.image_tags,
        rules=options.rules or registration.troves_rules(options.manager),
        active=not options.inactive, is_default=options.default)
    get_db_api().configure_db()
    changes = registration.register(wanted)
    for change in changes:
        print(change)
    if not changes:
        print(f'datastore version {wanted.datastore} {wanted.name} is '
              'already registered with these values')
    return 0


def _fail(reason: str) -> int:
    print(f'{PROGRAM}: {reason}', file=sys.stderr)
    return 1
