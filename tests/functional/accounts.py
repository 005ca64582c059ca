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

"""The users and databases of a cluster in memory, behind the guest's RPC.

What one guest does is there for all of them: a world has one set of each.
"""

from typing import Any

Stored = dict[str, Any]


class Accounts:
    """The RPC methods of Trove's guest for users and databases.

    A guest of tests.functional.galera has them; ``world`` is its world.
    """

    world: Any
    name: str

    def list_users(self, context: Any, limit: Any = None, marker: Any = None,
                   include_marker: bool = False) -> Any:
        return _page(self.world.users, limit, marker, include_marker)

    def create_user(self, context: Any, users: list[Stored]) -> None:
        self.world.tell(f'create users {self.name}')
        for user in users:
            self.world.users[_key(user)] = user

    def get_user(self, context: Any, username: str, hostname: str) -> Any:
        return self.world.users.get(f'{username}@{hostname}')

    def delete_user(self, context: Any, user: Stored) -> None:
        self.world.tell(f'delete user {self.name}')
        del self.world.users[_key(user)]

    def update_attributes(self, context: Any, username: str, hostname: str,
                          user_attrs: Stored) -> None:
        user = self.world.users.pop(f'{username}@{hostname}')
        user.update({f'_{key}': value for key, value in user_attrs.items()})
        self.world.users[_key(user)] = user

    def change_passwords(self, context: Any, users: list[Stored]) -> None:
        for user in users:
            self.world.users[f'{user["name"]}@{user["host"]}'][
                '_password'] = user['password']

    def list_access(self, context: Any, username: str,
                    hostname: str) -> list[Stored]:
        return list(self.world.users[f'{username}@{hostname}']['_databases'])

    def grant_access(self, context: Any, username: str, hostname: str,
                     databases: list[str]) -> None:
        self.world.users[f'{username}@{hostname}']['_databases'] += [
            self.world.databases[name] for name in databases]

    def revoke_access(self, context: Any, username: str, hostname: str,
                      database: str) -> None:
        user = self.world.users[f'{username}@{hostname}']
        user['_databases'] = [one for one in user['_databases']
                              if one['_name'] != database]

    def list_databases(self, context: Any, limit: Any = None,
                       marker: Any = None,
                       include_marker: bool = False) -> Any:
        return _page(self.world.databases, limit, marker, include_marker)

    def create_database(self, context: Any,
                        databases: list[Stored]) -> None:
        self.world.tell(f'create databases {self.name}')
        for database in databases:
            self.world.databases[database['_name']] = database

    def delete_database(self, context: Any, database: Stored) -> None:
        del self.world.databases[database['_name']]


def _key(user: Stored) -> str:
    return f'{user["_name"]}@{user["_host"]}'


def _page(known: dict[str, Stored], limit: Any, marker: Any,
          include_marker: bool) -> Any:
    """As the server sorts and cuts them: the page and the next marker."""
    keys = sorted(key for key in known if marker is None or key > marker
                  or (include_marker and key == marker))
    page = keys[:limit]
    return ([known[key] for key in page],
            page[-1] if len(keys) > len(page) else None)
