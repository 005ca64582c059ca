# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""A real Swift from PyPI, in a separate Python environment.

Imported by ``lab.services.all``. The proxy is a process, the account,
container and object server together another. Guests reach the proxy.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lab import home as lab_home
from lab import netns
from lab import private
from lab import process
from lab.services import base
from lab.swift import conf
from lab.swift import disk


class Swift(base.Service):
    """A process of Swift."""

    def configure(self) -> None:
        root = self.home.swift
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        (conf.folder_of_devices(self.home)
         / conf.DEVICES['container']).mkdir(parents=True, exist_ok=True)
        private.write(root / 'swift.conf', conf.hashing(self.home))
        for kind in conf.PORTS:
            private.write(root / f'{kind}-server.conf',
                          conf.server(self.home, kind))
        private.write(root / 'proxy-server.conf', conf.proxy(self.home))
        self._make_rings()

    def env(self) -> Mapping[str, str]:
        return {'PYTHONWARNINGS': 'ignore:::swift.common.concurrency'}

    def stop(self) -> None:
        process.stop(self.home, self.name, timeout=5)

    def _make_rings(self) -> None:
        missing = [kind for kind in conf.PORTS
                   if not (self.home.swift / f'{kind}.ring.gz').exists()]
        if missing:
            netns.command(['env', f'PYTHONPATH={self.home.library}', *module(
                self.home, 'lab.swift.rings', *(
                    f'{kind}:{conf.PORTS[kind]}:{conf.DEVICES[kind]}'
                    for kind in missing))])


class Storage(Swift):
    """The account, container and object server."""

    name = disk.OWNER

    def configure(self) -> None:
        super().configure()
        disk.make(self.home)

    def argv(self) -> Sequence[str]:
        return disk.mounted(self.home, module(
            self.home, 'lab.swift.storage', *conf.PORTS))

    def answers(self) -> bool:
        return all(base.answers_http(
            self.home, f'http://127.0.0.1:{port}/healthcheck')
            for port in conf.PORTS.values())


class Proxy(Swift):
    name = 'swift-proxy'

    def argv(self) -> Sequence[str]:
        return [str(program(self.home, 'swift-proxy-server')),
                str(self.home.swift / 'proxy-server.conf'), '--verbose']

    def answers(self) -> bool:
        return base.answers_http(
            self.home, f'http://127.0.0.1:{lab_home.SWIFT_PORT}/healthcheck')


def program(home: lab_home.Home, name: str) -> Path:
    return home.venv_swift / 'bin' / name


def module(home: lab_home.Home, name: str, *words: str) -> list[str]:
    """The command line of a program of the lab that imports Swift."""
    return [str(program(home, 'python')), '-P', '-m', name,
            str(home.swift), *words]
