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

"""The server defaults of a cluster, equal on all members and never changed.

Imported by configure. galera/defaults decides about them. Here they are read
from the settings of the members, or chosen for a new cluster from the
options and its configuration group.
"""

import dataclasses

from trove.configuration import models as configuration_models
from trove.datastore import models as datastore_models

from trove_pxc.galera import defaults
from trove_pxc.galera import dialect as dialects
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import settings
from trove_pxc.protocols import Context
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.steps import formation


def facts(operation: supervision.Supervised, member: members.Member,
          had: Membership | None) -> settings.MemberFacts:
    """The values for the configuration of a member.

    :param operation: the operation; its members get equal defaults.
    :param had: the settings of the member; it keeps their defaults.
    """
    return dataclasses.replace(
        formation.facts(operation, member), defaults=(
            _of_cluster(operation) if had is None else had.facts.defaults))


def _of_cluster(operation: supervision.Supervised) -> defaults.Defaults:
    """The defaults that a member already has, or new ones."""
    for member in operation.members:
        had = (operation.tell(member, member.settings)
               if member.prepared() else None)
        if had is not None:
            return tuple(had.facts.defaults)
    return _new(operation.context, operation.members[0])


def _new(context: Context, member: members.Member) -> defaults.Defaults:
    """Choose the defaults of a new cluster with this member."""
    row = member.row()
    version = datastore_models.DatastoreVersion.load_by_uuid(
        row.datastore_version_id)
    group = configuration_models.Configuration(context, row.configuration_id)
    return defaults.choose(
        dialects.for_version(member.manager, version.version or version.name),
        collation=member.options.default_collation,
        mode=(member.options.wsrep_mode
              if member.manager == 'mariadb' else ()),
        group=group.get_configuration_overrides())
