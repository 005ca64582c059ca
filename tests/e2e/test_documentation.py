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

"""Every command of the user guide, in the documented order."""

import re
import time

from lab import api
from lab.guest import control
from lab import waiting
from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import pages
from tests.e2e import shell

GUIDE = laboratory.TOP / 'doc' / 'source' / 'user' / 'index.rst'
NAME = 'products'
#: Commands that only read; on a busy machine a member may answer late.
ASKING = re.compile(r'\b(?:list|show)\b')
ASK_AGAIN = 60
COMMAND_TIMEOUT = 600
GONE_TIMEOUT = 120


class TestUserGuide(case.TestCase):

    def setUp(self):
        super().setUp()
        self.home = laboratory.home()
        self.shell = shell.Shell({'LAB_HOME': str(self.home.root)})
        self.addCleanup(self.leave_nothing)
        self.addCleanup(self.shell.close)
        self.wrong = []

    def leave_nothing(self):
        """Check that the last command has deleted the cluster."""
        for cluster in self.clusters():
            if cluster['task']['name'] != 'DELETING':
                laboratory.openstack('database', 'cluster', 'delete',
                                     cluster['id'])

        def gone():
            left = self.clusters()
            if left:
                raise waiting.NotYet(str(left)[:300])
            return True
        waiting.until(f'{NAME} to be gone', gone, GONE_TIMEOUT, 1)

    def clusters(self):
        return [cluster for cluster in api.clusters(self.home)
                if cluster['name'] == NAME]

    def test_every_command_ends_as_shown(self):
        shown = [item for page in pages.pages(GUIDE)
                 for item in pages.read(page)
                 if isinstance(item, pages.Command)]
        for command in shown:
            self.follow(command)
        self.assertEqual([], self.wrong)

    def follow(self, command):
        """Run a command; it must end as shown, for the next ones to work."""
        began = time.monotonic()
        while True:
            done = self.run_shown(command)
            took = time.monotonic() - began
            self.assertEqual(command.code, done.code,
                             f'{command.place}\n{done.output}')
            missing = pages.missing(command.output, done.output)
            if not missing or not ASKING.search(command.text) or (
                    took > ASK_AGAIN):
                break
        print(f'{took:6.1f} s  {command.text}')
        if missing:
            self.wrong.append((command.place, missing, done.output))

    def run_shown(self, command):
        if not command.host:
            return self.shell.run(command.text, COMMAND_TIMEOUT)
        done = control.run(self.home, command.host,
                           ['bash', '-c', command.text])
        return shell.Done(done.stdout + done.stderr, done.returncode)
