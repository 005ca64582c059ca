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

"""The commands "openstack database cluster ..." of this package.

Loaded by the openstack client through the entry points of
openstack.database.v1. This module parses arguments and formats results.
osc/requests sends the requests.
"""

import argparse
from collections.abc import Iterable
from typing import Any

from osc_lib.command import command
from osc_lib import utils

from trove_pxc.osc import progress
from trove_pxc.osc import requests

_CLUSTER_HELP = 'Name or ID of the cluster.'
_WAIT_SECONDS = 3600

Table = tuple[Iterable[str], Iterable[Any]]


class ListClusterMembers(command.Lister):
    """List the members of a cluster with their own reports.

    All members are asked now, at the same time. Role is the role of a member
    in the cluster: member, donor or backup (it serves), desynced, locked,
    read-only, rejecting or unreplicated (it does not serve in full), joiner or
    starting (wait), outside (of the primary component: it takes no writes),
    stopped, crashed, frozen, new, failed (it failed to join or leave), gone
    (its server was deleted), denied (its guest agent cannot log in),
    unreachable (its guest does not answer) or unknown. State is the state of
    Galera, and Detail has the reason. Status and Operating Status are what the
    guest last reported to Trove.
    """

    columns = ('ID', 'Name', 'Role', 'State', 'Address', 'Status',
               'Operating Status', 'Detail')

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help=_CLUSTER_HELP)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        database = self.app.client_manager.database
        cluster = requests.find_cluster(database, parsed_args.cluster)
        rows = requests.members(database, cluster)
        for row in rows:
            row['address'] = ', '.join(row.get('ip', []))
        return self.columns, [
            utils.get_dict_properties(row, self.columns) for row in rows]


class ShowClusterHealth(command.ShowOne):
    """Show the health of a cluster, its reason, and the next action.

    All members are asked now, at the same time. State is NEW, FAILED (it could
    not be created), HEALTHY (all members serve), DEGRADED (not all serve in
    full), RECOVERING (members are joining), NON_PRIMARY (servers run, but none
    serves), SPLIT (there are two primary components), DOWN (no server runs) or
    UNCERTAIN (the answers do not show the state). In a script, use -f value
    -c state.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help=_CLUSTER_HELP)
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> Table:
        database = self.app.client_manager.database
        cluster = requests.find_cluster(database, parsed_args.cluster)
        health = requests.health(database, cluster)
        # An older trove-api has only the old key.
        health.setdefault('summary', health.get('sentence', ''))
        columns = [column for column in (
            'state', 'summary', 'next_action', 'members', 'reachable',
            'certificates_expire') if column in health]
        return columns, [health[column] for column in columns]


class WaitForCluster(command.Command):
    """Wait until a cluster has no task, and print the progress meanwhile.

    For operations whose commands have no --wait option: create, grow and
    shrink. The command fails if the operation left a fault at a member, or if
    a member is in ERROR, and names the member. A later fault, such as one of a
    request for a single member, does not count.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help=_CLUSTER_HELP)
        parser.add_argument(
            '--timeout', metavar='<seconds>', type=int,
            default=_WAIT_SECONDS,
            help='Maximum time in seconds (default: %(default)s).')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        database = self.app.client_manager.database
        cluster = requests.find_cluster(database, parsed_args.cluster)
        progress.wait(database, cluster, parsed_args.timeout)


class _Action(command.Command):
    """Base of the commands that request an action."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help=_CLUSTER_HELP)
        self.add_arguments(parser)
        parser.add_argument(
            '--wait', action='store_true',
            help='Wait until the operation has ended, and print its progress '
                 'to the error output. The command fails if the operation '
                 'leaves a fault at a member. Older faults do not count.')
        parser.add_argument(
            '--wait-timeout', metavar='<seconds>', type=int,
            default=_WAIT_SECONDS,
            help='Maximum time of --wait in seconds (default: %(default)s). '
                 'The operation continues after it.')
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments that only one command has."""

    def act(self, parsed_args: argparse.Namespace, action: str,
            body: requests.Record, **members: str | None) -> None:
        """Request the action, and wait if --wait is given.

        :param members: names or IDs of members; the body has their IDs.
        """
        database = self.app.client_manager.database
        cluster = requests.find_cluster(database, parsed_args.cluster)
        named = {key: requests.find_member(cluster, name)['id']
                 for key, name in members.items() if name}
        before = (progress.faults_before(database, cluster)
                  if parsed_args.wait else None)
        requests.act(database, cluster, action, {**body, **named})
        if parsed_args.wait:
            progress.wait(database, cluster, parsed_args.wait_timeout, before)


class _Rolling(_Action):
    """Base of the commands that stop one member after another."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--member', metavar='<member>',
            help='Name or ID of a single member (default: all members, one '
                 'after another).')
        return parser

    def roll(self, parsed_args: argparse.Namespace, action: str,
             body: requests.Record) -> None:
        self.act(parsed_args, action, body, instance=parsed_args.member)


class ResizeClusterFlavor(_Rolling):
    """Change the flavor of the members of a cluster.

    One member after another is stopped, resized and started. Each is Synced
    before the next one is stopped. The cluster serves all the time, but
    connections to a member end when it is stopped. Members that already have
    the flavor do not change. "openstack database flavor list" shows the
    flavors.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('flavor', metavar='<flavor>',
                            help='ID or name of the new flavor.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        flavor = utils.find_resource(
            self.app.client_manager.database.flavors, parsed_args.flavor)
        self.roll(parsed_args, 'resize', {'flavorRef': str(flavor.id)})


class ResizeClusterVolume(_Rolling):
    """Enlarge the volumes of the members of a cluster.

    One member after another; each is Synced before the next one is stopped.
    The cluster serves all the time, but connections to a member end when it is
    stopped. A volume cannot be made smaller.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('size', metavar='<size>', type=int,
                            help='New size of each volume in GB.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.roll(parsed_args, 'resize',
                  {'volume': {'size': parsed_args.size}})


class RestartCluster(_Rolling):
    """Restart the servers of a cluster.

    One member after another; each is Synced before the next one is stopped.
    The cluster serves all the time, but connections to a member end when it is
    stopped. A member whose server is stopped is started.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.roll(parsed_args, 'restart', {})


class RecoverCluster(_Action):
    """Recover a cluster of which not all members serve.

    If a member serves, the others join it again. If none serves, the cluster
    is bootstrapped from the member with the latest data, if that is proven to
    be safe. Otherwise the recovery is refused with the reason and the next
    action.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--force', metavar='<member>',
            help='Name or ID of the member to bootstrap from, although other '
                 'members do not answer or have other data. Writes that only '
                 'they have are lost.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.act(parsed_args, 'recover', {}, force=parsed_args.force)


class RotateClusterCertificates(_Action):
    """Replace the certificate authority and all certificates of a cluster.

    All members are restarted in three rounds, one member after another: first
    they trust the new authority, then they use it, then they no longer trust
    the old one. So all members trust each other at any time, and the cluster
    serves all the time.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.act(parsed_args, 'rotate_certificates', {})
