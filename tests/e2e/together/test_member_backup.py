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

"""Backups of a member while its object store, its server and its agent fail.

The orders go to the guest agent itself; trove-api and trove-taskmanager are
not involved.
"""

import uuid

from lab.guest import control
from lab import waiting
from tests.e2e import guest_backups
from tests.e2e import laboratory
from tests.e2e import load
from tests.e2e.together import cluster
from trove_pxc.galera import backups

MEMBERS = cluster.MEMBERS
TABLE = 'bulk.random'
#: rows of 8 KiB that cannot be compressed: three segments
ROWS = 10000
#: of the object store while a test needs a backup that takes long
SLOW_KIB = '4096'
GONE_SECONDS = 90
#: the container of the backup tool
TOOL = 'database-backup'
FILL = f"""
CREATE DATABASE IF NOT EXISTS bulk;
CREATE TABLE {TABLE} (
    id INT PRIMARY KEY, noise VARBINARY(8192) NOT NULL);
INSERT INTO {TABLE} SELECT seq, CONCAT({', '.join(
    ['RANDOM_BYTES(1024)'] * 8)}) FROM bulk.seq_1_to_{{rows}};
"""
LEFT = """
ls /run/trove-pxc/backup
ls -d /run/trove-pxc/desynced
pgrep -a -f 'guestagent[.]backup[.]worker'
curl -s --unix-socket /var/run/docker.sock \
    'http://localhost/containers/json?all=1' | grep -o '"/{container}"'
true
"""


class Base(cluster.TestCase):
    """Each test backs up the second member, under writes to the first."""

    rows = ROWS
    guests: guest_backups.Guests

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program = guest_backups.guests(cls.home)
        cls.guests = program.__enter__()
        cls.addClassCleanup(program.__exit__, None, None, None)
        laboratory.sql(MEMBERS[0], FILL.format(rows=cls.rows))
        cls.addClassCleanup(
            laboratory.sql, MEMBERS[0], 'DROP DATABASE bulk')

    def setUp(self):
        super().setUp()
        self.name = MEMBERS[1]
        self.instance = self.instance_id(self.name)
        self.backup = str(uuid.uuid4())
        self.addCleanup(laboratory.lab, 'swift', 'heal')
        self.users = load.Load(MEMBERS[:1], load.through_lab(self.home))
        self.users.prepare()

    def instance_id(self, name):
        shown = laboratory.api.cluster(self.home, self.cluster_id)
        return next(one['id'] for one in shown['instances']
                    if one['name'] == name)

    def fault(self, *words):
        laboratory.lab('swift', *words)

    def start(self, parent=None):
        self.guests.ask(self.instance, 'start', self.backup,
                        parent and parent.as_parent().to_dict())

    def progress(self):
        return self.guests.progress(self.instance, self.backup)

    def wait_seen(self, what, seen, timeout=60):
        """Wait until a progress fulfils a condition."""
        def probe():
            progress = self.progress()
            if progress.ended:
                raise AssertionError(f'{what}: {progress}')
            if not seen(progress):
                raise waiting.NotYet(str(progress))
            return progress
        return waiting.until(what, probe, timeout, 0.2)

    def wait_copying(self):
        return self.wait_seen('the copy', lambda progress: (
            progress.step is backups.Step.COPY and progress.data_bytes))

    def wait_complete(self):
        ended = self.guests.wait_ended(self.instance, self.backup)
        self.assertEqual(backups.State.COMPLETE, ended.state, str(ended))
        return ended.result

    def wait_failed(self, *words):
        ended = self.guests.wait_ended(self.instance, self.backup)
        self.assertEqual(backups.State.FAILED, ended.state)
        for word in words:
            self.assertIn(word, ended.failed_because)
        return ended

    def objects(self, backup=''):
        printed = laboratory.lab('swift', 'client', 'list',
                                 guest_backups.CONTAINER,
                                 '--prefix', backup or self.backup)
        return printed.split()

    def check_nothing_left(self, objects=False):
        """The member is as before, and nothing of the backup exists."""
        def probe():
            left = control.run(self.home, self.name, ['sh', '-c', LEFT.format(
                container=TOOL)]).stdout
            if left.strip():
                raise waiting.NotYet(left)
            with laboratory.not_yet(self.name):
                rows = laboratory.sql(self.name, 'SELECT @@wsrep_desync')
            if rows != [['0']]:
                raise waiting.NotYet('wsrep_desync is ON')
            if not objects and self.objects():
                raise waiting.NotYet(str(self.objects()))
            return True
        waiting.until('everything to be as before', probe, GONE_SECONDS, 0.5)
        laboratory.wait_agreement(MEMBERS)


class TestMemberBackup(Base):

    def test_while_the_object_store_fails_now_and_then(self):
        """It is down, then a fifth of all requests fail; the backup ends."""
        self.fault('slow', '--kib', SLOW_KIB)
        with self.users.running():
            self.start()
            self.wait_copying()
            self.assertEqual([['1']], laboratory.sql(
                self.name, 'SELECT @@wsrep_desync'))
            self.fault('stop')
            told = self.wait_seen('the trouble', lambda seen: seen.waits_for)
            self.assertIn('the store does not answer', told.waits_for)
            self.fault('heal')
            self.fault('fail', '--share', '0.2', '--kind', '503')
            result = self.wait_complete()
        self.assertLess(self.users.longest_gap, 5)
        self.assertEqual(0, result.from_lsn)
        self.assertGreater(result.seqno, 0)
        self.assertGreater(result.stored_bytes, self.rows * 8192)
        self.fault('heal')
        self.assertEqual(
            -(-result.stored_bytes // (32 << 20)) + 1, len(self.objects()))
        self.check_nothing_left(objects=True)
        full, self.backup = self.backup, str(uuid.uuid4())
        self.start(result)
        increment = self.wait_complete()
        self.assertEqual(result.to_lsn, increment.from_lsn)
        self.assertLess(increment.stored_bytes, result.stored_bytes / 2)
        for one in (full, self.backup):
            for name in self.objects(one):
                laboratory.lab('swift', 'client', 'delete',
                               guest_backups.CONTAINER, name)

    def test_the_token_expires_in_the_middle(self):
        self.addCleanup(laboratory.lab, 'swift', 'tokens', '--default')
        self.fault('slow', '--kib', SLOW_KIB)
        self.start()
        self.wait_copying()
        self.fault('tokens', '--seconds', '1')
        told = self.wait_seen('the refusal', lambda seen: seen.token_refused)
        self.assertIn('the token has expired', told.waits_for)
        self.fault('tokens', '--default')
        self.fault('heal')
        self.guests.ask(self.instance, 'renew', self.backup)
        self.wait_complete()

    def test_cancelled_while_the_object_store_is_full(self):
        self.fault('full')
        self.start()
        told = self.wait_seen('the trouble', lambda seen: seen.waits_for)
        self.assertIn('503', told.waits_for)
        self.guests.ask(self.instance, 'cancel', self.backup)
        self.wait_failed('was cancelled')
        self.check_nothing_left()
