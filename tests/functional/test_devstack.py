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

"""The DevStack plugin, with stubs for DevStack's functions.

The files that it writes are read by Trove's own parser and by the checks of
this package; the versions that it registers are rows of Trove's tables.
"""

import configparser
import os
import pathlib
import stat
import subprocess

from tests.functional import base
from tests.functional import site as sites
from trove_pxc.checks import check
from trove_pxc.checks import site
from trove_pxc.checks import table

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = """\
#!/bin/sh
printf '%s\\t%s\\n' "$(basename "$0")" "$*" >> {calls}
exit {code}
"""
BUILDER = """\
#!/bin/sh
printf 'disk-image-create\\t%s\\n' "$*" >> {calls}
env >> {calls}
while [ "$1" != -o ]; do shift; done
echo image > "$2"
"""
#: Written by Trove's own plugin before.
TROVE = """\
[DEFAULT]
guest_config = {folder}/trove-guestagent.conf
taskmanager_manager = trove.taskmanager.manager.Manager
remote_glance_client = tests.functional.site.glance

[database]
connection = {connection}

[mariadb]
tcp_ports = 3306,4444,4567,4568

[pxc]
tcp_ports = 3306,4444,4567,4568
"""
GUEST = """\
[DEFAULT]
state_change_wait_time = 600
transport_url = rabbit://stackrabbit:very-secret@172.24.4.1:5672/
"""


class DevstackTest(sites.SiteTest):

    def setUp(self) -> None:
        super().setUp()
        self.trove = TROVE.format(folder=self.folder,
                                  connection=self.connection)
        self.guest = GUEST
        self.write_files()
        self.calls = os.path.join(self.folder, 'calls')
        self.programs(status=0)
        self.program('bin/disk-image-create',
                     BUILDER.format(calls=self.calls))

    def programs(self, status: int) -> None:
        for name, code in (('status', status), ('manage', 0)):
            self.program(f'bin/trove-pxc-{name}', PROGRAM.format(
                calls=self.calls, code=code))

    def program(self, name: str, text: str) -> None:
        path = self.write(name, text)
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)

    def plugin(self, *phase: str, **settings: str
               ) -> subprocess.CompletedProcess[str]:
        environ = {
            **os.environ, 'CALLS': self.calls, 'ENABLED': 'trove',
            'PLUGIN': str(TOP / 'devstack'), 'DEST': '/opt/stack',
            'IMAGES': '', 'HOME': self.folder,
            'PATH': f'{self.folder}/bin:{os.environ["PATH"]}',
            'TROVE_BIN_DIR': f'{self.folder}/bin',
            'TROVE_CONF': f'{self.folder}/trove.conf',
            'TROVE_GUESTAGENT_CONF': f'{self.folder}/trove-guestagent.conf',
            'TROVE_DIR': '/opt/stack/trove', 'TROVE_IMAGE_OS': 'ubuntu',
            'TROVE_IMAGE_OS_RELEASE': 'noble',
            'TROVE_STATE_CHANGE_WAIT_TIME': '600', **settings}
        return subprocess.run(
            ['bash', str(TOP / 'tests/functional/devstack_stubs.sh'),
             *phase], env=environ, capture_output=True, text=True,
            timeout=600)

    def run_phase(self, *phase: str, **settings: str) -> list[list[str]]:
        """Run a phase, and return its calls."""
        pathlib.Path(self.calls).write_text('')
        done = self.plugin(*phase, **settings)
        self.assertEqual(0, done.returncode, done.stdout + done.stderr)
        return [line.split('\t') for line
                in pathlib.Path(self.calls).read_text().splitlines()]

    def apply(self, calls: list[list[str]]) -> None:
        """Carry out the calls of iniset."""
        for call in calls:
            if call[0] == 'iniset':
                file, section, option, value = call[1:]
                parser = configparser.ConfigParser(interpolation=None)
                parser.read(file)
                if section != 'DEFAULT' and not parser.has_section(section):
                    parser.add_section(section)
                parser.set(section, option, value)
                with open(file, 'w') as content:
                    parser.write(content)

    def register_all(self, calls: list[list[str]]) -> None:
        """Carry out the calls of trove-pxc-manage."""
        rules = str(self.rules('pxc'))
        for call in calls:
            if call[0] == 'trove-pxc-manage':
                before, words = call[1].split(' datastore add ')
                self.assertEqual(f'--config-file {self.folder}/trove.conf',
                                 before)
                code, _, why = self.manage(*words.split(), '--rules', rules)
                self.assertEqual(0, code, why)

    def test_install_phase_installs_the_package(self) -> None:
        self.assertIn(['setup_develop', '/opt/stack/trove-pxc'],
                      self.run_phase('stack', 'install'))

    def test_nothing_is_done_without_trove(self) -> None:
        calls = self.run_phase('stack', 'post-config', ENABLED='nova')
        self.assertEqual({'define_plugin', 'plugin_requires'},
                         {call[0] for call in calls})

    def test_configuration_image_and_versions_are_correct(self) -> None:
        self.apply(self.run_phase('stack', 'post-config'))
        calls = self.run_phase('stack', 'extra')
        self.register_all(calls)
        for datastore, version in (('pxc', '8.0'), ('mariadb', '10.11')):
            self.assertEqual('trove-pxc',
                             self.row(datastore, version).image_tags)
        built = next(call[1] for call in calls
                     if call[0] == 'disk-image-create')
        self.assertIn('guest-agent ubuntu-docker trove-pxc-guest', built)
        self.assertIn(
            ['DIB_TROVE_PXC_DATABASE_IMAGES=percona/percona-xtradb-cluster:'
             '8.0 mariadb:10.11 '], calls)
        created = next(call for call in calls if 'create' in call)
        self.assertIn('trove-pxc', created)
        self.assertIn(f'{self.folder}/images/trove-pxc-guest.qcow2', created)

        base.CONF(['--config-file', f'{self.folder}/trove.conf'],
                  project='trove', default_config_dirs=[])
        self.assertEqual([], [
            outcome.text for outcome
            in check.ask(table.CHECKS, site.Site(base.CONF))
            if outcome.faults or outcome.blocked_by])

    def test_an_existing_image_is_not_built_again(self) -> None:
        self.apply(self.run_phase('stack', 'post-config'))
        calls = self.run_phase('stack', 'extra', IMAGES='1234')
        self.assertEqual([], [call for call in calls if 'create' in call])

    def test_one_datastore_in_two_versions_is_registered(self) -> None:
        settings = {'TROVE_PXC_DATASTORES': 'pxc:8.4 pxc:8.0'}
        self.apply(self.run_phase('stack', 'post-config', **settings))
        self.register_all(
            self.run_phase('stack', 'extra', IMAGES='1234', **settings))
        self.assertEqual(
            self.row('pxc', '8.4').id,
            self.datastore('pxc').default_version_id)

    def test_a_failed_check_ends_stack_sh(self) -> None:
        self.programs(status=2)
        done = self.plugin('stack', 'extra', IMAGES='1234')
        self.assertEqual(1, done.returncode, done.stdout + done.stderr)
        self.assertIn('The check of trove-pxc failed', done.stderr)

    def test_a_warning_does_not_end_stack_sh(self) -> None:
        self.programs(status=1)
        calls = self.run_phase('stack', 'extra', IMAGES='1234')
        self.assertIn('upgrade check', calls[-1][1])
