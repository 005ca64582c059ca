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

"""Backups of a member, ordered from its guest by RPC.

For tests of restores. The program runs on the controller, in Trove's Python
environment, with trove.conf. It adds the rows that trove-api would add.
"""

import json
import subprocess
from typing import Any

from lab import home as lab_home
from lab import netns
from lab import process
from lab.services import trove

CONTAINER = 'backups'
TIMEOUT = 300

PROGRAM = """\
import json, sys
from trove.backup import models
from trove.common import cfg, context
from trove.db.sqlalchemy import session
from trove.instance import models as instances
from trove import rpc
from lab import home, noauth, waiting
from lab.swift import conf as swift
from trove_pxc import conf
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent import api

cfg.CONF(sys.argv[6:], project='trove')
conf.register(cfg.CONF)
session.configure_db()
rpc.init(cfg.CONF)
project, instance_id, name, container, parent_id = sys.argv[1:6]
of_lab = home.Home.from_environment()
token = noauth.token(swift.token_key(of_lab), project)
guest = api.GaleraGuestAPI(
    context.TroveContext(project_id=project, auth_token=token), instance_id)

parent = None
if parent_id:
    parent = backups.Parent.from_dict(json.load(sys.stdin))
row = models.DBBackup.create(
    name=name, tenant_id=project, state='BUILDING', instance_id=instance_id,
    deleted=False, parent_id=parent_id or None, storage_driver='swift',
    backup_type='incremental' if parent_id else 'full',
    datastore_version_id=instances.DBInstance.find_by(
        id=instance_id).datastore_version_id)
guest.start_backup(backups.Order(
    row.id, backups.Store(of_lab.swift_url + project, secret.Secret(token),
                          container), parent))

def over():
    seen = guest.backup_progress(row.id)
    if not seen.ended:
        raise waiting.NotYet(str(seen))
    return seen

seen = waiting.until('the backup', over, 240, 0.2)
if seen.result is None:
    row.update(state='FAILED')
    sys.exit(f'{seen.step}: {seen.failed_because}')
row.update(state='COMPLETED', location=seen.result.location,
           size=seen.result.data_bytes / 2 ** 30,
           checksum=seen.result.checksum[:32])
print(json.dumps(seen.result.to_dict()))
"""


def make(home: lab_home.Home, instance_id: str, name: str,
         parent: Any = None, project: str = 'demo') -> dict[str, Any]:
    """Make a backup of a member.

    :param parent: the result of the backup on which it builds; None: a full
        one
    :returns: its result, as galera.backups.Result.to_dict() returns it
    :raises RuntimeError: with the reason of a failure
    """
    done = subprocess.run(
        netns.inside(home.controller, [
            str(home.venv / 'bin' / 'python'), '-P', '-c', PROGRAM, project,
            instance_id, name, CONTAINER, parent['id'] if parent else '',
            '--config-file', str(trove.configuration_file(home))]),
        env={**process.environment(home), 'PYTHONWARNINGS': 'ignore'},
        cwd=home.root, text=True, capture_output=True, timeout=TIMEOUT,
        input=json.dumps({
            'id': parent['id'], 'location': parent['location'],
            'to_lsn': parent['to_lsn'], 'lineage': parent['lineage'],
            'cluster_uuid': parent['cluster_uuid']}) if parent else '')
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return dict(json.loads(done.stdout.splitlines()[-1]))
