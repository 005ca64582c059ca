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

"""trove-api, trove-conductor and trove-taskmanager.

Imported by ``lab.services.all`` and ``lab.datastores``.
"""

from collections.abc import Sequence
from pathlib import Path
import subprocess

from lab import errors
from lab import home as lab_home
from lab import netns
from lab import private
from lab import process
from lab.services import base
from lab.services import trove_conf
from lab import venv

LISTENING = """\
import sys, amqp
host, user, queue = sys.argv[1:]
with amqp.Connection(host, userid=user, password=sys.stdin.read()) as link:
    print(link.channel().queue_declare(queue, passive=True).consumer_count)
"""


class Api(base.Service):
    name = 'api'

    def argv(self) -> Sequence[str]:
        return command(self.home, 'trove-api')

    def answers(self) -> bool:
        return base.answers_http(
            self.home, f'http://127.0.0.1:{lab_home.TROVE_PORT}/healthcheck')

    def stop(self) -> None:
        process.stop(self.home, self.name, timeout=5)


class Worker(base.Service):
    """A service of Trove that takes its work from a queue."""

    program: str
    queue: str

    def argv(self) -> Sequence[str]:
        return command(self.home, self.program)

    def answers(self) -> bool:
        """Whether the queue of the service has a consumer."""
        return _consumers(self.home, self.queue) > 0

    def is_up(self) -> bool:
        # To ask the broker takes a second, so it is done only at a start.
        return self.pid is not None

    def stop(self) -> None:
        process.stop(self.home, self.name, timeout=5)


class Conductor(Worker):
    name = 'conductor'
    program = 'trove-conductor'
    queue = 'trove-conductor'


class Taskmanager(Worker):
    name = 'taskmanager'
    program = 'trove-taskmanager'
    queue = 'taskmanager'


def configuration_file(home: lab_home.Home) -> Path:
    return home.etc / 'trove.conf'


def configure(home: lab_home.Home) -> None:
    """Write the configuration of the services and the guest agents.

    In a plain lab, changes by the operator are kept.
    """
    for folder in (home.etc / 'cloudinit', home.etc / 'templates',
                   home.own_options):
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
            ('trove.conf', trove_conf.trove(home)),
            ('trove-guestagent.conf', trove_conf.guest(home)),
            ('api-paste.ini', trove_conf.paste(home))):
        if not (home.plain and (home.etc / name).exists()):
            private.write(home.etc / name, text)


def command(home: lab_home.Home, program: str) -> list[str]:
    """A program of Trove with the lab's configuration."""
    return [str(home.venv / 'bin' / program),
            '--config-file', str(configuration_file(home)),
            '--config-dir', str(home.own_options)]


def run(home: lab_home.Home, argv: Sequence[str]) -> str:
    """Run a short program of Trove on the controller."""
    done = subprocess.run(
        netns.inside(home.controller, argv), cwd=home.root,
        env=process.environment(home), stdin=subprocess.DEVNULL,
        capture_output=True, text=True)
    with process.log_file(home, 'trove-manage').open('a') as log:
        log.write(done.stdout + done.stderr)
    if done.returncode:
        raise errors.LabError(
            f'{" ".join(argv)} failed with {done.returncode}: '
            f'{base.last_lines(str(process.log_file(home, "trove-manage")))}')
    return done.stdout


def _consumers(home: lab_home.Home, queue: str) -> int:
    done = subprocess.run(
        netns.inside(home.controller, [
            str(venv.python(home)), '-c', LISTENING, '127.0.0.1', 'trove',
            queue]),
        input=home.secret('rabbitmq'), capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 else 0
