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

"""Faults of the control plane: its services die at a chosen step.

For the tests of this folder. The step is found in the log of the taskmanager,
which has no code for these tests.
"""

from collections.abc import Iterator
import contextlib
import pathlib
import re
import time

from lab import api
from lab import home as lab_home
from lab import process
from lab.services import all as all_services
from lab import waiting
from tests.e2e import laboratory

#: Between two polls of a log: shorter than the shortest step.
LOOK = 0.02
STEP_SECONDS = 400
#: From the start of another taskmanager until an operation is over.
TAKEN_UP_SECONDS = 180
DELETE_SECONDS = 90


class Log:
    """The log of a service since this object was created."""

    def __init__(self, name: str) -> None:
        self._path: pathlib.Path = process.log_file(laboratory.home(), name)
        self._from = self._path.stat().st_size

    def text(self) -> str:
        with self._path.open('rb') as file:
            file.seek(self._from)
            return file.read().decode(errors='replace')

    def wait(self, pattern: str, seconds: float = STEP_SECONDS) -> str:
        """Wait for a line that matches; return the match."""
        def look() -> str:
            found = re.search(pattern, self.text())
            if not found:
                raise waiting.NotYet(self.text()[-300:])
            return found.group(0)

        return waiting.until(f'"{pattern}" in {self._path}', look, seconds,
                             LOOK)


def step_taken(cluster_id: str, step: str, member: str) -> str:
    """A pattern for the log line of a step that is over."""
    return (f'of cluster {cluster_id}: {re.escape(step)} of '
            f'{re.escape(member)} (took|is done)')


def kill(*names: str) -> None:
    services = all_services.services(laboratory.home())
    for name in names:
        assert services[name].kill(), f'{name} does not run'


def start(*names: str) -> None:
    services = all_services.services(laboratory.home())
    for name in names:
        services[name].configure()
        services[name].start()
    for name in names:
        services[name].wait_up()


@contextlib.contextmanager
def without(*names: str) -> Iterator[None]:
    """None of these services runs while the block runs."""
    kill(*names)
    try:
        yield
    finally:
        start(*names)


def wait_seconds(seconds: float) -> None:
    """Wait for the duration of an outage, if the duration matters."""
    waiting.pause(seconds)


def wait_over(cluster_id: str, seconds: float = TAKEN_UP_SECONDS) -> float:
    """Wait until a cluster has no task; return the seconds it took."""
    began = time.monotonic()

    def over() -> bool:
        task = api.cluster(laboratory.home(), cluster_id)['task']['name']
        if task != 'NONE':
            raise waiting.NotYet(task)
        return True

    waiting.until(f'cluster {cluster_id} to have no task', over, seconds,
                  0.5)
    return time.monotonic() - began


def faults(cluster_id: str) -> dict[str, str]:
    """The faults of the members in error, by name, each in one line."""
    home: lab_home.Home = laboratory.home()
    shown = [api.instance(home, member['id']) for member
             in api.cluster(home, cluster_id)['instances']]
    # Trove breaks long messages into lines.
    return {str(instance['name']): ' '.join(str(
        (instance.get('fault') or {}).get('message', '')).split())
        for instance in shown if instance['status'] == 'ERROR'}
