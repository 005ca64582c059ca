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

"""Carries out the commands of a next action, as an operator would.

The commands are those of the real openstack client, found by its entry
points, parsed by its parsers; their requests go to the Trove of the test.
"""

from importlib import metadata
import json
import re
import shlex
import types
from typing import Any

from trove.instance.tasks import InstanceTasks
from troveclient import client as http
from troveclient import exceptions
from troveclient.v1 import client

from tests.functional import galera
from trove_pxc import waiting

_PROGRAM = ['openstack', 'database']
#: Commands that only show something, or need a value not known beforehand.
_NO_CHANGE = ('member_list', 'instance_show', 'root_enable')
_PLACES = ('MEMBER', 'SERVER', 'FLAVOR', 'SIZE')
_SET = re.compile(r'SET GLOBAL (\w+) = (\w+)')
PATIENCE = 60


class _Requests(http.HTTPClient):
    """python-troveclient, with the router of a test instead of a network."""

    def __init__(self, test: Any, role: str) -> None:
        super().__init__('', '', '', 'http://trove')
        self._test = test
        self._role = role

    def _cs_request(self, url: str, method: str, **kwargs: Any) -> Any:
        """Skip the request to Keystone."""
        return self.request(url, method, **kwargs)

    def request(self, url: str, method: str, **kwargs: Any) -> Any:
        answer = self._test.request(
            method, url, kwargs.get('body'), role=self._role)
        body = json.loads(answer.text) if answer.text else None
        response = types.SimpleNamespace(
            status_code=answer.status_int, text=answer.text,
            headers=dict(answer.headers), json=lambda: body)
        if answer.status_int >= 400:
            raise exceptions.from_response(response, body, url)
        return response, body


class Reader:
    """An operator who reads a next action and carries it out.

    :ivar done: the commands and statements that were carried out.
    """

    def __init__(self, test: Any, cluster_id: str) -> None:
        self._test = test
        self._cluster_id = cluster_id
        self.done: list[str] = []

    def health(self) -> Any:
        response = self._test.request(
            'GET', f'/clusters/{self._cluster_id}/health')
        self._test.assertEqual(200, response.status_int, response.text)
        return response.json['health']

    def follow(self, said: str, **words: str) -> None:
        """Wait if the action says so, then carry out its commands if needed.

        :param words: values for MEMBER, FLAVOR and other placeholders, which
            an operator has to choose.
        """
        if 'Wait' in said and self._waited():
            return
        for quoted in said.split('"')[1::2]:
            for place, word in words.items():
                quoted = quoted.replace(place, word)
            if set(_PLACES) & set(re.split(r'\W+', quoted)):
                continue    # For a case that an operator would recognise.
            if quoted.startswith('openstack database '):
                self.run(quoted)
            elif quoted.startswith('SET GLOBAL '):
                self._set(said, quoted)

    def run(self, line: str) -> None:
        """Run a command of the client, and wait until its task is over."""
        words = shlex.split(line)
        self._test.assertEqual(_PROGRAM, words[:2])
        names = {entry.name.removeprefix('database_'): entry for entry in
                 metadata.entry_points(group='openstack.database.v1')}
        number = next(count for count in (3, 2, 1)
                      if '_'.join(words[2:2 + count]) in names)
        name = '_'.join(words[2:2 + number])
        trove = client.Client(auth_url='http://trove')
        trove.client = _Requests(
            self._test, 'admin' if name == 'instance_reboot' else 'member')
        command = names[name].load()(types.SimpleNamespace(
            client_manager=types.SimpleNamespace(database=trove)), None)
        command.take_action(command.get_parser('').parse_args(
            words[2 + number:]))
        if name not in _NO_CHANGE:
            self.done.append(line)
            self._settle()

    def _set(self, said: str, statements: str) -> None:
        """Run SET GLOBAL on the member that is named after the statements."""
        found = re.search(re.escape(f'"{statements}" on ')
                          + r'(.+?), as a user', said)
        assert found, said
        guest = self._guest(found[1])
        for variable, value in _SET.findall(statements):
            guest.variables[variable] = value
        self.done.append(statements)

    def _guest(self, label: str) -> galera.Guest:
        return next(guest for guest in self._test.galera.guests.values()
                    if label in (guest.name,
                                 f'{guest.name} ({guest.instance_id})'))

    def _waited(self) -> bool:
        """Whether the cluster becomes healthy without help."""
        def probe() -> None:
            if self.health()['state'] != 'HEALTHY':
                raise waiting.NotYet('not healthy')
        try:
            waiting.until('the cluster to be healthy', probe, PATIENCE, 1)
        except waiting.exceptions.DeadlineExceeded:
            return False
        return True

    def _settle(self) -> None:
        row = self._test.cluster_row(self._cluster_id)
        if row is None or row.deleted or row.task_status.name == 'DELETING':
            self._test.wait_deleted(self._cluster_id)
        else:
            self._test.wait_for_task(self._cluster_id)
            waiting.until('reboots to be over', self._no_reboot, 600, 1)

    def _no_reboot(self) -> None:
        for row in self._test.instance_rows(self._cluster_id):
            if row.task_status == InstanceTasks.REBOOTING:
                raise waiting.NotYet(row.name)
