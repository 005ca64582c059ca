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

"""The checks before a machine is changed."""

import os
import pathlib

import fixtures
import testtools

from lab import errors
from lab import home as lab_home
from lab import preflight
from lab import process


class TroveVersionTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.home.make()
        # Without the checks of this machine.
        self.useFixture(fixtures.MonkeyPatch('lab.preflight.PROBES', ()))
        self.useFixture(fixtures.MonkeyPatch(
            'lab.preflight._fundamental', lambda home: iter(())))
        self.useFixture(fixtures.MonkeyPatch(
            'lab.preflight._port', lambda name, port: iter(())))

    def refusal(self, version: str | None) -> str:
        """The reason why this release is refused; '' if it is accepted."""
        try:
            preflight.check(self.home, {'LAB_API_PORT': 8779}, version)
        except errors.LabError as error:
            return str(error)
        return ''

    def test_a_release(self) -> None:
        self.assertEqual('', self.refusal('25.0.0'))
        self.assertEqual('', self.refusal(None))

    def test_what_is_none(self) -> None:
        for wrong in ('', '25', '25.0', 'latest', '25.0.0 --pre',
                      '25.0.0\n'):
            self.assertIn('is not a release of Trove', self.refusal(wrong),
                          repr(wrong))

    def test_a_lab_that_is_up_keeps_its_own(self) -> None:
        self.home.set(trove_version='25.0.0')
        process.remember(self.home, 'conductor', os.getpid())
        self.assertEqual('', self.refusal('25.0.0'))
        self.assertEqual('', self.refusal(None))
        self.assertIn('runs Trove 25.0.0: run "lab down"',
                      self.refusal('26.0.0'))


class Ipv6Test(testtools.TestCase):

    def test_a_kernel_without_it(self) -> None:
        folder = self.useFixture(fixtures.TempDir())
        home = lab_home.Home(folder.path)
        self.useFixture(fixtures.MonkeyPatch(
            'lab.preflight.IPV6', pathlib.Path(folder.path, 'none')))
        self.useFixture(fixtures.MonkeyPatch(
            'lab.preflight.PROBES', (preflight._ipv6,)))
        self.useFixture(fixtures.MonkeyPatch(
            'lab.preflight._fundamental', lambda home: iter(())))
        self.useFixture(fixtures.MonkeyPatch(
            'lab.preflight._port', lambda name, port: iter(())))
        refused = self.assertRaises(errors.LabError, preflight.check, home,
                                    {'LAB_API_PORT': 8779}, None)
        self.assertIn('the kernel has no IPv6', str(refused))
