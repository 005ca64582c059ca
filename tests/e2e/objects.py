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
"""The lab's Swift as Trove's services use it.

The program runs on the controller, in Trove's Python environment. It gets its
client from Trove's own function and trove.conf.
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

#: seconds after which a request without an answer has failed
PATIENCE = 3

PROGRAM = """\
import json, sys
from swiftclient import exceptions
from trove.common import cfg, clients, context
from lab import home, noauth
from lab.swift import conf

key = conf.token_key(home.Home.from_environment())
cfg.CONF(sys.argv[2:], project='trove')

def run(project, token, method, arguments):
    if method == 'token':
        return noauth.token(key, project)
    client = clients.create_swift_client(context.TroveContext(
        project_id=project, auth_token=token))
    client.retries, client.timeout = 0, float(sys.argv[1])
    if method == 'put_in_chunks':
        method, text = 'put_object', arguments.pop()
        arguments.append(iter([text.encode()]))
    answer = getattr(client, method)(*arguments)
    if method == 'get_object':
        return answer[1].decode('latin-1')
    return answer[1] if method.startswith('get_') else None

for line in sys.stdin:
    try:
        answer = {'answer': run(*json.loads(line))}
    except exceptions.ClientException as error:
        answer = {'status': error.http_status, 'why': str(error)}
    except Exception as error:
        answer = {'status': 0, 'why': repr(error)}
    print(json.dumps(answer), flush=True)
"""


class Failed(Exception):
    """A request failed.

    :ivar status: the code of the answer; 0 if there was none
    """

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f'{status}: {why}')
        self.status = status


class Client:
    """Requests for objects, one after another."""

    def __init__(self, program: 'subprocess.Popen[str]') -> None:
        self._program = program

    def token(self, project: str) -> str:
        """A new token, such as trove-api gives a request of the project."""
        return str(self.ask(project, '', 'token'))

    def ask(self, project: str, token: str, method: str,
            *arguments: Any) -> Any:
        """Call a method of the client of python-swiftclient.

        :param project: the owner of the account
        :param method: such as ``put_object``; or ``put_in_chunks``, for an
            upload of unknown length
        :returns: of a get the content: text, or a list of dictionaries
        :raises Failed: the request fails
        """
        assert self._program.stdin and self._program.stdout
        self._program.stdin.write(
            json.dumps([project, token, method, arguments]) + '\n')
        self._program.stdin.flush()
        line = self._program.stdout.readline()
        assert line, 'the program with the client has ended'
        told = json.loads(line)
        if 'status' in told:
            raise Failed(told['status'] or 0, told['why'])
        return told['answer']


@contextlib.contextmanager
def client(home: lab_home.Home) -> Iterator[Client]:
    """A client for the lab without Keystone."""
    with subprocess.Popen(
            netns.inside(home.controller, [
                str(home.venv / 'bin' / 'python'), '-P', '-c', PROGRAM,
                str(PATIENCE), '--config-file',
                str(trove.configuration_file(home))]),
            env=process.environment(home), cwd=home.root, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        try:
            yield Client(program)
        finally:
            assert program.stdin
            program.stdin.close()
