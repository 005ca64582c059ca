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

"""A member with a real store, real pipes, and a server that is a fake."""

import datetime
import pathlib
import random
import threading

import mock

from tests.unit.guestagent.backup import local
from tests.unit.guestagent.backup import swift as swifts
from tests.unit.guestagent import fakes
from trove_pxc.galera import backups
from trove_pxc.galera import dialect
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import desync
from trove_pxc.guestagent.backup import making
from trove_pxc.guestagent.backup import store as stores
from trove_pxc.guestagent.backup import tool
from trove_pxc.guestagent import container
from trove_pxc.guestagent import database
from trove_pxc import waiting

NOW = datetime.datetime(2026, 11, 30, 22, tzinfo=datetime.timezone.utc)
ROWS = b'row of a table, ' * 20000


class BackupTestCase(fakes.GuestTestCase):
    """What the backups of one member need."""

    segment_bytes = 20000

    def setUp(self) -> None:
        super().setUp()
        self.swift = self.useFixture(swifts.Swift())
        image = self.root / 'image'
        image.mkdir()
        self.programs = local.LocalPrograms(image)
        (image / 'data' / 'ibdata1').write_bytes(ROWS)
        (image / 'data' / 'order.ibd').write_bytes(b'order' * 999)
        # It cannot be compressed, so that it fills segments.
        (image / 'data' / 'a-noise.ibd').write_bytes(
            random.Random(1).randbytes(300000))
        self.addCleanup((image / 'hang').unlink, missing_ok=True)
        for folder in (self.where.data_dir, self.where.order_dir,
                       self.where.transfer_dir):
            pathlib.Path(folder).mkdir(parents=True)
        self.admin = mock.create_autospec(database.Database, instance=True)
        self.desync = desync.Desync(self.files, self.where,
                                    lambda: self.admin)
        self.source = mock.create_autospec(making.Source, instance=True)
        self.source.user = 'os_admin'
        self.source.password = secret.Secret('Adm-1')
        self.source.server_version.return_value = '10.11.19-MariaDB'
        self.source.data_bytes.return_value = 400000
        self.source.lineage.return_value = 'l-1'
        self.source.mask.side_effect = (
            lambda text: text.replace('Adm-1', '***'))
        quick = mock.patch.object(stores, '_FIRST_PAUSE', 0.01)
        quick.start()
        self.addCleanup(quick.stop)

    @property
    def tool(self) -> tool.BackupTool:
        return tool.BackupTool(
            self.programs,  # type: ignore[arg-type]
            container.Specification(
                image=fakes.IMAGE, user='1:1', entrypoint=(), stop_seconds=1,
                mounts=(container.Mount(self.where.data_dir,
                                        self.where.data_dir),
                        container.Mount(self.where.order_dir,
                                        '/run/trove-pxc'))),
            dialect.for_version('mariadb', '10.11'), self.files, self.where,
            '')

    def image_file(self, name: str) -> pathlib.Path:
        return self.programs.folder / name

    def large(self) -> None:
        """Have so much data that some of it is stored before the end.

        The compressor gives its output in pieces of 8 MiB of its input.
        """
        self.segment_bytes = 1 << 20
        self.image_file('data/a-noise.ibd').write_bytes(
            random.Random(1).randbytes(20 << 20))

    def order(self, number: int = 1, parent: backups.Parent | None = None,
              **others: object) -> backups.Order:
        return backups.Order(f'b-{number}', self.swift.place, parent,
                             **others)  # type: ignore[arg-type]

    def backup(self, order: backups.Order,
               key: secret.Secret | None = None) -> making.BackupJob:
        return making.BackupJob(order, self.source, self.tool, self.desync,
                                key, lambda: NOW,
                                segment_bytes=self.segment_bytes)

    def made(self, number: int = 1, parent: backups.Parent | None = None,
             key: secret.Secret | None = None) -> backups.Result:
        """A complete backup."""
        job = self.backup(self.order(number, parent), key)
        job.start()
        job.wait(60)
        found = job.progress()
        self.assertEqual(backups.State.COMPLETE, found.state,
                         found.failed_because)
        assert found.result is not None
        return found.result

    def until(self, what: str, probe: object) -> None:
        def attempt() -> None:
            if not probe():  # type: ignore[operator]
                raise waiting.NotYet('it is not')
        waiting.until(what, attempt, 20, 0.01)

    def threads(self) -> list[str]:
        """The threads of backups that still run."""
        return [one.name for one in threading.enumerate()
                if one.name.startswith('backup')]
