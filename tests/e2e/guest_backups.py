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

"""Backups of a member, ordered from its guest agent by RPC.

For tests of the guest. The program runs on the controller, in Trove's Python
environment, with trove.conf. Trove's database knows nothing of these backups.
"""

from collections.abc import Iterator
import contextlib
import json
import subprocess
from typing import Any

from lab import home as lab_home
from lab import netns
from lab import process
from lab.services import trove
from lab import waiting
from trove_pxc.galera import backups

PROJECT = 'demo'
CONTAINER = 'of-the-guests'

PROGRAM = """\
import json, sys
from trove.common import cfg, context
from trove.db.sqlalchemy import session
from trove import rpc
from lab import home, noauth
from lab.swift import conf as swift
from trove_pxc import conf
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent import api

cfg.CONF(sys.argv[3:], project='trove')
conf.register(cfg.CONF)
session.configure_db()
rpc.init(cfg.CONF)
of_lab = home.Home.from_environment()
project, container = sys.argv[1:3]

def token():
    return secret.Secret(noauth.token(swift.token_key(of_lab), project))

def run(instance_id, method, backup_id, parent=None, url=None):
    guest = api.GaleraGuestAPI(context.TroveContext(
        project_id=project, auth_token=token().reveal()), instance_id)
    if method == 'start':
        return guest.start_backup(backups.Order(
            backup_id, backups.Store(url or of_lab.swift_url + project,
                                     token(), container),
            parent and backups.Parent.from_dict(parent)))
    if method == 'renew':
        return guest.renew_backup_token(backup_id, token())
    if method == 'cancel':
        return guest.cancel_backup(backup_id)
    return guest.backup_progress(backup_id).to_dict()

for line in sys.stdin:
    try:
        answer = {'answer': run(*json.loads(line))}
    except Exception as error:
        answer = {'refused': str(error)}
    print(json.dumps(answer), flush=True)
"""


class Refused(Exception):
    """The guest refuses; its text is the reason."""


class Guests:
    """Orders to the guest agents, one after another."""

    def __init__(self, program: 'subprocess.Popen[str]') -> None:
        self._program = program

    def ask(self, instance_id: str, method: str, *arguments: Any) -> Any:
        """:raises Refused: with the reason."""
        assert self._program.stdin and self._program.stdout
        self._program.stdin.write(
            json.dumps([instance_id, method, *arguments]) + '\n')
        self._program.stdin.flush()
        line = self._program.stdout.readline()
        assert line, 'the program on the controller has ended'
        told = json.loads(line)
        if 'refused' in told:
            raise Refused(told['refused'])
        return told['answer']

    def progress(self, instance_id: str, backup_id: str) -> backups.Progress:
        return backups.Progress.from_dict(
            self.ask(instance_id, 'progress', backup_id))

    def wait_ended(self, instance_id: str, backup_id: str,
                   timeout: float = 120) -> backups.Progress:
        """Wait until it is not running any more; its last progress."""
        def over() -> backups.Progress:
            seen = self.progress(instance_id, backup_id)
            if not seen.ended:
                raise waiting.NotYet(str(seen))
            return seen
        return waiting.until(f'the end of {backup_id}', over, timeout, 0.3)


@contextlib.contextmanager
def guests(home: lab_home.Home) -> Iterator[Guests]:
    """The guests of a lab without Keystone."""
    with subprocess.Popen(
            netns.inside(home.controller, [
                str(home.venv / 'bin' / 'python'), '-P', '-c', PROGRAM,
                PROJECT, CONTAINER, '--config-file',
                str(trove.configuration_file(home))]),
            env={**process.environment(home), 'PYTHONWARNINGS': 'ignore'},
            cwd=home.root, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE) as program:
        try:
            yield Guests(program)
        finally:
            assert program.stdin
            program.stdin.close()
