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
"""The policy rules of this package.

Imported by api/actions, api/cluster, api/extension and api/guard, and loaded
through the entry points oslo.policy.policies. Trove checks its own rules
first. They only compare projects: any role in a project, even reader, allows
every request. The rules of this package are checked in addition.
"""

from oslo_policy import policy as oslo_policy
from trove.common.policies import base
from trove.common import policy

from trove_pxc.protocols import Context

#: the rule of all requests that change something
_CHANGER = 'galera_changer'

#: the actions of POST /clusters/{id}, with the text of their rules
ACTIONS = {
    'grow': 'Add members to a cluster.',
    'shrink': 'Remove members from a cluster.',
    'restart': 'Restart all members of a cluster, or one.',
    'recover': 'Recover a cluster that lost its primary component, or force '
               'the member to bootstrap from.',
    'rotate_certificates': 'Replace the certificate authority and the '
                           'certificates of a cluster.',
    'resize': 'Change the flavor of members, or enlarge their volumes.',
}
#: the rule of all other actions
OTHER_ACTIONS = 'action'


def list_rules() -> list[oslo_policy.RuleDefault]:
    """Return all rules, for the sample generators of oslo.policy."""
    clusters, cluster = base.PATH_CLUSTERS, base.PATH_CLUSTER
    instance = base.PATH_INSTANCE
    return [
        oslo_policy.RuleDefault(
            _CHANGER,
            'rule:admin or (role:member and project_id:%(tenant)s)',
            'Users who may change Galera clusters. Readers may not.'),
        _reading('members', 'List the members with their own reports.',
                 f'{cluster}/members'),
        _reading('health', 'Show the health of a cluster.',
                 f'{cluster}/health'),
        _reading('backups', 'List the backups of a cluster.',
                 f'{cluster}/backups'),
        _changing('backup', 'Make a backup of a cluster, or delete one.',
                  ('POST', f'{cluster}/backups'), ('POST', base.PATH_BACKUPS),
                  ('DELETE', base.PATH_BACKUP)),
        _changing('create', 'Create a Galera cluster.', ('POST', clusters)),
        _changing('delete', 'Delete a Galera cluster.', ('DELETE', cluster)),
        *(_changing(action, what, ('POST', f'{cluster} ({action})'))
          for action, what in ACTIONS.items()),
        _changing(OTHER_ACTIONS, 'All other actions, such as the '
                  'reset-status before a forced delete.',
                  ('POST', f'{cluster} (reset-status)')),
        _changing('accounts', 'Change users, databases, access rights or '
                  'root of a cluster, through any of its members.',
                  *((verb, f'{instance}/{what}') for what in ACCOUNTS
                    for verb in ('POST', 'PUT', 'DELETE')),
                  ('POST', f'{cluster}/root'), ('DELETE', f'{cluster}/root')),
        _changing('instance', 'Any other change of a member of a cluster as '
                  'an instance.',
                  ('PUT', instance), ('PATCH', instance),
                  ('DELETE', instance), ('POST', f'{instance}/action')),
    ]


#: the routes of accounts below an instance
ACCOUNTS = ('users', 'databases', 'root')


def authorize(context: Context, what: str, tenant_id: str) -> None:
    """Check the rule with this name after ``galera:``.

    :param tenant_id: the project of the cluster.
    :raises trove.common.exception.PolicyNotAuthorized: if it is not allowed.
    """
    _register()
    policy.authorize_on_target(
        context, f'galera:{what}', {'tenant': tenant_id})


def _register() -> None:
    """Register the rules with Trove's enforcer.

    This is not done at import, because the enforcer reads the configuration
    when it is created.
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
