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

"""The guest image is built, checked, and booted until its agent works.

It takes half an hour without KVM, and the lab of LAB_HOME has to be up; "tox
-e image" starts it. Set IMAGE_FOLDER to keep the image, and to use the one
that is there.
"""

import json
import os
import pathlib
import subprocess
import tempfile
from typing import Any

import testtools

from lab import home as lab_home
from lab.images import build as database_image
from lab import netns
from lab import report
from lab.services import trove
from lab import waiting
from tests.image import building
from tests.image import machine

TOP = pathlib.Path(__file__).resolve().parents[2]
CONTROLLER = TOP / 'tests/image/controller.py'
SITE_PACKAGES = 'opt/guest-agent-venv/lib/python3*/site-packages'
#: Seconds, for a busy machine without KVM.
BOOT_TIMEOUT = 2400
PREPARE_TIMEOUT = 1200


class GuestImageTest(testtools.TestCase):

    image: pathlib.Path

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.home = lab_home.Home.from_environment()
        kept = os.environ.get('IMAGE_FOLDER')
        cls.temporary = None
        if kept is None:
            cls.temporary = tempfile.TemporaryDirectory(
                dir=cls.home.root, prefix='image-')
        folder = pathlib.Path(kept or cls.temporary.name)
        folder.mkdir(parents=True, exist_ok=True)
        cls.image = folder / building.IMAGE
        if not cls.image.exists():
            archive = database_image.ensure_database_image(
                cls.home, report.Report())
            building.build(folder, archive)
        cls.folder = folder

    @classmethod
    def tearDownClass(cls) -> None:
        if cls.temporary is not None:
            cls.temporary.cleanup()
        super().tearDownClass()

    def test_contents_of_the_image(self) -> None:
        with machine.Mounted(self.image, self.folder / 'mounted') as image:
            for pattern in (
                    f'{SITE_PACKAGES}/trove_pxc/guestagent/manager.py',
                    f'{SITE_PACKAGES}/trove_pxc/guestagent/start/'
                    'galera-start.sh',
                    f'{SITE_PACKAGES}/trove_pxc-*.dist-info/'
                    'entry_points.txt',
                    f'{SITE_PACKAGES}/trove/guestagent/api.py',
                    'usr/sbin/dockerd', 'usr/bin/containerd',
                    'var/lib/docker/image/overlay2/repositories.json'):
                self.assertEqual(1, len(image.find(pattern)), pattern)
            started = image.folder.joinpath(
                'etc/systemd/system/multi-user.target.wants')
            for unit in ('guest-agent', 'docker'):
                self.assertTrue((started / f'{unit}.service').is_symlink(),
                                unit)
            images = json.loads(
                image.find('var/lib/docker/image/overlay2/'
                           'repositories.json')[0].read_text())
            self.assertIn('trove-lab/mariadb:10.11',
                          images['Repositories']['trove-lab/mariadb'])
            self.assert_one_user(image)
            self.assert_nothing_is_left(image)

    def assert_one_user(self, image: machine.Mounted) -> None:
        """Trove's user owns files; the agent creates that of the database."""
        users = {line.split(':')[2]: line.split(':')[0] for line in (
            image.folder / 'etc/passwd').read_text().splitlines()}
        self.assertEqual('ubuntu', users['1000'])
        self.assertNotIn('1001', users)
        self.assertIn('name: ubuntu', image.find(
            'etc/cloud/cloud.cfg.d/60-trove-pxc-user.cfg')[0].read_text())

    def assert_nothing_is_left(self, image: machine.Mounted) -> None:
        """No files of the hooks or of this machine are left."""
        self.assertEqual([], image.find('etc/ssh/ssh_host_*'))
        self.assertEqual([], image.find('mnt/*'))
        self.assertEqual([], image.find('tmp/*'))
        self.assertEqual([], image.find('run/trove-pxc.*'))
        self.assertEqual([], image.find('var/lib/docker/**/docker.pid'))
        for shadow in (image.folder / 'etc/shadow').read_text().splitlines():
            self.assertIn(shadow.split(':')[1][:1], ('*', '!'), shadow)

    def test_agent_prepares_a_member(self) -> None:
        folder = pathlib.Path(self.temporary_folder())
        guest = self.controller('birth')
        booted = machine.Machine(self.image, folder)
        self.addCleanup(booted.stop)
        booted.start(self.home, guest['user_data'])
        self.wait(booted, 'the guest agent to answer', BOOT_TIMEOUT,
                  lambda: self.controller('report', guest['id']))

        self.controller('prepare', guest['id'])

        def prepared() -> str:
            said = str(self.controller('status', guest['id']))
            if 'fail' in said.lower():
                raise AssertionError(
                    f'{said}: {self.controller("report", guest["id"])}\n'
                    f'{booted.last_lines()}')
            if said != 'instance ready':
                raise waiting.NotYet(said)
            return said
        self.wait(booted, 'the status of the prepared member',
                  PREPARE_TIMEOUT, prepared)

    def temporary_folder(self) -> str:
        folder = tempfile.TemporaryDirectory(
            dir=self.home.root, prefix='machine-')
        self.addCleanup(folder.cleanup)
        return folder.name

    def wait(self, booted: machine.Machine, what: str, seconds: float,
             probe: Any) -> None:
        """Wait, but stop when the machine has ended."""
        def look() -> Any:
            died = booted.died()
            if died is not None:
                raise AssertionError(f'qemu ended: {died}')
            try:
                return probe()
            except NoAnswer as silence:
                raise waiting.NotYet(str(silence)) from silence
        try:
            waiting.until(what, look, seconds, 2)
        except waiting.WaitTimeout as error:
            raise AssertionError(
                f'{error}\n{booted.last_lines()}') from error

    def controller(self, step: str, *words: str) -> Any:
        """Run one step of Trove's controller."""
        environ = {**os.environ, 'PYTHONPATH': str(TOP)}
        done = subprocess.run(
            netns.inside(self.home.controller, [
                str(self.home.venv / 'bin/python'), '-W', 'ignore',
                str(CONTROLLER), str(trove.configuration_file(self.home)),
                step, *words]),
            env=environ, capture_output=True, text=True)
        if done.returncode:
            raise NoAnswer(done.stderr.strip().splitlines()[-1])
        return json.loads(done.stdout.splitlines()[-1])


class NoAnswer(Exception):
    """A step of the controller failed; the text is why."""
