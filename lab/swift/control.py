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

"""Faults of the lab's Swift: stopped, hung, slow, full, failing.

Imported by ``lab.cli.swift`` and the end-to-end tests.
"""

from collections.abc import Iterable
import dataclasses
import signal
from typing import Any

from lab import errors
from lab import home as lab_home
from lab import process
from lab.services import all as all_services
from lab.services import base
from lab.services import keystone
from lab.services import swift
from lab.swift import conf
from lab.swift import disk
from lab.swift import faults as swift_faults

PARTS = {'proxy': swift.Proxy, 'storage': swift.Storage}
MIB = 1024 ** 2


def stop(home: lab_home.Home, parts: Iterable[str]) -> None:
    """Stop processes cleanly; connections to them are refused."""
    for service in _services(home, parts):
        service.stop()


def start(home: lab_home.Home, parts: Iterable[str]) -> None:
    """Start stopped processes, and wait until they answer."""
    todo = [service for service in _services(home, parts)
            if not service.is_up()]
    for service in todo:
        service.configure()
        service.start()
    for service in todo:
        service.wait_up()


def freeze(home: lab_home.Home, parts: Iterable[str]) -> None:
    """Suspend processes: they accept connections and do not answer.

    :raises LabError: one is not running
    """
    for service in _services(home, parts):
        if service.pid is None:
            raise errors.LabError(f'{service.name} is not running')
        process.signal_process(service.pid, signal.SIGSTOP)


def thaw(home: lab_home.Home, parts: Iterable[str]) -> None:
    """Continue suspended processes."""
    for service in _services(home, parts):
        if service.pid is not None:
            process.signal_process(service.pid, signal.SIGCONT)


def change_faults(home: lab_home.Home, **values: Any) -> None:
    """Tell the proxy which faults to simulate; the others stay.

    :param values: of ``faults.Faults``
    :raises LabError: the lab is down
    """
    check(home)
    file = conf.file_of_faults(home)
    swift_faults.store(file, dataclasses.replace(
        swift_faults.load(file), **values))


def fill(home: lab_home.Home, room: int) -> None:
    """Fill the disk, except so many bytes."""
    check(home)
    disk.fill(home, room)


def heal(home: lab_home.Home) -> None:
    """Undo all faults, except damage to objects and the life of tokens."""
    check(home)
    swift_faults.store(conf.file_of_faults(home), swift_faults.Faults())
    thaw(home, PARTS)
    start(home, PARTS)
    disk.free(home)


def set_token_life(home: lab_home.Home, seconds: int | None) -> None:
    """Set how long tokens are valid, and restart what checks it.

    Without Keystone it also concerns tokens that exist, and restarts the
    proxy. With Keystone it concerns new tokens.

    :param seconds: None for the default
    """
    check(home)
    home.set(token_seconds=seconds or conf.TOKEN_SECONDS)
    name = (keystone.Keystone.name if home.with_keystone
            else swift.Proxy.name)
    service = all_services.service(home, name)
    service.stop()
    service.configure()
    service.start()
    service.wait_up()


def in_words(home: lab_home.Home) -> str:
    """The faults and the state of the disk, one in each line."""
    check(home)
    lines = [f'{service.name} {_state(service)}'
             for service in _services(home, PARTS)]
    lines += swift_faults.in_words(
        swift_faults.load(conf.file_of_faults(home)))
    if swift.Storage(home).pid is not None:
        lines.append(f'the disk is {"" if disk.is_filled(home) else "not "}'
                     f'filled: {disk.space(home) // MIB} MiB for new objects')
    lines.append(f'tokens are valid for {conf.token_seconds(home)} s')
    return '\n'.join(lines)


def _state(service: base.Service) -> str:
    if service.pid is None:
        return 'is stopped'
    return 'is up' if service.answers() else 'does not answer'


def check(home: lab_home.Home) -> None:
    """Check that this lab has a Swift.

    :raises LabError: the lab is down
    """
    if not home.swift.exists():
        raise errors.LabError('the lab is not up; run "lab up" first')


def _services(home: lab_home.Home,
              parts: Iterable[str]) -> list[base.Service]:
    check(home)
    return [PARTS[part](home) for part in parts]
