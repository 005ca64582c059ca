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

"""The server's defaults that a cluster has alike on all members, for life.

Imported by configure and grow. What they are is decided in galera/defaults;
here they are found in the settings of the members, or chosen for a new
cluster by what the operator and its configuration group say.
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
    """What the member is to be configured with.

    :param operation: the one whose members are to be alike.
    :param had: what it was configured with, and keeps its defaults of.
    """
    return dataclasses.replace(
        formation.facts(operation, member), defaults=(
            _of_cluster(operation) if had is None else had.facts.defaults))


def _of_cluster(operation: supervision.Supervised) -> defaults.Defaults:
    """What any member has already, else what is chosen now."""
    for member in operation.members:
        had = (operation.tell(member, member.settings)
               if member.prepared() else None)
        if had is not None:
            return tuple(had.facts.defaults)
    return _new(operation.context, operation.members[0])


def _new(context: Context, member: members.Member) -> defaults.Defaults:
    """The defaults of a new cluster, of which this is a member."""
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
