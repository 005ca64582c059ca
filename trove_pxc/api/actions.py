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

"""The actions of a cluster, as one table.

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
    """How the request for an action is handled, in this order.

    :ivar schema: the schema of its body.
    :ivar rule: its policy rule, without the prefix ``galera:``.
    :ivar check: takes the cluster and the body. Returns the argument of cast,
        or raises an error of Trove if the action is not possible. Changes
        nothing.
    :ivar cast: takes the cluster, the request and the result of check. Sets
        the task of the cluster and casts to the taskmanager.
    :ivar of_complete: whether the creation of the cluster must have been
        completed.
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
    'upgrade': 'A cluster cannot be upgraded in place yet. Create a cluster '
               'of the other datastore version and move the data.',
    'configuration_attach': 'A configuration group cannot be attached to an '
                            'existing cluster. Name it when you create a '
                            'cluster.',
    'configuration_detach': 'A configuration group cannot be detached from '
                            'a cluster yet. Create a cluster without it and '
                            'move the data.',
}


def perform(cluster: Cluster, request: Request, name: str,
            body: Json) -> bool:
    """Perform an action of this package.

    :returns: False if the action is not in the table. Trove handles it then.
    :raises trove.common.exception.TroveError: if the action is not possible.
        Then nothing was changed.
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
    """Refuse an invalid body with the place of the error."""
    validator = jsonschema.Draft4Validator(schema)
    for error in sorted(validator.iter_errors(body),
                        key=lambda found: [str(key) for key in found.path]):
        place = ''.join(f'[{key!r}]' for key in error.path)
        raise validation.refused(
            f'Validation error: {action}{place}: {error.message}')
