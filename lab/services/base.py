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

"""The common part of all services of the controller.

Imported by the services, and by the modules that start and stop them.
"""

import abc
from collections.abc import Mapping, Sequence
import subprocess

from lab import errors
from lab import home as lab_home
from lab import netns
from lab import process
from lab import waiting
from lab import web


class Service(abc.ABC):
    """A program that runs in the controller's namespace."""

    name: str
    #: seconds within which it must answer after its start
    patience = 90.0

    def __init__(self, home: lab_home.Home) -> None:
        self.home = home

    @abc.abstractmethod
    def argv(self) -> Sequence[str]:
        """The command line of the program."""

    @abc.abstractmethod
    def answers(self) -> bool:
        """Whether the running program answers requests."""

    def env(self) -> Mapping[str, str]:
        """Environment variables of the program, besides those of the lab."""
        return {}

    @property
    def namespace(self) -> str | None:
        return self.home.controller

    def configure(self) -> None:
        """Write its configuration, if that is not done yet."""

    @property
    def pid(self) -> int | None:
        return process.find(self.home, self.name)

    def is_up(self) -> bool:
        return self.pid is not None and self.answers()

    def start(self) -> None:
        """Start the program if it does not run; do not wait for it."""
        if self.pid is None:
            process.spawn(self.home, self.name, self.argv(),
                          namespace=self.namespace, env=self.env())

    def wait_up(self) -> None:
        """Wait until the program answers.

        :raises LabError: it ended, or did not answer in time; with the path
            of its log
        """
        waiting.until(
            f'{self.name} to answer (its log: {self.log})',
            self._answers_or_has_ended, self.patience)

    def stop(self) -> None:
        process.stop(self.home, self.name)

    def kill(self) -> bool:
        """Kill the program to simulate a crash; return whether it ran."""
        return process.kill(self.home, self.name)

    @property
    def log(self) -> str:
        return str(process.log_file(self.home, self.name))

    def _answers_or_has_ended(self) -> bool:
        if self.pid is None:
            raise errors.LabError(
                f'{self.name} ended just after its start; '
                f'see the end of {self.log}:\n'
                f'{last_lines(self.log)}')
        return self.answers()


def last_lines(log: str, count: int = 5) -> str:
    """The end of a log, for an error message."""
    done = subprocess.run(['tail', '-n', str(count), log],
                          capture_output=True, text=True)
    return done.stdout.rstrip()


def answers_http(home: lab_home.Home, url: str) -> bool:
    """Whether a URL of the controller answers with success."""
    try:
        with netns.entered(netns.path(home.controller)):
            return web.ask(web.request('GET', url), 5).code == 200
    except OSError:
        return False
