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

"""From Trove without this project to a cluster, by the installation guide.

In a plain lab, which "tox -e e2e-plain" starts; not among the tests of
"tox -e e2e". All commands are those of the installation guide and of the
lab's page.
"""

import re
import subprocess
import time

from lab import api
from tests.e2e import case
from tests.e2e import editing
from tests.e2e import laboratory
from tests.e2e import pages
from tests.e2e import shell

INSTALL = laboratory.TOP / 'doc' / 'source' / 'install' / 'index.rst'
LAB = laboratory.TOP / 'doc' / 'source' / 'lab' / 'index.rst'
STEP = re.compile(r'(?P<number>\d+)\. ')
OF_LAB = re.compile(r'(?P<when>Before|After) step (?P<number>\d+)$')
ENTER = './lab/lab shell'
ETC = '/etc/trove/'
NAME = 'products'
MEMBERS = [f'{NAME}-{number}' for number in (1, 2, 3)]
COMMAND_TIMEOUT = 600


class TestInstallation(case.TestCase):

    def setUp(self):
        super().setUp()
        self.home = laboratory.home()
        if not self.home.plain:
            self.skipTest('the lab is not plain: see "lab up --plain"')
        self.machine = shell.Shell({'LAB_HOME': str(self.home.root)})
        self.addCleanup(self.machine.close)
        self.here = self.machine
        self.controller = shell.Shell(
            argv=[str(laboratory.PROGRAM), 'shell', 'bash', '--norc'])
        self.addCleanup(self.controller.close)

    def test_the_guide_alone_leads_to_a_cluster(self):
        self.assert_nothing_of_ours()
        for item in self.way():
            if isinstance(item, pages.File):
                self.write(item)
            else:
                self.follow(item)
        for cluster in api.clusters(self.home):
            self.assertEqual(NAME, cluster['name'])
            laboratory.wait_ready(cluster['id'])
        laboratory.wait_agreement(MEMBERS)

    def way(self):
        """The guide's steps, and those of the lab's page around them."""
        steps = {}
        for item in pages.read(INSTALL):
            number = int(STEP.match(item.section)['number'])
            steps.setdefault((number, 1), []).append(item)
        for item in pages.read(LAB):
            when = OF_LAB.match(item.section)
            if when:
                place = 0 if when['when'] == 'Before' else 2
                steps.setdefault(
                    (int(when['number']), place), []).append(item)
        return [item for key in sorted(steps) for item in steps[key]]

    def assert_nothing_of_ours(self):
        """The lab has no trove_pxc at the start."""
        python = self.home.venv / 'bin' / 'python'
        done = subprocess.run(
            [str(python), '-I', '-c', 'import trove; import trove_pxc'],
            capture_output=True, text=True)
        self.assertIn("No module named 'trove_pxc'", done.stderr)
        self.assertEqual([], laboratory.openstack_json('datastore', 'list'))

    def write(self, item):
        path = self.home.etc / item.name.removeprefix(ETC)
        before = path.read_text()
        path.write_text(editing.written(before, item.text))
        self.assertNotEqual(before, path.read_text(), item.place)

    def follow(self, command):
        """Run it where its prompt is, or, without one, on the machine."""
        began = time.monotonic()
        place = self.here
        if command.page == pages.named(LAB):
            place = self.controller if command.host else self.machine
        done = place.run(command.text, COMMAND_TIMEOUT)
        if command.text == ENTER:
            self.here = self.controller
        print(f'{time.monotonic() - began:6.1f} s  {command.text}')
        self.assertEqual(command.code, done.code,
                         f'{command.place}\n{done.output}')
        self.assertEqual(
            [], pages.missing(command.output, done.output), command.place)
