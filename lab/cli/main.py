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
"""The parser of all commands, and the form of their errors.

Imported by ``lab.__main__``.
"""

import argparse
from collections.abc import Sequence
import os
import sys

from lab.cli import client
from lab.cli import cloud
from lab.cli import command
from lab.cli import database
from lab.cli import datastore
from lab.cli import guest
from lab.cli import image
from lab.cli import lifecycle
from lab.cli import service
from lab.cli import state
from lab.cli import swift
from lab import errors
from lab import home as lab_home
from lab import place

DESCRIPTION = """\
OpenStack Trove and its guests on this machine: real Trove services, RabbitMQ
and MariaDB, and a small cloud whose servers are namespaces with their own
network, disk and Docker engine. Start with "lab demo".
"""
EPILOG = """\
environment:
  LAB_HOME      the folder of the lab (default {root})
  LAB_API_PORT  the port of Trove's API on 127.0.0.1 (default {port})
  LAB_KEYSTONE_PORT  the port of Keystone (default: LAB_API_PORT plus 1000)

MEMBER is a name like products-2, an instance ID or an address; "lab status"
shows them. Each command has a --help.
"""
GROUPS = (lifecycle, client, state, database, guest, cloud, swift,
          service, datastore, image)


def main(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    # Guests read files of the lab, whatever the umask of the shell is.
    os.umask(0o022)
    try:
        return _run(arguments)
    except errors.LabError as error:
        print(f'lab: {error}', file=sys.stderr)
        return 1
    except PermissionError as error:
        if os.geteuid() == 0:
            raise
        print(f'lab: {error}; run it as root', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('lab: interrupted; "lab up" continues, "lab down" cleans up',
              file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _run(arguments: Sequence[str]) -> int:
    for_openstack = client.for_the_client(arguments)
    if for_openstack is not None:
        return client.openstack(_home(), for_openstack)
    options = parser().parse_args(arguments)
    if options.needs_root and os.geteuid() != 0:
        raise errors.LabError(
            'only root can access the namespaces, processes and files of a '
            'lab: run the command as root')
    return int(options.run(_home(), options))


def _home() -> lab_home.Home:
    home = lab_home.Home.from_environment()
    place.check(home)
    return home


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog='lab', description=DESCRIPTION,
        epilog=EPILOG.format(root=lab_home.DEFAULT_ROOT,
                             port=lab_home.DEFAULT_API_PORT),
        formatter_class=command.Formatter)
    commands = top.add_subparsers(
        title='commands', metavar='COMMAND', required=True)
    for group in GROUPS:
        group.register(commands)
    return top
