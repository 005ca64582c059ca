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

"""Requests for other datastores are answered as without this package.

Single instances of MySQL, PostgreSQL and MariaDB, and clusters of Redis. The
same requests are sent twice: to trove-api with this package and to one
without it. Status codes, bodies, notifications and calls to the cloud are the
same. So is the number of SQL statements, except for the queries named here.
"""

from collections.abc import Iterator
import itertools
import re
from typing import Any
from typing import NamedTuple
import uuid

import oslo_messaging as messaging
from oslo_messaging.notify import _impl_test as notifications
from trove.backup import models as backup_models
from trove.backup import state as backup_state
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import api as trove_api
from trove.common import extensions
from trove.configuration import models as configuration_models
from trove.guestagent import api as guest_api
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks
from trove.quota import quota
from trove import rpc

from tests.functional import base
from tests.functional import cloud as clouds
from tests.functional import sql
from tests.functional import tables

#: Whether the instance that a path names is a member.
LOOK_AT_INSTANCE = 1
#: Whether the cluster of a path, or of its member, is one of this plugin.
LOOK_AT_CLUSTER = 2
#: The datastore and the version of a new instance, as Trove finds them.
LOOK_AT_DATASTORE = 5
#: This plugin's driver counts the quota of all, so that no count is lost.
COUNT_IN_QUOTA = 6

_ID = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')
#: Made from the ID of an instance.
_SERVER = re.compile(r'"server[_-]id": \d+')
_TIME = re.compile(r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+\d+)?')


class Answer(NamedTuple):
    """The results of a request, with numbers for IDs and T for a time."""

    code: int
    text: str
    told: list[str]
    calls: list[str]


class Guest:
    """The agent of an instance, with constant answers."""

    target = messaging.Target(version=guest_api.API.API_LATEST_VERSION)

    def __init__(self) -> None:
        self.user = {'_name': 'ann', '_host': '%', '_password': None,
                     '_databases': [{'_name': 'shop'}], '_is_root': False}
        self.database = {'_name': 'shop', '_character_set': 'utf8',
                         '_collate': 'utf8_general_ci'}

    def list_users(self, context: Any, **paging: Any) -> Any:
        return [self.user], None

    def get_user(self, context: Any, username: str, hostname: str) -> Any:
        return self.user if username == 'ann' else None

    def list_access(self, context: Any, **user: Any) -> Any:
        return [self.database]

    def list_databases(self, context: Any, **paging: Any) -> Any:
        return [self.database], None

    def enable_root(self, context: Any) -> Any:
        return {**self.user, '_name': 'root', '_password': 'a-password'}

    def enable_root_with_password(self, context: Any, **given: Any) -> Any:
        return self.enable_root(context)

    def is_root_enabled(self, context: Any) -> bool:
        return False

    def nothing(self, context: Any, **arguments: Any) -> None:
        """A request without an answer."""

    create_user = delete_user = update_attributes = change_passwords = nothing
    grant_access = revoke_access = create_database = nothing
    delete_database = disable_root = update_overrides = nothing
    apply_overrides = nothing


class Requests:
    """Each as method, path and body.

    :param ids: of the existing rows, by their names.
    """

    def __init__(self, manager: str, version: str, ids: dict[str, str]
                 ) -> None:
        self.datastore = {'type': manager, 'version': version}
        self.ids = ids

    def all(self) -> Iterator[tuple[str, str, Any, int]]:
        """Each with the number of additional statements that it may need."""
        raise NotImplementedError


class OfInstances(Requests):
    """All requests for single instances."""

    def all(self) -> Iterator[tuple[str, str, Any, int]]:
        for one in self.of_lists():
            yield *one, 0
        for path in ('/instances', '/instances/detail'):
            for more in ('', '&limit=1', '&limit=x'):
                yield ('GET', f'{path}?include_clustered=true{more}', None,
                       LOOK_AT_INSTANCE)
        for one in self.creations():
            yield *one, LOOK_AT_DATASTORE
        for one in (*self.of_one(), *self.accounts(), *self.changes()):
            yield *one, LOOK_AT_INSTANCE
        yield ('DELETE', f'/backups/{self.ids["backup"]}', None,
               COUNT_IN_QUOTA)

    def of_lists(self) -> Iterator[tuple[str, str, Any]]:
        for path in ('/instances', '/instances/detail', '/backups'):
            for query in ('', '?limit=1', '?limit=x', '?limit=-1',
                          f'?marker={self.ids["one"]}', '?marker=0'):
                yield 'GET', f'{path}{query}', None
        yield 'GET', '/instances/new', None
        yield 'POST', '/backups', {'backup': {'name': 'b'}}
        for body in (None, [], {}, {'backup': 5}, {'backup': {}}):
            yield 'POST', '/backups', body
        yield 'GET', f'/backups/{self.ids["backup"]}', None

    def creations(self) -> Iterator[tuple[str, str, Any]]:
        good = {'name': 'new', 'flavorRef': '1', 'volume': {'size': 1},
                'nics': [{'network_id': clouds.NETWORK}],
                'datastore': self.datastore}
        for instance in (
                good, {**good, 'users': [
                    {'name': 'joe', 'password': 'a-password'}],
                    'databases': [{'name': 'shop'}]},
                {**good, 'datastore': {'type': 'none'}},
                {**good, 'datastore': {**self.datastore, 'x': 'y'}},
                {**good, 'datastore': {'type': 5}},
                {**good, 'datastore': 5}, {**good, 'volume': {'size': 999}},
                {**good, 'flavorRef': '9'}, {'name': 'new'},
                {'name': 'replica', 'replica_of': self.ids['one']},
                {'name': 'replica', 'replica_of': self.ids['none']},
                {'name': 'replica', 'replica_of': 5}, 5, {}):
            yield 'POST', '/instances', {'instance': instance}
        for body in (None, [], {}, {'x': {}}, 'instance'):
            yield 'POST', '/instances', body

    def of_one(self) -> Iterator[tuple[str, str, Any]]:
        for name in ('one', 'none'):
            path = f'/instances/{self.ids[name]}'
            for behind in ('', '.json', '/edit', '/configuration',
                           '/backups', '/backups?limit=x',
                           '/backups?marker=x', '/log', '/modules',
                           '/users', '/users?limit=x', '/users/ann',
                           '/users/bob', '/users/a.b', '/users/new',
                           '/users/ann/databases', '/databases',
                           '/databases/shop', '/root', '/nothing'):
                yield 'GET', f'{path}{behind}', None

    def accounts(self) -> Iterator[tuple[str, str, Any]]:
        path = f'/instances/{self.ids["one"]}'
        joe = {'name': 'joe', 'password': 'a-password'}
        ann = {'name': 'ann', 'password': 'a-password'}
        for users in ([joe], [ann], [{**joe, 'host': 'a@b'}], [{}], [], 5,
                      [joe] * 101, [{**joe, 'x': 1}]):
            yield 'POST', f'{path}/users', {'users': users}
            yield 'PUT', f'{path}/users', {'users': users}
        for user in ({'name': 'new'}, {'host': '10.0.0.1'}, {}, 5):
            yield 'PUT', f'{path}/users/ann', {'user': user}
        for databases in ([{'name': 'shop'}], [{'name': 'mysql'}],
                          [{'name': 'a'}] * 101, [], 5):
            yield 'PUT', f'{path}/users/ann/databases', {
                'databases': databases}
            yield 'POST', f'{path}/databases', {'databases': databases}
        for body in (None, [], {}, 'users'):
            yield 'POST', f'{path}/users', body
            yield 'POST', f'{path}/databases', body
        for behind in ('/users/ann/databases/shop', '/users/ann/databases/x',
                       '/users/ann', '/users/bob', '/databases/shop',
                       '/databases/x', '/databases/a.b'):
            yield 'DELETE', f'{path}{behind}', None
        for body in (None, {}, {'password': 'a-password'}, {'x': 1}, [1]):
            yield 'POST', f'{path}/root', body
        yield 'GET', f'{path}/root', None
        yield 'DELETE', f'{path}/root', None
        yield 'DELETE', f'{path}/root', None

    def changes(self) -> Iterator[tuple[str, str, Any]]:
        for change in (
                {'name': 'two'}, {'configuration': self.ids['group']},
                {'configuration': None}, {}, {'replica_of': ''},
                {'access': {'is_public': False}},
                {'datastore_version': 'x'}, {'x': 1}, 5):
            for method in ('PUT', 'PATCH'):
                yield method, f'/instances/{self.ids["two"]}', {
                    'instance': change}
        yield 'PUT', f'/instances/{self.ids["two"]}', None
        for number, body in enumerate((
                {'restart': {}}, {'resize': {'flavorRef': '2'}},
                {'resize': {'volume': {'size': 2}}},
                {'promote_to_replica_source': {}},
                {'eject_replica_source': {}}, {'reset_status': {}},
                {'reset_status': {'force_delete': True}}, {'dance': {}},
                {'resize': {}}, {'restart': {}, 'x': {}}, {}, [], None)):
            yield ('POST', f'/instances/{self.ids[f"of-{number}"]}/action',
                   body)
        for name in ('general', 5):
            yield 'POST', f'/instances/{self.ids["one"]}/log', {
                'name': name, 'enable': 1}
        yield 'POST', '/backups', {'backup': {
            'name': 'b', 'instance': self.ids['one'],
            'storage_driver': 'cinder'}}
        yield 'POST', '/backups', {'backup': {
            'name': 'b', 'instance': self.ids['none']}}
        for name in ('one', 'two', 'none'):
            yield 'DELETE', f'/instances/{self.ids[name]}', None


class OfClusters(Requests):
    """Clusters of another package, and their members."""

    def all(self) -> Iterator[tuple[str, str, Any, int]]:
        yield 'GET', '/clusters', None, 0
        yield 'GET', '/clusters?limit=1', None, 0
        new = {'name': 'new', 'datastore': self.datastore, 'instances': [
            {'name': f'n{number}', 'flavorRef': '1', 'volume': {'size': 1},
             'nics': [{'network_id': clouds.NETWORK}]}
            for number in range(6)]}
        for cluster in (
                new, {**new, 'instances': []}, {**new, 'colour': 'red'},
                {**new, 'datastore': {'type': 'none'}},
                {'name': 'new', 'datastore': self.datastore}):
            yield 'POST', '/clusters', {'cluster': cluster}, (
                LOOK_AT_DATASTORE)
        for one in (*self.of_one(), *self.of_member()):
            yield *one, LOOK_AT_CLUSTER
        yield 'DELETE', f'/clusters/{self.ids["cluster"]}', None, (
            LOOK_AT_CLUSTER)

    def of_one(self) -> Iterator[tuple[str, str, Any]]:
        path = f'/clusters/{self.ids["cluster"]}'
        member = f'{path}/instances/{self.ids["one"]}'
        for behind in (path, f'{path}.json', f'{path}/edit', member,
                       f'{path}/instances/{self.ids["none"]}',
                       f'{path}/root'):
            yield 'GET', behind, None
        for body in ({'grow': [{'flavorRef': '1', 'volume': {'size': 1}}]},
                     {'shrink': [{'id': self.ids['one']}]},
                     {'restart': {}}, {'reset-status': {}},
                     {'dance': {}}, {'restart': {}, 'x': {}}, {}, [], None):
            yield 'POST', path, body
        for body in (None, {}, {'x': 1}, [1]):
            yield 'POST', f'{path}/root', body
        yield 'DELETE', f'{path}/root', None

    def of_member(self) -> Iterator[tuple[str, str, Any]]:
        path = f'/instances/{self.ids["one"]}'
        for behind in ('', '/configuration', '/backups', '/users', '/root'):
            yield 'GET', f'{path}{behind}', None
        yield 'PUT', path, {'instance': {'name': 'two'}}
        yield 'PUT', path, {'instance': {'configuration': None}}
        yield 'POST', f'{path}/action', {'restart': {}}
        yield 'POST', f'{path}/users', {'users': []}
        yield 'POST', '/backups', {'backup': {
            'name': 'b', 'instance': self.ids['one']}}
        yield 'DELETE', path, None


class OtherDatastoresTest(base.TroveTest):
    """No taskmanager runs: casts are not carried out."""

    def setUp(self) -> None:
        super().setUp()
        # Lists are in the order of ids; Trove keeps the keys of instances.
        self.numbers = itertools.count(uuid.uuid4().int)

    def fresh(self, ours: bool) -> None:
        """An empty Trove, and its API with this package or without it."""
        tables.empty()
        self._set_options()
        self.cloud = clouds.Cloud()
        clouds.use(self.cloud)
        if ours:
            self.api = self.pipeline()
            return
        manager = extensions.ExtensionManager()
        del manager.extensions['GALERA']
        # Creating the extension has installed this plugin's driver.
        quota.QUOTAS._driver = quota.DbQuotaDriver(quota.QUOTAS._resources)
        self.api = extensions.TroveExtensionMiddleware(
            trove_api.API(), manager)

    def rows(self, version: Any, kind: type[Requests]) -> dict[str, str]:
        """Instances and related rows; the IDs by their names."""
        ids = {'none': self.unknown_id()}
        of_cluster = {}
        if kind is OfClusters:
            ids['cluster'] = cluster_models.DBCluster.create(
                name='c', tenant_id=base.PROJECT,
                datastore_version_id=version.id,
                task_status=ClusterTasks.NONE).id
            of_cluster = {'cluster_id': ids['cluster'], 'type': 'member'}
        for name in ('one', 'two', *(f'of-{number}' for number in range(13))):
            ids[name] = self.add_instance(name, version.id, **of_cluster)
        ids['group'] = configuration_models.Configuration.create(
            'g', '', base.PROJECT, None, version.id).id
        ids['backup'] = backup_models.DBBackup.create(
            name='b', tenant_id=base.PROJECT, instance_id=ids['one'],
            datastore_version_id=version.id, deleted=False,
            state=backup_state.BackupState.FAILED).id
        return ids

    def add_instance(self, name: str, version_id: str,
                     **of_cluster: str) -> str:
        row = instance_models.DBInstance.create(
            id=str(uuid.UUID(int=next(self.numbers))), name=name,
            tenant_id=base.PROJECT, flavor_id='1', volume_size=1,
            task_status=InstanceTasks.NONE, datastore_version_id=version_id,
            **of_cluster)
        instance_models.InstanceServiceStatus.create(
            instance_id=row.id,
            status=service_status.ServiceStatuses.HEALTHY)
        nova = clouds.nova(self.context())
        row.update(compute_instance_id=nova.servers.create(
            name, clouds.IMAGE, '1').id)
        return str(row.id)

    def listen(self, instance_id: str) -> None:
        target = messaging.Target(
            topic=f'guestagent.{instance_id}', server=instance_id,
            version=Guest.target.version)
        server = rpc.get_server(
            target, [Guest()],
            key=instance_models.get_instance_encryption_key(instance_id))
        server.start()
        self.addCleanup(server.stop)

    def answers(self, manager: str, version: str, kind: type[Requests],
                ours: bool) -> list[tuple[Any, Answer, int, int]]:
        """Each request, its answer, its statements and those allowed."""
        self.fresh(ours)
        self.add_datastore(manager, version)
        _, found_version = base.datastore_models.get_datastore_version(
            type=manager, version=version)
        ids = self.rows(found_version, kind)
        for name in ('one', 'two'):
            self.listen(ids[name])
        seen: dict[str, str] = {}
        found = []
        for method, path, body, more in kind(manager, version, ids).all():
            self.cloud.calls.clear()
            notifications.reset()
            with sql.statements() as statements:
                response = self.request(method, path, body)
            named = (method, self.plain(path, seen), body)
            found.append((named, Answer(
                response.status_int, self.plain(response.text, seen),
                [message['event_type'] for _, message, _, _
                 in notifications.NOTIFICATIONS],
                list(self.cloud.calls)), len(statements), more))
        return found

    @staticmethod
    def plain(text: str, seen: dict[str, str]) -> str:
        """Without values that differ in each run."""
        def number(found: re.Match[str]) -> str:
            return seen.setdefault(found[0], f'ID{len(seen)}')
        return _SERVER.sub('', _TIME.sub('T', _ID.sub(number, text)))

    def compare(self, manager: str, version: str,
                kind: type[Requests] = OfInstances) -> None:
        self.addCleanup(
            setattr, quota.QUOTAS, '_driver', quota.QUOTAS._driver)
        with_us = self.answers(manager, version, kind, True)
        without = self.answers(manager, version, kind, False)
        differences = []
        for (named, ours, spent, more), (_, troves, usual, _) in zip(
                with_us, without, strict=True):
            if ours != troves or spent > usual + more:
                differences.append(
                    f'{named}\n  {ours} {spent}\n  {troves} {usual}')
        self.assertEqual([], differences, '\n'.join(differences))
        codes = {ours.code for _, ours, _, _ in with_us}
        self.assertLessEqual({200, 202, 400, 404}, codes)

    def test_mysql_is_answered_as_in_trove(self) -> None:
        self.compare('mysql', '8.0')

    def test_postgresql_is_answered_as_in_trove(self) -> None:
        self.compare('postgresql', '16')

    def test_mariadb_is_answered_as_in_trove(self) -> None:
        """A single instance of a datastore with clusters of this plugin."""
        self.compare('mariadb', '10.11')

    def test_clusters_of_another_package_are_answered_as_in_trove(
            self) -> None:
        self.compare('redis', '7', OfClusters)
