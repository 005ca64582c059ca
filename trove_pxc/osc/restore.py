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

"""The command "openstack database cluster restore".

Loaded by the openstack client. osc/requests sends the requests.
"""

import argparse
from collections.abc import Iterable
from typing import Any

from osc_lib.command import command
from osc_lib import exceptions
from osc_lib import utils

from trove_pxc.osc import progress
from trove_pxc.osc import requests

_WAIT_SECONDS = 24 * 3600
_USUAL_SIZE = 3

Shown = tuple[Iterable[str], Iterable[Any]]


class RestoreCluster(command.ShowOne):
    """Create a new cluster with the data of a backup.

    The first member restores the backup, with all backups on which it builds.
    The others join it and get a copy. Users, their passwords and grants are
    those of the backup. The backup and the cluster that it was made of do not
    change; that cluster may have been deleted.

    By default, the new cluster has as many members as the cluster of the
    backup, with the same flavor and volumes, if that cluster still exists.
    Otherwise name the flavor and the size of the volumes. The server must be
    of the same series as that of the backup (10.11, 8.0); its minor version
    may be another one.

    "openstack database cluster show" shows the progress, and --wait prints it.
    If the restore fails, the fault of the first member has the reason; delete
    the new cluster then.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument(
            'backup', metavar='<backup>',
            help='Name or ID of the backup ("openstack database backup '
                 'list").')
        parser.add_argument(
            '--name', metavar='<name>', required=True,
            help='Name of the new cluster.')
        parser.add_argument(
            '--size', metavar='<number>', type=int,
            help='Number of members (default: that of the cluster of the '
                 f'backup; {_USUAL_SIZE} if it does not exist any more).')
        parser.add_argument(
            '--flavor', metavar='<flavor>',
            help='ID or name of the flavor of each member (default: that of '
                 'the cluster of the backup).')
        parser.add_argument(
            '--volume', metavar='<size>', type=int,
            help='Size of each volume in GB (default: that of the cluster of '
                 'the backup). The data, the largest incremental backup and '
                 'the files of the server must fit.')
        parser.add_argument('--volume-type', metavar='<type>',
                            help='Type of each volume.')
        parser.add_argument(
            '--network', metavar='<network-id>',
            help='ID of the network of the members (default: the only '
                 'network of the project).')
        parser.add_argument(
            '--datastore-version', metavar='<version>',
            help='Name or ID of the datastore version (default: that of the '
                 'backup).')
        parser.add_argument(
            '--locality', metavar='<policy>',
            choices=['affinity', 'anti-affinity'],
            help='Whether members share a host: %(choices)s.')
        parser.add_argument(
            '--configuration', metavar='<group-id>',
            help='ID of a configuration group for the new cluster.')
        parser.add_argument(
            '--wait', action='store_true',
            help='Wait until the cluster is complete, and print the progress '
                 'to the error output. The command fails if the restore '
                 'fails.')
        parser.add_argument(
            '--wait-timeout', metavar='<seconds>', type=int,
            default=_WAIT_SECONDS,
            help='Maximum time of --wait in seconds (default: %(default)s). '
                 'The restore continues after it.')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Shown:
        database = self.app.client_manager.database
        backup = utils.find_resource(
            database.backups, parsed_args.backup).to_dict()
        cluster = database.clusters.create(
            parsed_args.name, backup['datastore']['type'],
            parsed_args.datastore_version or backup['datastore']['version'],
            instances=_instances(database, backup, parsed_args),
            locality=parsed_args.locality,
            extended_properties={'backup': backup['id']},
            configuration=parsed_args.configuration)
        if parsed_args.wait:
            progress.wait(database, cluster, parsed_args.wait_timeout)
        shown = requests.show(database, cluster)
        return ('id', 'name', 'backup', 'task_name', 'task_description',
                'members'), (
                    shown['id'], shown['name'], backup['id'],
                    shown['task']['name'], shown['task']['description'],
                    len(shown['instances']))


def _instances(database: requests.Database, backup: requests.Record,
               arguments: argparse.Namespace) -> list[requests.Record]:
    """The members of the request, like those of the backup's cluster.

    :raises osc_lib.exceptions.CommandError: with the options that are missing.
    """
    flavor = arguments.flavor and str(utils.find_resource(
        database.flavors, arguments.flavor).id)
    number, volume = arguments.size, arguments.volume
    if not (flavor and volume and number):
        source = requests.cluster_of(database, backup['instance_id'])
        there = source['instances'] if source else []
        number = number or len(there) or _USUAL_SIZE
        if there:
            flavor = flavor or str(there[0]['flavor']['id'])
            volume = volume or there[0].get('volume', {}).get('size')
        elif not (flavor and volume):
            raise exceptions.CommandError(
                'The cluster of the backup does not exist any more, so its '
                'flavor and its volumes are not known. Name both with '
                '--flavor and --volume.')
    member: requests.Record = {'flavorRef': flavor}
    if volume:
        member['volume'] = {'size': volume}
        if arguments.volume_type:
            member['volume']['type'] = arguments.volume_type
    if arguments.network:
        member['nics'] = [{'net-id': arguments.network}]
    return [dict(member) for _ in range(number)]
