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

"""Trove's tables in memory, for modules that read or write them.

A fixture: the tables are empty when a test begins. They are made once in a
process, as trove-manage makes them, in an SQLite database that no file
holds.
"""

import functools
import logging
from typing import Any

import fixtures
import sqlalchemy
from trove.cluster import models as cluster_models
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import context as trove_context
from trove.datastore import models as datastore_models
from trove.db import get_db_api
from trove.db.sqlalchemy import session
from trove.instance import models as instance_models
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks

CONF = cfg.CONF
PROJECT = 'demo'
Statuses = service_status.ServiceStatuses

# As a service does; it would forget what a test overrides.
CONF([], project='trove', default_config_files=[])
# Any number of connections of this process reach the same database.
_MEMORY = 'sqlite:///file:trove-pxc?mode=memory&cache=shared&uri=true'


class Tables(fixtures.Fixture):
    """All of Trove's tables, without a row."""

    def _setUp(self) -> None:
        engine, tables = _made()
        with engine.begin() as connection:
            for table in tables:
                connection.execute(table.delete())


@functools.cache
def _made() -> tuple[Any, list[Any]]:
    logging.getLogger('alembic').setLevel(logging.WARNING)
    CONF.set_override('connection', _MEMORY, 'database')
    # Nobody waits for the processor but other programs.
    session._create_facade().configure(thread_checkin=False)
    engine = session.get_engine()
    # The database is gone with its last connection.
    _made.kept = engine.connect()  # type: ignore[attr-defined]
    get_db_api().db_sync(CONF)
    session.configure_db()
    CONF.clear_override('connection', 'database')
    found = sqlalchemy.MetaData()
    found.reflect(bind=engine)
    return engine, [table for table in reversed(found.sorted_tables)
                    if table.name != 'alembic_version']


def context(role: str = 'member', project: str = PROJECT,
            **others: Any) -> Any:
    """Of a request by somebody with this role in a project."""
    return trove_context.TroveContext(
        user_id='someone', project_id=project, roles=[role],
        is_admin=role == 'admin', auth_token='none', **others)


def add_datastore(name: str = 'mariadb') -> Any:
    """A datastore as Trove's models have it."""
    row = datastore_models.DBDatastore.get_by(name=name)
    return datastore_models.Datastore(
        row or datastore_models.DBDatastore.create(name=name))


def add_version(manager: str = 'mariadb', number: str = '10.11',
                **values: Any) -> Any:
    """A datastore version as Trove's models have it."""
    return datastore_models.DatastoreVersion(
        datastore_models.DBDatastoreVersion.create(**{
            'datastore_id': add_datastore(manager).id, 'name': number,
            'version': number, 'manager': manager, 'image_id': 'image-1',
            'image_tags': '', 'packages': '', 'active': True,
            'registry_ext': '', 'repl_strategy': '', **values}))


def add_cluster(version: Any, name: str = 'c', task: Any = ClusterTasks.NONE,
                project: str = PROJECT, **values: Any) -> Any:
    """The row of a cluster."""
    return cluster_models.DBCluster.create(
        name=name, tenant_id=project, datastore_version_id=version.id,
        task_status=task, **values)


def add_instance(version: Any, name: str, status: Any = Statuses.HEALTHY,
                 task: Any = InstanceTasks.NONE, **values: Any) -> Any:
    """The row of an instance, and what its guest has told."""
    row = instance_models.DBInstance.create(**{
        'name': name, 'tenant_id': PROJECT, 'flavor_id': '1',
        'volume_size': 1, 'datastore_version_id': version.id,
        'compute_instance_id': f'server-of-{name}', 'task_status': task,
        **values})
    instance_models.InstanceServiceStatus.create(
        instance_id=row.id, status=status)
    return row


def add_member(cluster: Any, name: str, **values: Any) -> Any:
    """The row of a member, and what its guest has told."""
    version = datastore_models.DatastoreVersion.load_by_uuid(
        cluster.datastore_version_id)
    return add_instance(version, name, **{
        'cluster_id': cluster.id, 'type': 'member',
        'tenant_id': cluster.tenant_id, **values})


def again(row: Any) -> Any:
    """The row as it stands in its table now."""
    return type(row).get_by(id=row.id)
