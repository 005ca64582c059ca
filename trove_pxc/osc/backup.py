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

"""The commands "openstack database cluster backup ...".

Loaded by the openstack client. osc/requests sends the requests. Trove's own
commands show, list and delete the backups.
"""

import argparse
from collections.abc import Iterable
import datetime
from typing import Any

from osc_lib.command import command
from osc_lib import exceptions
from osc_lib import utils

from trove_pxc.osc import progress
from trove_pxc.osc import requests
from trove_pxc import waiting

_WAIT_SECONDS = 24 * 3600
_RUNNING = ('NEW', 'BUILDING')
_COMPLETE = 'COMPLETED'

Shown = tuple[Iterable[str], Iterable[Any]]


class CreateClusterBackup(command.ShowOne):
    """Make a backup of a cluster.

    One member makes it, while the cluster serves. It must be Synced, and at
    least one other member too. By default it is the last one of those, because
    clients mostly use the first ones. It is desynced meanwhile, so it does not
    slow down the writes on the others; "member list" shows it as "backup".

    A full backup has all data. An incremental one has what was changed since
    another one, its parent, and is made on the same member. It needs its
    parent for a restore, so the parent cannot be deleted before it.

    "openstack database backup show" has the state: NEW, BUILDING, COMPLETED or
    FAILED. The description has the progress, the result or the reason of a
    failure, after your own text. "openstack database backup delete" deletes a
    backup, and cancels one that runs.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help='Name or ID of the cluster.')
        parser.add_argument(
            '--name', metavar='<name>',
            help='Name of the backup (default: the name of the cluster and '
                 'the time of this machine, as products-20261201-103000).')
        parser.add_argument('--description', metavar='<text>',
                            help='Your own text about the backup.')
        parser.add_argument(
            '--incremental', action='store_true',
            help='Back up what was changed since the last complete backup of '
                 'the cluster. Without one, the backup is a full one.')
        parser.add_argument(
            '--parent', metavar='<backup>',
            help='Name or ID of another complete backup of the cluster, on '
                 'which an incremental one is to build.')
        parser.add_argument(
            '--member', metavar='<member>',
            help='Name or ID of the member that makes it.')
        parser.add_argument(
            '--swift-container', metavar='<container>',
            help='Container of the object store (default: that of the backup '
                 'strategy of the member or the project).')
        parser.add_argument(
            '--wait', action='store_true',
            help='Wait until the backup is complete, and print the progress '
                 'to the error output. The command fails if the backup '
                 'fails.')
        parser.add_argument(
            '--wait-timeout', metavar='<seconds>', type=int,
            default=_WAIT_SECONDS,
            help='Maximum time of --wait in seconds (default: %(default)s). '
                 'The backup continues after it.')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Shown:
        database = self.app.client_manager.database
        cluster = requests.find_cluster(database, parsed_args.cluster)
        made = requests.make_backup(
            database, cluster, _wanted(database, cluster, parsed_args))
        if parsed_args.wait:
            made = _wait(database, made, parsed_args.wait_timeout)
        columns = ('id', 'name', 'status', 'description', 'instance_id',
                   'parent_id', 'size', 'locationRef', 'created')
        return columns, [made.get(name) for name in columns]


class ListClusterBackups(command.Lister):
    """List the backups of all members of a cluster, the newest first.

    Backups of members that were removed are included. Size is that of the
    data in GB. The description has the progress, the result or the reason of
    a failure.
    """

    columns = ('ID', 'Name', 'Status', 'Created', 'Size', 'Parent ID',
               'Instance ID', 'Description')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help='Name or ID of the cluster.')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Shown:
        database = self.app.client_manager.database
        cluster = requests.find_cluster(database, parsed_args.cluster)
        return self.columns, [
            utils.get_dict_properties(row, self.columns)
            for row in requests.backups(database, cluster)]


def _wanted(database: requests.Database, cluster: requests.Cluster,
            arguments: argparse.Namespace) -> requests.Record:
    """The body of the request."""
    wanted: requests.Record = {
        'name': arguments.name or (
            f'{cluster.name}-{datetime.datetime.now():%Y%m%d-%H%M%S}'),
        'description': arguments.description,
        'swift_container': arguments.swift_container}
    if arguments.member:
        wanted['instance'] = requests.find_member(
            cluster, arguments.member)['id']
    if arguments.parent:
        wanted['parent_id'] = _find(
            requests.backups(database, cluster), cluster, arguments.parent)
    if arguments.incremental:
        wanted['incremental'] = 1
    return {name: value for name, value in wanted.items() if value}


def _find(backups: list[requests.Record], cluster: requests.Cluster,
          name_or_id: str) -> str:
    """The id of the only backup of a cluster with this name or id."""
    found = [one['id'] for one in backups
             if name_or_id in (one['id'], one['name'])]
    if len(found) != 1:
        raise exceptions.CommandError(
            f'{len(found)} backups of cluster {cluster.name} are named '
            f'{name_or_id}. "openstack database cluster backup list" shows '
            'their IDs.')
    return str(found[0])


def _wait(database: requests.Database, made: requests.Record,
          seconds: float) -> requests.Record:
    """Wait until a backup has ended; print its progress.

    :raises osc_lib.exceptions.CommandError: it failed, or was deleted.
    """
    told = progress.Progress()

    def probe() -> requests.Record:
        shown = requests.backup(database, made['id'])
        told.say(shown['name'], ' '.join(filter(None, (
            shown['status'], shown['description']))))
        if shown['status'] in _RUNNING:
            raise waiting.NotYet(shown['status'])
        return shown
    shown = waiting.until(f'the backup {made["id"]} to be complete', probe,
                          seconds, progress.POLL_SECONDS)
    if shown['status'] != _COMPLETE:
        raise exceptions.CommandError(
            f'The backup {shown["name"]} ({shown["id"]}) is '
            f'{shown["status"]}: {shown["description"]}')
    return shown
