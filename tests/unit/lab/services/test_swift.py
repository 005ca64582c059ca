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
"""The files and the programs of the lab's Swift."""

import stat

import fixtures
import testtools

from lab import home as lab_home
from lab.services import swift
from lab.swift import conf


class SwiftTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.proxy = swift.Proxy(self.home)
        self.commands: list[list[str]] = []
        self.useFixture(fixtures.MonkeyPatch(
            'lab.netns.command', self.commands.append))

    def test_only_root_reads_its_keys(self) -> None:
        self.proxy.configure()
        self.assertEqual(0o700, stat.S_IMODE(self.home.swift.stat().st_mode))
        for name in ('swift.conf', 'proxy-server.conf'):
            self.assertEqual(0o600, stat.S_IMODE(
                (self.home.swift / name).stat().st_mode))

    def test_rings_are_built_once(self) -> None:
        self.proxy.configure()
        self.assertEqual(
            ['account:6202:lists', 'container:6201:lists',
             'object:6200:objects'], self.commands[0][-3:])
        for kind in conf.PORTS:
            (self.home.swift / f'{kind}.ring.gz').touch()
        self.proxy.configure()
        self.assertEqual(1, len(self.commands))

    def test_keys_are_not_arguments(self) -> None:
        for service in (self.proxy, swift.Storage(self.home)):
            words = ' '.join([*service.argv(), *service.env().values()])
            for name in ('swift-tokens', 'swift-hash', 'swift-demo'):
                self.assertNotIn(self.home.secret(name), words)
