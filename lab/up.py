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
"""Starts a lab: installs, builds, starts, and waits for all services.

Imported by the command line. Each part does nothing if it is already done.
"""

import dataclasses

from lab import cleanup
from lab import datastores
from lab import home as lab_home
from lab import identity
from lab import netns
from lab import packages
from lab import parallel
from lab import report as lab_report
from lab.services import all as all_services
from lab.services import base
from lab.services import keystone
from lab.services import mariadb
from lab.services import trove
from lab import venv


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The requested configuration of a lab.

    :ivar api_port: the port of Trove's API on the loopback
    :ivar keystone: whether to run Keystone; else all requests are accepted
    :ivar keystone_port: the port of Keystone on the loopback
    :ivar plain: whether to install Trove without this project
    :ivar debug: whether Trove logs at debug level; None: as before
    :ivar trove_version: the release of Trove to run; None: as before
    """

    api_port: int
    keystone: bool
    keystone_port: int
    plain: bool = False
    debug: bool | None = None
    trove_version: str | None = None


def up(home: lab_home.Home, report: lab_report.Report,
       wanted: Wanted) -> None:
    """Start the lab; do nothing if it is up.

    ``preflight.check`` must have passed. A running lab must have the requested
    configuration.

    :raises LabError: what is missing or has failed, and what to do
    """
    if is_up(home):
        report.say(f'the lab is up: {home.api_url}')
        return
    packages.restore_policy()
    _clean_up(home, report)
    home.set(api_port=wanted.api_port, keystone=wanted.keystone,
             keystone_port=wanted.keystone_port, plain=wanted.plain)
    home.make()
    if wanted.trove_version is not None:
        home.set(trove_version=wanted.trove_version)
    if 'run_netns_was_there' not in home.settings():
        home.set(run_netns_was_there=netns.FOLDER.is_dir())
    if wanted.debug is not None:
        home.set(debug=wanted.debug)
    packages.install(home, report, venv.base_python())
    netns.create_controller(home)
    services = all_services.services(home)
    parallel.run(
        # Do not change what the user has installed in a running plain lab.
        *([] if wanted.plain and runs(home) else
          [lambda: venv.ensure(home, report)]),
        *([lambda: venv.ensure_keystone(home, report)]
          if wanted.keystone else []),
        lambda: venv.ensure_swift(home, report),
        lambda: datastores.prepare_default(home, report),
        lambda: _start(report, services['mariadb']),
        lambda: _start(report, services['rabbitmq']))
    trove.configure(home)
    parallel.run(
        lambda: _prepare_tables(home, report, services),
        *([lambda: _start_keystone(home, report)]
          if wanted.keystone else []),
        lambda: _start(report, services['swift-storage'],
                       services['swift-proxy']),
        lambda: _start(report, services['cloud'], services['forwarder']))
    parallel.run(
        lambda: _start(report, services['api'], services['conductor'],
                       services['taskmanager']),
        *([] if wanted.plain else
          [lambda: datastores.add_default(home, report)]))
    report.say(f'the lab is up: {home.api_url}')


def is_up(home: lab_home.Home) -> bool:
    """Whether everything is up."""
    return (home.exists and venv.is_ready(home)
            and venv.swift_is_ready(home)
            and (venv.keystone_is_ready(home) or not home.with_keystone)
            and (home.plain or datastores.default_is_there(home))
            and set(all_services.states(home).values()) == {'up'})


def runs(home: lab_home.Home) -> bool:
    """Whether any service of the lab runs."""
    return any(service.pid is not None
               for service in all_services.services(home).values())


def _clean_up(home: lab_home.Home, report: lab_report.Report) -> None:
    if runs(home):
        return
    left = cleanup.found(home)
    if left:
        with report.step(f'cleaning up after an earlier lab: '
                         f'{", ".join(left)}'):
            cleanup.clear(home)


def _start(report: lab_report.Report, *services: base.Service) -> None:
    todo = [service for service in services if not service.is_up()]
    if not todo:
        return
    with report.step(', '.join(service.name for service in todo)):
        for service in todo:
            service.configure()
            service.start()
        for service in todo:
            service.wait_up()


def _start_keystone(home: lab_home.Home, report: lab_report.Report) -> None:
    service = keystone.Keystone(home)
    with report.step("Keystone's tables and keys"):
        service.prepare()
    _start(report, service)
    with report.step('projects, users and the catalogue'):
        identity.fill(home)


def _prepare_tables(home: lab_home.Home, report: lab_report.Report,
                    services: dict[str, base.Service]) -> None:
    done = home.mariadb / 'tables-are-there'
    if done.exists():
        return
    with report.step("Trove's tables"):
        mariadb.MariaDB(home).make_database('trove')
        trove.run(home, [*trove.command(home, 'trove-manage'), 'db_sync'])
    done.touch()
