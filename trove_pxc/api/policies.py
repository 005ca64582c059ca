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
"""Who may do what to a Galera cluster: this package's own policy rules.

Imported by api/actions, api/cluster, api/extension and api/guard, and loaded
through the entry points oslo.policy.policies. Trove asks its own rules first,
and those know projects alone: whoever has any role in a project, reader among
them, may do there whatever can be done. Ours are asked as well.
"""

from oslo_policy import policy as oslo_policy
from trove.common.policies import base
from trove.common import policy

from trove_pxc.protocols import Context

#: whoever may change what is the project's own
_CHANGER = 'galera_changer'

#: the body of POST /clusters/{id} -> what it has done
ACTIONS = {
    'grow': 'Add members to a cluster.',
    'shrink': 'Take members out of a cluster.',
    'restart': 'Restart the members of a cluster, or one of them.',
    'recover': 'Bring a cluster back that lost its primary component, or '
               'name the member to begin with.',
    'rotate_certificates': 'Replace the authority and the certificates of a '
                           'cluster.',
    'resize': 'Give members another flavor or larger volumes.',
}
#: for all actions that are not named above
OTHER_ACTIONS = 'action'


def list_rules() -> list[oslo_policy.RuleDefault]:
    """All rules, as oslo.policy's generators of samples want them."""
    clusters, cluster = base.PATH_CLUSTERS, base.PATH_CLUSTER
    instance = base.PATH_INSTANCE
    return [
        oslo_policy.RuleDefault(
            _CHANGER,
            'rule:admin or (role:member and project_id:%(tenant)s)',
            'Who may change Galera clusters: not who may only read.'),
        _reading('members', 'What each member says of itself.',
                 f'{cluster}/members'),
        _reading('health', 'What the answers of all members add up to.',
                 f'{cluster}/health'),
        _changing('create', 'Create a Galera cluster.', ('POST', clusters)),
        _changing('delete', 'Delete a Galera cluster.', ('DELETE', cluster)),
        *(_changing(action, what, ('POST', f'{cluster} ({action})'))
          for action, what in ACTIONS.items()),
        _changing(OTHER_ACTIONS, 'Any action that has no rule of its own; '
                  'reset-status comes before a forced delete.',
                  ('POST', f'{cluster} (reset-status)')),
        _changing('accounts', 'Change users, databases, access rights or '
                  'root of a cluster, through any of its members.',
                  *((verb, f'{instance}/{what}') for what in ACCOUNTS
                    for verb in ('POST', 'PUT', 'DELETE')),
                  ('POST', f'{cluster}/root'), ('DELETE', f'{cluster}/root')),
        _changing('instance', 'Change the member of a cluster in any other '
                  'way as an instance.',
                  ('PUT', instance), ('PATCH', instance),
                  ('DELETE', instance), ('POST', f'{instance}/action')),
    ]


#: what stands behind an instance's address for its accounts
ACCOUNTS = ('users', 'databases', 'root')


def authorize(context: Context, what: str, tenant_id: str) -> None:
    """Ask the rule ``galera:`` and this.

    :param tenant_id: the project that the cluster is of.
    :raises trove.common.exception.PolicyNotAuthorized: it says no.
    """
    _register()
    policy.authorize_on_target(
        context, f'galera:{what}', {'tenant': tenant_id})


def _register() -> None:
    """Have Trove's enforcer know our rules.

    Not when this is imported: making the enforcer reads configuration.
    """
    enforcer = policy.get_enforcer()
    for rule in list_rules():
        if rule.name not in enforcer.registered_rules:
            enforcer.register_default(rule)


def _reading(name: str, what: str, path: str) -> oslo_policy.RuleDefault:
    return oslo_policy.DocumentedRuleDefault(
        f'galera:{name}', 'rule:cluster:show', what,
        [{'path': path, 'method': 'GET'}])


def _changing(name: str, what: str,
              *requests: tuple[str, str]) -> oslo_policy.RuleDefault:
    return oslo_policy.DocumentedRuleDefault(
        f'galera:{name}', f'rule:{_CHANGER}', what,
        [{'path': path, 'method': method} for method, path in requests])
