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

from lab.guest import control
from lab import sql
from tests.e2e import laboratory
from tests.e2e.together import test_member_backup
from trove_pxc.galera import backups

#: what other users of the guest can see, and the container's configuration
SEEN = f"""
cat /proc/*/cmdline /proc/*/environ 2> /dev/null | tr '\\0' '\\n'
curl -s --unix-socket /var/run/docker.sock \\
    http://localhost/containers/{test_member_backup.TOOL}/json
"""


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
        password = login.partition('password')[2].split()[-1].strip('"')
        seen = control.run(self.home, self.name, ['sh', '-c', SEEN]).stdout
        self.assertIn('--galera-info', seen)
        log = self.home.logs / f'guest-{self.name}-agent.log'
        for secret in ('AUTH_ftk', password):
            self.assertNotIn(secret, seen)
            self.assertNotIn(secret, log.read_text())
        self.wait_complete()
