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
"""Bringing a lab up: install, build, start, and wait until all answers.

Imported by the command line. Every part first looks whether it is done.
"""

from lab import datastores
from lab import home as lab_home
from lab import netns
from lab import packages
from lab import parallel
from lab import report as lab_report
from lab import ruins
from lab.services import all as all_services
from lab.services import base
from lab.services import mariadb
from lab.services import trove
from lab import venv


def up(home: lab_home.Home, report: lab_report.Report, port: int,
       debug: bool | None = None, trove_version: str | None = None
       ) -> None:
    """Bring the lab up; a lab that is up is left as it is.

    The machine has to have passed ``preflight.check``.

    :param port: where Trove's API is to be reached on the loopback
    :param debug: whether Trove logs at debug level; None: as before
    :param trove_version: the release of Trove to run; None: as before
    :raises LabError: what is missing or has failed, and what to do
    """
    if is_up(home):
        report.say(f'the lab is up: {home.api_url}')
        return
    packages.restore_policy()
    _clear_ruins(home, report)
    home.make()
    home.set(api_port=port)
    if trove_version is not None:
        home.set(trove_version=trove_version)
    if 'run_netns_was_there' not in home.settings():
        home.set(run_netns_was_there=netns.FOLDER.is_dir())
    if debug is not None:
        home.set(debug=debug)
    packages.install(home, report, packages.missing(venv.base_python()))
    netns.create_controller(home)
    services = all_services.services(home)
    parallel.run(
        lambda: venv.ensure(home, report),
        lambda: datastores.prepare_default(home, report),
        lambda: _start(report, services['mariadb']),
        lambda: _start(report, services['rabbitmq']))
    trove.configure(home)
    parallel.run(
        lambda: _prepare_tables(home, report, services),
        lambda: _start(report, services['cloud'], services['forwarder']))
    parallel.run(
        lambda: _start(report, services['api'], services['conductor'],
                       services['taskmanager']),
        lambda: datastores.add_default(home, report))
    report.say(f'the lab is up: {home.api_url}')


def is_up(home: lab_home.Home) -> bool:
    """Whether there is nothing left to do."""
    return (home.exists and venv.is_ready(home)
            and datastores.default_is_there(home)
            and set(all_services.states(home).values()) == {'up'})


def _clear_ruins(home: lab_home.Home, report: lab_report.Report) -> None:
    if any(service.pid is not None
           for service in all_services.services(home).values()):
        return
    left = ruins.found(home)
    if left:
        with report.step(f'clearing what an earlier lab has left: '
                         f'{", ".join(left)}'):
            ruins.clear(home)


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


def _prepare_tables(home: lab_home.Home, report: lab_report.Report,
                    services: dict[str, base.Service]) -> None:
    done = home.mariadb / 'tables-are-there'
    if done.exists():
        return
    with report.step("Trove's tables"):
        mariadb.MariaDB(home).make_database('trove')
        trove.run(home, [*trove.command(home, 'trove-manage'), 'db_sync'])
    done.touch()
