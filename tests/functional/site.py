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

"""An operator's installation in a folder: files, and rows in Trove's tables.

The installation is correct; each test breaks one thing in it.
"""

import argparse
import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import fixtures
import testtools
from trove.datastore import models as datastore_models
from trove.db.sqlalchemy import session

from tests.functional import base
from tests.functional import cloud as clouds
from trove_pxc.cmd import manage
from trove_pxc import registration

STRATEGIES = '\n'.join(
    f'{name} = {value}' for name, value in base._STRATEGIES.items())

TROVE = """\
[DEFAULT]
guest_config = {folder}/trove-guestagent.conf
template_path = {folder}/templates
agent_heartbeat_expiry = 180
taskmanager_manager = trove_pxc.taskmanager.manager.Manager
remote_glance_client = tests.functional.cloud.glance

[database]
connection = {connection}

[mariadb]
tcp_ports = 3306
{strategies}

[pxc]
tcp_ports = 3306
{strategies}
"""

PASTE = """\
[composite:trove]
use = call:trove.common.wsgi:versioned_urlmap
/: versions
/v1.0: troveapi

[pipeline:troveapi]
pipeline = authtoken contextwrapper ratelimit galera extensions troveapp
#pipeline = debug extensions troveapp

[filter:galera]
paste.filter_factory = trove_pxc.api.pipeline:factory

[filter:extensions]
paste.filter_factory = trove.common.extensions:factory

[app:troveapp]
paste.app_factory = trove.common.api:app_factory
"""

GUEST = """\
[DEFAULT]
transport_url = rabbit://trove:very-secret@192.0.2.10:5672/

[mariadb]
docker_image = registry.example.org:5000/library/mariadb

[pxc]
docker_image = registry.example.org/percona/percona-xtradb-cluster
"""


class Glance:
    """An image service that has one image, with every tag."""

    def __init__(self) -> None:
        self.images = self

    def list(self, **kwargs: Any) -> list[dict[str, str]]:
        return [{'id': clouds.IMAGE}]


def glance(context: Any, region_name: str | None = None) -> Glance:
    """The function for remote_glance_client; also for separate processes."""
    return Glance()


class SiteTest(testtools.TestCase):
    """A test with its own installation."""

    def setUp(self) -> None:
        super().setUp()
        self.useFixture(fixtures.FakeLogger())
        self.useFixture(base._Process())
        session.clean_db()
        self.addCleanup(session.clean_db)
        clouds.use(clouds.Cloud())
        self.folder = self.useFixture(fixtures.TempDir()).path
        self.connection = base.CONF.database.connection
        self.trove = TROVE.format(
            folder=self.folder, connection=self.connection,
            strategies=STRATEGIES)
        self.guest = GUEST
        self.paste = PASTE
        # A new installation has the values that Trove itself sets.
        self.addCleanup(base.CONF, [], project='trove',
                        default_config_files=[])

    def write(self, name: str, text: str) -> str:
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as file:
            file.write(text)
        return path

    def write_files(self) -> str:
        """Write all files, and return the path of trove.conf."""
        if self.guest:
            self.write('trove-guestagent.conf', self.guest)
        if self.paste:
            self.write('api-paste.ini', self.paste)
        return self.write('trove.conf', self.trove)

    def replace(self, old: str, new: str, count: int = 1) -> None:
        """Replace a text in trove.conf, which has to be there."""
        self.assertIn(old, self.trove)
        self.trove = self.trove.replace(old, new, count)

    def register(self, manager: str, version: str) -> Any:
        """Register a version as the operator does, and return its row."""
        registration.register(registration.Registration(
            manager, manager, version, version, clouds.IMAGE, None,
            self.rules(manager)))
        return self.row(manager, version)

    def rules(self, manager: str) -> pathlib.Path:
        """Write a few of Trove's rules, with bounds that SQLite supports."""
        content = json.loads(registration.troves_rules(manager).read_text())
        rules = [rule for rule in content['configuration-parameters']
                 if int(rule.get('max') or 0) < 2 ** 63]
        return pathlib.Path(self.write(
            f'{manager}-rules.json',
            json.dumps({'configuration-parameters': rules[:4]})))

    @staticmethod
    def datastore(name: str) -> Any:
        return datastore_models.DBDatastore.get_by(name=name)

    def row(self, datastore: str, name: str) -> Any:
        return datastore_models.DBDatastoreVersion.get_by(
            datastore_id=self.datastore(datastore).id, name=name)

    def manage(self, *words: str) -> tuple[int, str, str]:
        """Run "datastore add", and return exit code, stdout and stderr."""
        parser = argparse.ArgumentParser()
        manage.add_arguments(parser)
        said, complained = io.StringIO(), io.StringIO()
        with (contextlib.redirect_stdout(said),
              contextlib.redirect_stderr(complained)):
            code = manage.run(manage.add, parser.parse_args(words))
        return code, said.getvalue(), complained.getvalue()

    def run_program(self, module: str, *arguments: str
                    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this package as the operator does."""
        return subprocess.run(
            [sys.executable, '-W', 'ignore', '-c',
             f'import sys; from trove_pxc.cmd import {module}; '
             f'sys.exit({module}.main())',
             '--config-file', self.write_files(), *arguments],
            capture_output=True, text=True, timeout=300)
