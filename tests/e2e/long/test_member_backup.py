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

"""Backups of a member that fails meanwhile, and the secrets of a backup."""

import re
import subprocess

from lab.guest import control
from lab import netns
from lab import process
from lab import sql
from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e.together import test_member_backup
from trove_pxc.galera import backups

#: what other users of the guest can see, and the container's configuration
SEEN = f"""
cat /proc/*/cmdline /proc/*/environ 2> /dev/null | tr '\\0' '\\n'
curl -s --unix-socket /var/run/docker.sock \\
    http://localhost/containers/{test_member_backup.TOOL}/json
"""

#: Ten segments in manifests of three, and their deletion as Trove deletes.
NESTED = """
import functools, threading, types
from swiftclient import client
from lab import home, noauth
from lab.swift import conf
from trove_pxc.galera import backup_layout as layout
from trove_pxc.galera import backups, secret
from trove_pxc.guestagent.backup import download, store, upload

layout.groups = functools.partial(layout.groups, most=3)
of_lab = home.Home.from_environment()
place = backups.Store(
    of_lab.swift_url + 'demo',
    secret.Secret(noauth.token(conf.token_key(of_lab), 'demo')), 'nested')
there = store.Store(place, store.Token(place.token), threading.Event())
there.ensure_container()
data = bytes(range(256)) * 37
with upload.Upload(there, 'b-1', 1000) as sent:
    sent.write(data)
    sent.finish()
    name = sent.write_manifest({'x-object-meta-backup-format': '1'})
read = download.Download(there, types.SimpleNamespace(
    id='b-1', location=layout.location(place.url, 'nested', name),
    checksum=sent.checksum))
assert b''.join(read.pieces()) == data
assert there.get(name)[1] == data
client.delete_object(place.url, place.token.reveal(), 'nested', name,
                     query_string='multipart-manifest=delete')
print('left:', there.delete('b-1'))
"""


class TestNestedManifests(case.TestCase):

    def test_they_are_read_and_deleted_as_one_object(self):
        home = laboratory.home()
        done = subprocess.run(
            netns.inside(home.controller, [
                str(home.venv / 'bin' / 'python'), '-P', '-c', NESTED]),
            env={**process.environment(home), 'PYTHONWARNINGS': 'ignore'},
            cwd=home.root, text=True, capture_output=True, timeout=60)
        self.assertEqual('left: 0\n', done.stdout, done.stderr)


class TestFailingMember(test_member_backup.Base):

    def test_its_server_is_killed(self):
        self.fault('slow', '--kib', test_member_backup.SLOW_KIB)
        self.start()
        self.wait_copying()
        laboratory.lab('guest', 'kill-db', self.name)
        self.wait_failed()
        self.check_nothing_left()

    def test_its_agent_is_killed(self):
        self.fault('slow', '--kib', test_member_backup.SLOW_KIB)
        self.start()
        self.wait_copying()
        laboratory.lab('guest', 'kill-agent', self.name)
        self.check_nothing_left()
        self.assertEqual(backups.State.UNKNOWN, self.progress().state)

    def test_its_guest_is_restarted(self):
        self.fault('slow', '--kib', test_member_backup.SLOW_KIB)
        self.start()
        self.wait_copying()
        laboratory.lab('guest', 'reboot', self.name)
        self.check_nothing_left(objects=True)
        self.assertEqual(backups.State.UNKNOWN, self.progress().state)

    def test_nothing_secret_is_seen_meanwhile(self):
        self.fault('slow', '--kib', test_member_backup.SLOW_KIB)
        self.start()
        self.wait_copying()
        login = control.run(self.home, self.name, [
            'cat', sql.OPTION_FILE]).stdout
        password = re.search(r'^password\s*=\s*"?([^"\s]+)', login, re.M)[1]
        seen = control.run(self.home, self.name, ['sh', '-c', SEEN]).stdout
        self.assertIn('--galera-info', seen)
        log = self.home.logs / f'guest-{self.name}-agent.log'
        for secret in ('AUTH_ftk', password):
            self.assertNotIn(secret, seen)
            self.assertNotIn(secret, log.read_text())
        self.wait_complete()
