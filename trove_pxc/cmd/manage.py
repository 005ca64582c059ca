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

"""trove-pxc-manage: registers what clusters are made of.

Nothing of ours imports it. It reads trove.conf for the database, as
trove-manage does.
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
Registers a datastore version from which clusters can be made: the datastore,
if it is not there yet; the version with the guest manager and the replication
strategy that belong to it; and the rules by which Trove judges configuration
groups. It says what it has changed. Run again, it changes nothing; run with
another image, it changes the image, for clusters and members to come.

It does what these three do:

  trove-manage datastore_update DATASTORE ""
  trove-manage datastore_version_update DATASTORE NAME MANAGER IMAGE "" 1
      --version VERSION --registry-ext GUEST_MANAGER --repl-strategy STRATEGY
  trove-manage db_load_datastore_config_parameters DATASTORE NAME RULES
"""
EXAMPLES = """\
examples:
  Percona XtraDB Cluster 8.0, its guest image being in Glance already:

    {program} datastore add --manager pxc --version 8.0 --image IMAGE_ID

  MariaDB 10.11, for users who name no version as well; the newest image with
  these tags is taken:

    {program} datastore add --manager mariadb --version 10.11 \\
        --image-tags trove,mariadb --default

  A version with the name "stable" whose database image has the tag 8.0.43:

    {program} datastore add --manager pxc --version 8.0.43 --name stable \\
        --image IMAGE_ID
""".format(program=PROGRAM)


class Options(Protocol):
    """What add_arguments() names."""

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
    """What oslo.config has the commands added to."""

    def add_parser(self, name: str, *,
                   help: str) -> argparse.ArgumentParser:
        """Add a command."""


def main(argv: Sequence[str] | None = None) -> int:
    """0 if it is so now, 1 with the reason on stderr if it is not."""
    CONF.register_cli_opt(cfg.SubCommandOpt(
        'command', handler=_add_parsers, title='commands',
        help='what to do'))
    CONF(list(sys.argv[1:] if argv is None else argv), project='trove',
         prog=PROGRAM)
    conf.register(CONF)
    return run(CONF.command.action, CONF.command)


def run(action: Callable[[Options], int], options: Options) -> int:
    """Do it; the reason goes to stderr if it cannot be done."""
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
    """The words after "datastore add"."""
    parser.add_argument(
        '--manager', required=True,
        choices=sorted(registration.GUEST_MANAGERS),
        help='pxc for Percona XtraDB Cluster, mariadb for MariaDB')
    parser.add_argument(
        '--version', required=True, dest='number',
        help='the number: the tag of the database image, as 8.0 or 10.11.19')
    image = parser.add_mutually_exclusive_group(required=True)
    image.add_argument('--image', metavar='IMAGE_ID',
                       help='the guest image in Glance')
    image.add_argument(
        '--image-tags', metavar='TAG,TAG',
        help='tags in Glance; the newest image that has all is taken')
    parser.add_argument(
        '--datastore', metavar='NAME',
        help='how users name the datastore; the manager if left out')
    parser.add_argument(
        '--name', dest='version_name',
        help='how users name the version; the number if left out')
    parser.add_argument(
        '--rules', metavar='FILE', type=pathlib.Path,
        help="validation rules of configuration groups; Trove's own for the "
             'manager if left out')
    state = parser.add_mutually_exclusive_group()
    state.add_argument(
        '--default', action='store_true',
        help='for users who name no version, too')
    state.add_argument(
        '--inactive', action='store_true',
        help='nothing can be created from it')


def add(options: Options) -> int:
    """Register a version and tell what was changed."""
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
              'registered so already')
    return 0


def _fail(reason: str) -> int:
    print(f'{PROGRAM}: {reason}', file=sys.stderr)
    return 1
