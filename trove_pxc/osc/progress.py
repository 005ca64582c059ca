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

"""Waiting for an operation, with its progress on the error output.

Imported by the commands.
"""

import datetime
import sys

from osc_lib import exceptions

from trove_pxc.osc import requests
from trove_pxc import waiting

POLL_SECONDS = 1.0
#: time after the end of an operation in which Trove may write its fault again
LATE_SECONDS = 5
_ERROR = 'ERROR'
#: keys of a task whose description changes while it exists
_DESCRIBED = {'queued_before', 'restored_backup'}


class Progress:
    """Prints changes, with the seconds since its creation."""

    def __init__(self) -> None:
        self._watch = waiting.Stopwatch()
        self._said: dict[str, str] = {}

    def look(self, cluster: requests.Record) -> None:
        """Print what changed since the last call."""
        task = cluster['task']
        self.say(cluster['name'], task['name'] + (
            f': {task["description"]}' if _DESCRIBED & task.keys() else ''))
        for instance in cluster['instances']:
            size = (instance.get('volume') or {}).get('size', '-')
            self.say(instance['name'], ', '.join(filter(None, (
                instance['status'],
                str(instance.get('operating_status', '')),
                f'flavor {instance["flavor"]["id"]}', f'volume {size}'))))

    def say(self, what: str, state: str) -> None:
        """Print the state of something, if it has changed."""
        if self._said.get(what) != state:
            self._said[what] = state
            print(f'[{self._watch.elapsed:6.1f}s] {what}: {state}',
                  file=sys.stderr, flush=True)


Faults = dict[str, requests.Fault | None]


def faults_before(database: requests.Database,
                  cluster: requests.Cluster) -> Faults:
    """Return the existing faults of members in ERROR, by their ids.

    The action that is requested next did not cause them. The API deletes the
    faults of other members when it accepts the action.
    """
    return {instance['id']: requests.fault(database, instance['id'])
            for instance in requests.show(database, cluster)['instances']
            if instance['status'] == _ERROR}


def wait(database: requests.Database, cluster: requests.Cluster,
         seconds: float, before: Faults | None = None) -> None:
    """Wait until the cluster has no task, then check for faults.

    A fault belongs to the operation if it is not newer than the end of the
    operation, which is the time of the cluster's last update. Both times come
    from Trove's services, so the clock of this machine does not matter.

    :param before: the result of faults_before(). None: another command
        requested the operation, and all members in ERROR count.
    :raises osc_lib.exceptions.CommandError: with each member that has a fault
        of the operation.
    :raises trove_pxc.exceptions.DeadlineExceeded: if it takes too long.
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
    ended = requests.time(shown.get('updated'))
    for instance in shown['instances']:
        fault = requests.fault(database, instance['id'])
        if fault is not None and _counts(instance, fault, ended, before):
            faults.setdefault(fault.message, []).append(instance['name'])
    if faults:
        raise exceptions.CommandError('; '.join(
            f'{", ".join(names)}: {fault}'
            for fault, names in faults.items()))


def _counts(instance: requests.Record, fault: requests.Fault,
            ended: datetime.datetime | None, before: Faults | None) -> bool:
    """Whether a fault belongs to the operation that has ended."""
    if before is None and instance['status'] == _ERROR:
        return True
    if before is not None and before.get(instance['id']) == fault:
        return False
    return not (fault.created and ended and fault.created
                > ended + datetime.timedelta(seconds=LATE_SECONDS))
