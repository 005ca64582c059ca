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

"""The steps of Trove's controller for a guest.

Run by the Python of a lab, inside its controller:

    controller.py TROVE_CONF birth            rows; prints the user data
    controller.py TROVE_CONF prepare ID       casts prepare, as for a cluster
    controller.py TROVE_CONF status ID        the status of the guest
    controller.py TROVE_CONF report ID        calls the guest for its report

No server is created in Nova: the test starts the guest with qemu.
"""

import dataclasses
import json
import sys
from typing import Any

from trove.common import cfg
from trove.common import context as trove_context
from trove.common import notification
from trove.datastore import models as datastore_models
from trove.db import get_db_api
from trove.instance import models
from trove.instance import service_status
from trove.instance import tasks
from trove import rpc

from trove_pxc.guestagent import api

CONF = cfg.CONF
DATASTORE = 'mariadb'
VERSION = '10.11'


def birth() -> dict[str, str]:
    """Create the rows of an instance; return its user data."""
    _, version = datastore_models.get_datastore_version(
        type=DATASTORE, version=VERSION)
    row = models.DBInstance.create(
        name='image', flavor_id='2', tenant_id='demo', volume_size=1,
        datastore_version_id=version.id, ssl_mode=None,
        task_status=tasks.InstanceTasks.NONE)
    models.InstanceServiceStatus.create(
        instance_id=row.id, status=service_status.ServiceStatuses.NEW)
    instance = models.FreshInstance(_context(), row, None, None)
    files = instance.get_injected_files(version.manager, VERSION)
    return {'id': row.id, 'user_data': instance.prepare_cloud_config(files)}


def prepare(instance_id: str) -> str:
    context = _context()
    # The API starts the notification, and the guest ends it.
    context.notification = notification.DBaaSInstanceCreate(
        context, request_id=context.request_id, tenant_id='demo',
        client_ip='127.0.0.1', server_ip='127.0.0.1',
        server_type='taskmanager')
    api.GaleraGuestAPI(context, instance_id).prepare(
        512, '', [], [], device_path=CONF[DATASTORE].device_path,
        mount_point=CONF[DATASTORE].mount_point,
        config_contents='[mysqld]\nuser = database\n',
        cluster_config={'id': 'none', 'type': 'member'}, ds_version=VERSION)
    return 'cast'


def status(instance_id: str) -> str:
    row = models.InstanceServiceStatus.find_by(instance_id=instance_id)
    return str(row.get_status().description)


def report(instance_id: str) -> Any:
    return dataclasses.asdict(_guest(instance_id).member_report(60))


def _guest(instance_id: str) -> Any:
    return api.GaleraGuestAPI(_context(), instance_id)


def _context() -> Any:
    return trove_context.TroveContext(
        user_id='admin', project_id='demo', is_admin=True)


def main() -> None:
    CONF(['--config-file', sys.argv[1]], project='trove')
    rpc.init(CONF)
    get_db_api().configure_db()
    steps = {'birth': birth, 'prepare': prepare, 'status': status,
             'report': report}
    said = steps[sys.argv[2]](*sys.argv[3:])
    print(json.dumps(said, default=str))


if __name__ == '__main__':
    main()
