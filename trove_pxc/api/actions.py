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

"""What users may have done to a cluster, as one table.

Imported by api/cluster. The body of POST /clusters/{id} names an action.
"""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import jsonschema

from trove_pxc.api import changes
from trove_pxc.api import growth
from trove_pxc.api import known
from trove_pxc.api import members
from trove_pxc.api.model import Cluster
from trove_pxc.api import policies
from trove_pxc.api import schemas
from trove_pxc.api import validation
from trove_pxc.protocols import Json
from trove_pxc.protocols import Request


class Action(NamedTuple):
    """How a request is answered, step by step.

    :ivar schema: what its body has to be.
    :ivar rule: the policy that must allow it: ``galera:`` and this.
    :ivar check: of the cluster and the body: what is to be done. It changes
        nothing, and raises an error of Trove's for what cannot be done.
    :ivar cast: of the cluster, the request and what was checked: takes the
        cluster's task, and hands the work to the taskmanager.
    :ivar of_complete: whether the cluster must have been complete once.
    """

    schema: schemas.Schema
    rule: str
    check: Callable[[Cluster, Any], Any]
    cast: Callable[[Cluster, Request, Any], None]
    of_complete: bool = True


ACTIONS: Mapping[str, Action] = {
    'grow': Action(
        schemas.GROW, 'grow', growth.check_grow, growth.grow),
    'shrink': Action(
        schemas.SHRINK, 'shrink', growth.check_shrink, growth.shrink,
        of_complete=False),
    'restart': Action(
        schemas.RESTART, 'restart', changes.check_restart, changes.restart),
    'recover': Action(
        schemas.RECOVER, 'recover', changes.check_recover, changes.recover),
    'rotate_certificates': Action(
        schemas.ROTATE_CERTIFICATES, 'rotate_certificates',
        changes.check_rotation, changes.rotate_certificates),
    'resize': Action(
        schemas.RESIZE, 'resize', changes.check_resize, changes.resize),
}
_NOT_OFFERED = {
    'upgrade': 'A cluster cannot be upgraded in place yet; create one of the '
               'other datastore version and move the data.',
    'configuration_attach': 'A configuration group cannot be attached to a '
                            'cluster later; name it when you create one.',
    'configuration_detach': 'A configuration group cannot be detached from '
                            'a cluster yet; create one without it and move '
                            'the data.',
}


def perform(cluster: Cluster, request: Request, name: str,
            body: Json) -> bool:
    """Have an action of ours carried out.

    :returns: whether it is one of ours; all others are Trove's.
    :raises trove.common.exception.TroveError: if it cannot be done; then
        nothing was changed.
    """
    action = ACTIONS.get(name)
    policies.authorize(
        cluster.context, action.rule if action else policies.OTHER_ACTIONS,
        cluster.tenant_id)
    if name in _NOT_OFFERED:
        raise validation.refused(_NOT_OFFERED[name])
    if action is None:
        return False
    check_body(action.schema, name, body)
    cluster.validate_cluster_available()
    if action.of_complete:
        known.check_complete(cluster, [
            row.id for row in members.rows(cluster.id, cluster.name)])
    action.cast(cluster, request, action.check(cluster, body))
    return True


def check_body(schema: schemas.Schema, action: str, body: Json) -> None:
    """Refuse a body that is not understood, and say where it is wrong."""
    validator = jsonschema.Draft4Validator(schema)
    for error in sorted(validator.iter_errors(body),
                        key=lambda found: [str(key) for key in found.path]):
        place = ''.join(f'[{key!r}]' for key in error.path)
        raise validation.refused(
            f'Validation error: {action}{place}: {error.message}')
