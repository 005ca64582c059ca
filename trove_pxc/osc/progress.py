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

"""Waiting for an action, its progress on the error output.

Imported by the commands.
"""

import sys
from typing import Any

from osc_lib import exceptions

from trove_pxc.osc import requests
from trove_pxc import waiting

POLL_SECONDS = 1.0


class Progress:
    """Says what is new, with the seconds since it began."""

    def __init__(self) -> None:
        self._watch = waiting.Stopwatch()
        self._said: dict[str, str] = {}

    def look(self, cluster: requests.Record) -> None:
        """Say what changed since the last look."""
        self._say(cluster['name'], cluster['task']['name'])
        for instance in cluster['instances']:
            size = (instance.get('volume') or {}).get('size', '-')
            self._say(instance['name'], ', '.join(filter(None, (
                instance['status'],
                str(instance.get('operating_status', '')),
                f'flavor {instance["flavor"]["id"]}', f'volume {size}'))))

    def _say(self, what: str, state: str) -> None:
        if self._said.get(what) != state:
            self._said[what] = state
            print(f'[{self._watch.elapsed:6.1f}s] {what}: {state}',
                  file=sys.stderr, flush=True)


def wait(database: Any, cluster: Any, seconds: float) -> None:
    """Until the cluster has no task.

    :raises osc_lib.exceptions.CommandError: naming each member with a
        fault; the API forgets old faults when it takes an action on.
    :raises trove_pxc.exceptions.DeadlineExceeded: it takes longer.
    """
    progress = Progress()

    def probe() -> requests.Record:
        shown = requests.show(database, cluster)
        progress.look(shown)
        if shown['task']['name'] != 'NONE':
            raise waiting.NotYet(f'task {shown["task"]["name"]}')
        return shown
    shown = waiting.until(f'cluster {cluster.name} to have no task', probe,
                          seconds, POLL_SECONDS)
    faults: dict[str, list[str]] = {}
    for instance in shown['instances']:
        fault = requests.fault(database, instance['id'])
        faults.setdefault(' '.join(fault.split()), []).append(
            instance['name'])
    faults.pop('', None)
    if faults:
        raise exceptions.CommandError('; '.join(
            f'{", ".join(names)}: {fault}'
            for fault, names in faults.items()))
