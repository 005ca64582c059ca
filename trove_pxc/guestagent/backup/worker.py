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

"""The process of a backup or a restore; the guest agent starts it.

It reads the order from its standard input, then new tokens and a cancellation.
It prints its progress, one line of JSON each time. When its input ends, the
agent has ended: it then cancels the backup.
"""

from collections.abc import Iterator
from collections.abc import Sequence
import json
import os
import signal
import socket
import sys
import threading
from typing import Any
from typing import TextIO

import docker
from oslo_log import log as logging

from trove.common import cfg

from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc.guestagent.backup import job as jobs
from trove_pxc.guestagent.backup import member as members
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc import masking
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

_NICE = 5
_INTERVAL = 0.5
#: seconds for the process of an earlier agent to delete what it stored
_EARLIER_SECONDS = 180
#: in the abstract namespace, so that it ends with its process
_LOCK = '\0trove-pxc-backup'


def work(job: jobs.Job, words: Iterator[str], told: TextIO,
         stall_seconds: float, signals: Sequence[int] = ()
         ) -> threading.Thread:
    """Run a job until it ends; returns the thread that listens.

    :param words: lines of the agent.
    :param told: gets the progress.
    :param signals: those that asked this process to end, so far.
    """
    listener = threading.Thread(target=_listen, args=(job, words),
                                daemon=True)
    job.start()
    listener.start()
    while job.running:
        if signals:
            job.cancel('the guest agent was stopped')
        job.look_after(stall_seconds)
        _tell(told, job)
        job.wait(_INTERVAL)
    job.wait()
    _tell(told, job)
    return listener


def _tell(told: TextIO, job: jobs.Job) -> None:
    try:
        print(json.dumps(job.progress().to_dict()), file=told, flush=True)
    except BrokenPipeError:
        LOG.info('The guest agent does not listen any more')
        job.cancel('the guest agent ended')


def _listen(job: jobs.Job, words: Iterator[str]) -> None:
    for line in words:
        said = json.loads(line)
        if 'token' in said:
            job.renew(secret.Secret(said['token']))
        if 'cancel' in said:
            job.cancel(said['cancel'])
    if job.running:
        job.cancel('the guest agent ended')


def started(said: dict[str, Any], client: docker.DockerClient
            ) -> tuple[jobs.Job, float]:
    """The job of an order, and the seconds in which it must progress."""
    member = members.BackupMember(
        said['manager'], client, members.NoTrove(),
        paths.Paths(**said['where']), files.HostFiles(**said['files']))
    order = (backups.Order.from_dict(said['order'])
             if said['kind'] == members.BACKUP
             else backups.Restoring.from_dict(said['order']))
    return (member.new_job(order),
            CONF[said['manager']].backup_stall_timeout)


def own_output() -> TextIO:
    """The pipe to the agent, for the progress alone.

    What else writes to the standard output goes to the error output from now
    on. oslo.log does, if the guest's configuration names no file.
    """
    told = os.fdopen(os.dup(sys.stdout.fileno()), 'w')
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return told


def alone(name: str = _LOCK,
          seconds: float = _EARLIER_SECONDS) -> socket.socket:
    """Wait until no other such process exists.

    After an agent was killed, its process still ends the tool, and resyncs the
    server; that would disturb the next backup.

    :returns: the lock, until it is closed.
    :raises trove_pxc.exceptions.DeadlineExceeded: if another one does not
        end.
    """
    lock = socket.socket(socket.AF_UNIX)

    def probe() -> socket.socket:
        try:
            lock.bind(name)
        except OSError as error:
            raise waiting.NotYet(str(error)) from error
        return lock

    return waiting.until('the end of an earlier backup or restore', probe,
                         seconds, _INTERVAL)


def main() -> None:
    """Read the order, and carry it out."""
    told = own_output()
    # It registers options of the agent, and the agent's own command line.
    from trove.cmd import guest  # noqa: F401
    os.nice(_NICE)
    masking.install()
    conf.register(CONF)
    logging.register_options(CONF)
    cfg.parse_args(sys.argv)
    logging.setup(CONF, 'trove')
    job, stall_seconds = started(json.loads(sys.stdin.readline()),
                                 docker.from_env())
    # The agent closes the pipe when it has the result.
    signals: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: signals.append(number))
    try:
        lock = alone()
    except exceptions.DeadlineExceeded as failure:
        failed = backups.with_failure(job.progress(), str(failure),
                                      'Make it again in a few minutes.')
        print(json.dumps(failed.to_dict()), file=told, flush=True)
        return
    with lock:
        work(job, iter(sys.stdin.readline, ''), told, stall_seconds,
             signals).join()


if __name__ == '__main__':
    main()
