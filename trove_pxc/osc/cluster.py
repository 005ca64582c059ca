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
openstack.database.v1. Each is parsed and shown here; requests asks.
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
    """List the members of a cluster as they see themselves.

    All members are asked now, at the same time. Role is what a member is to
    the cluster: member or donor (it serves), desynced, locked, read-only,
    rejecting or unreplicated (it does not serve in full), joiner or starting
    (wait), outside (of the primary component: it takes no writes), stopped,
    crashed, frozen, new, failed (it did not come in or go), gone (its server
    was deleted), denied (its agent cannot log in), unreachable (its guest
    gives no answer) or unknown. State is the one of Galera, Detail says why.
    Status and Operating Status are what Trove was last told.
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
    """Show the state of a cluster, why, and what to do next.

    All members are asked now, at the same time. State is NEW, FAILED (it
    could not be built), HEALTHY (all serve), DEGRADED (not all serve in
    full), RECOVERING (members are on their way back),
    NON_PRIMARY (servers run, none serves), SPLIT (two parts both serve),
    DOWN (no server runs) or UNCERTAIN (those that answer cannot tell).
    For a script: -f value -c state.
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
        # An older trove-api has it under the other key alone.
        health.setdefault('summary', health.get('sentence', ''))
        columns = [column for column in (
            'state', 'summary', 'next_action', 'members', 'reachable',
            'certificates_expire') if column in health]
        return columns, [health[column] for column in columns]


class WaitForCluster(command.Command):
    """Wait until a cluster has no task, and tell its progress meanwhile.

    For what the client asks for without a --wait of its own: create, grow,
    shrink. The command fails if the operation has left a fault at a member,
    or if a member is in ERROR, and names it. A fault that came after the
    operation, as that of a request for one member, does not count.
    """

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help=_CLUSTER_HELP)
        parser.add_argument(
            '--timeout', metavar='<seconds>', type=int,
            default=_WAIT_SECONDS,
            help='Seconds that it lasts at most (default: %(default)s).')
        return parser

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        database = self.app.client_manager.database
        cluster = requests.find_cluster(database, parsed_args.cluster)
        progress.wait(database, cluster, parsed_args.timeout)


class _Action(command.Command):
    """What the commands that ask for an action have in common."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = super().get_parser(prog_name)
        parser.add_argument('cluster', metavar='<cluster>',
                            help=_CLUSTER_HELP)
        self.add_arguments(parser)
        parser.add_argument(
            '--wait', action='store_true',
            help='Wait until it is done; progress goes to the error output. '
                 'The command fails if what was asked for leaves a fault '
                 'at a member; older faults do not count.')
        parser.add_argument(
            '--wait-timeout', metavar='<seconds>', type=int,
            default=_WAIT_SECONDS,
            help='Seconds that --wait lasts at most (default: %(default)s). '
                 'What was asked for goes on all the same.')
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what one command has of its own."""

    def act(self, parsed_args: argparse.Namespace, action: str,
            body: requests.Record, **members: str | None) -> None:
        """Ask for it, and wait if that is wanted.

        :param members: what the body names members by their ids.
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
    """What the commands that take members out in turn have in common."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            '--member', metavar='<member>',
            help='Name or ID of the one member that is meant; by default '
                 'all members, one after another.')
        return parser

    def roll(self, parsed_args: argparse.Namespace, action: str,
             body: requests.Record) -> None:
        self.act(parsed_args, action, body, instance=parsed_args.member)


class ResizeClusterFlavor(_Rolling):
    """Give the members of a cluster another flavor.

    One member after another is stopped, resized and started; each is Synced
    again before the next one's turn. The cluster serves all the time, but
    the connections to a member end when its turn comes. Members that have
    the flavor already are left alone. "openstack database flavor list" shows
    the flavors.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('flavor', metavar='<flavor>',
                            help='ID or name of the new flavor.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        flavor = utils.find_resource(
            self.app.client_manager.database.flavors, parsed_args.flavor)
        self.roll(parsed_args, 'resize', {'flavorRef': str(flavor.id)})


class ResizeClusterVolume(_Rolling):
    """Give the members of a cluster larger volumes.

    One member after another; each is Synced again before the next one's
    turn. The cluster serves all the time, but the connections to a member
    end when its turn comes. A volume cannot be made smaller.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('size', metavar='<size>', type=int,
                            help='New size of each volume in GB.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.roll(parsed_args, 'resize',
                  {'volume': {'size': parsed_args.size}})


class RestartCluster(_Rolling):
    """Restart the servers of a cluster.

    One member after another; each is Synced again before the next one's
    turn. The cluster serves all the time, but the connections to a member
    end when its turn comes. A member whose server is stopped is started.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.roll(parsed_args, 'restart', {})


class RecoverCluster(_Action):
    """Bring back a cluster that serves nobody, or not with all members.

    While a member serves, the others join it again. If none does, the one
    that holds the latest data is continued, if that is proven; else the
    recovery is refused, and says why and what can be done.
    """

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            '--force', metavar='<member>',
            help='Name or ID of the member to continue from although others '
                 'do not answer or hold other data. What they hold beyond '
                 'this member is lost.')

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.act(parsed_args, 'recover', {}, force=parsed_args.force)


class RotateClusterCertificates(_Action):
    """Replace the authority and all certificates of a cluster.

    Three rounds over all members, one member after another, so that all
    trust each other at any time: the new authority is trusted, then used,
    then the old one is forgotten. The cluster serves all the time.
    """

    def take_action(self, parsed_args: argparse.Namespace) -> None:
        self.act(parsed_args, 'rotate_certificates', {})
