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

"""Starts, finds and stops the daemons of the lab.

Every module of the lab may import it. A PID file holds the PID and the start
time of the process, so that a signal never reaches another process that got
the same PID later.
"""

from collections.abc import Iterator, Mapping, Sequence
import contextlib
import json
import os
from pathlib import Path
import signal
import subprocess

from lab import home as lab_home
from lab import netns
from lab import waiting

SYSTEM_PATH = ('/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:'
               '/sbin:/bin')


def environment(home: lab_home.Home) -> dict[str, str]:
    """The environment of each daemon of the lab, with the lab's mark."""
    return {
        'PATH': f'{home.venv}/bin:{SYSTEM_PATH}',
        'HOME': str(home.root),
        'LANG': 'C.UTF-8',
        'LAB_HOME': str(home.root),
        'PYTHONPATH': str(home.library),
        'PYTHONUNBUFFERED': '1',
        # Trove's warning about eventlet, at every start.
        'PYTHONWARNINGS': 'ignore:::trove.cmd',
        lab_home.MARK: home.lab_id,
    }


def spawn(home: lab_home.Home, name: str, argv: Sequence[str], *,
          namespace: str | None = None,
          env: Mapping[str, str] | None = None,
          cwd: str | os.PathLike[str] | None = None) -> int:
    """Start a daemon in a new session and write its PID file.

    :param namespace: the network namespace that it runs in
    :param env: added to ``environment(home)``
    :returns: its PID
    """
    if namespace:
        argv = netns.inside(namespace, argv)
    with open(log_file(home, name), 'ab') as log:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env={**environment(home), **(env or {})}, cwd=cwd or home.root,
            start_new_session=True)
    remember(home, name, child.pid)
    return child.pid


def log_file(home: lab_home.Home, name: str) -> Path:
    return home.logs / f'{name}.log'


def remember(home: lab_home.Home, name: str, pid: int) -> None:
    """Write the pid file of a process."""
    record = {'pid': pid, 'started': start_time(pid), 'boot': boot_id()}
    fresh = _pid_file(home, name).with_suffix('.new')
    fresh.write_text(json.dumps(record))
    fresh.replace(_pid_file(home, name))


def forget(home: lab_home.Home, name: str) -> None:
    _pid_file(home, name).unlink(missing_ok=True)


def find(home: lab_home.Home, name: str) -> int | None:
    """The PID of a running daemon, or None."""
    try:
        record = json.loads(_pid_file(home, name).read_text())
    except (FileNotFoundError, ValueError):
        return None
    pid = int(record['pid'])
    same = (record.get('boot') == boot_id()
            and record.get('started') is not None
            and record.get('started') == start_time(pid))
    return pid if same else None


def stop(home: lab_home.Home, name: str, timeout: float = 10) -> bool:
    """Terminate a daemon and its children; kill those that do not end.

    :returns: whether it was running
    """
    pid = find(home, name)
    if pid is not None:
        end(pid, timeout)
    forget(home, name)
    return pid is not None


def end(pid: int, timeout: float = 10) -> None:
    """Send SIGTERM to a process, then SIGKILL to the rest of its session."""
    session = _session_members(pid)
    _signal(pid, signal.SIGTERM)
    with contextlib.suppress(waiting.WaitTimeout):
        waiting.until(f'the end of process {pid}',
                      lambda: start_time(pid) is None, timeout, 0.05)
    for member, started in session.items():
        if start_time(member) == started:
            _signal(member, signal.SIGKILL)
    waiting.until(f'the end of process {pid} after SIGKILL',
                  lambda: start_time(pid) is None, 10, 0.02)


def kill(home: lab_home.Home, name: str) -> bool:
    """Send SIGKILL to a daemon and its whole session, to simulate a crash.

    :returns: whether it was running
    """
    pid = find(home, name)
    if pid is not None:
        for member in (pid, *_session_members(pid)):
            _signal(member, signal.SIGKILL)
        waiting.until(f'the end of {name}',
                      lambda: start_time(pid) is None, 10, 0.02)
    forget(home, name)
    return pid is not None


def marked(home: lab_home.Home) -> list[int]:
    """All processes with this lab's mark, except this one."""
    mark = f'{lab_home.MARK}={home.lab_id}'.encode()
    return [pid for pid in pids()
            if pid != os.getpid() and mark in _environ(pid)]


def pids() -> Iterator[int]:
    """The PIDs of all visible processes."""
    for entry in os.listdir('/proc'):
        if entry.isdigit():
            yield int(entry)


def start_time(pid: int) -> int | None:
    """Clock ticks from boot to the process's start; None if it has ended.

    A zombie has ended, too.
    """
    fields = stat(pid)
    if not fields or fields[0] in ('Z', 'X'):
        return None
    return int(fields[19])


def parent(pid: int) -> int:
    """The PID of a process's parent; 0 if there is none."""
    fields = stat(pid)
    return int(fields[1]) if fields else 0


def boot_id() -> str:
    return Path('/proc/sys/kernel/random/boot_id').read_text().strip()


def signal_process(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process; ignore that it has ended."""
    _signal(pid, number)


def _pid_file(home: lab_home.Home, name: str) -> Path:
    return home.run / f'{name}.pid'


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat, from the state on; none if it ended."""
    try:
        text = Path(f'/proc/{pid}/stat').read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(')')[2].split()


def _environ(pid: int) -> list[bytes]:
    try:
        return Path(f'/proc/{pid}/environ').read_bytes().split(b'\0')
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def _session_members(leader: int) -> dict[int, int]:
    """The processes of a session with their start times."""
    members = {}
    for pid in pids():
        fields = stat(pid)
        if fields and int(fields[3]) == leader and fields[0] != 'Z':
            members[pid] = int(fields[19])
    return members


def _signal(pid: int, number: signal.Signals) -> None:
    # A child of this process stays a zombie until it is waited for.
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
