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
"""Removes everything of a lab from the kernel, also after a crash.

Imported by ``lab.up`` and ``lab.down``. Everything is found by a name of the
lab: the mark in a process's environment, the prefix of a namespace or control
group, the folder of a mount or of a loop device's file.
"""

import contextlib
import os
from pathlib import Path
import shutil
import signal
import subprocess

from lab import errors
from lab import home as lab_home
from lab import netns
from lab import packages
from lab import process
from lab import waiting

CGROUPS = Path('/sys/fs/cgroup')
CGROUP_DEPTH = 3


def found(home: lab_home.Home) -> list[str]:
    """The parts of the lab that exist, with their numbers, as text."""
    seen = {
        'processes': len(_processes(home)),
        'mounts': len(_mounts(home)),
        'loop devices': len(_loops(home)),
        'network namespaces': len(netns.listed(home.lab_id)),
        'control groups': len(_cgroups(home)),
    }
    words = [f'{count} {what}' for what, count in seen.items() if count]
    return words + [f'{folder.name}/' for folder in _state(home)
                    if folder.exists() and any(folder.iterdir())]


def clear(home: lab_home.Home) -> None:
    """Remove everything of the lab except the files for a fast start."""
    packages.restore_policy()
    _kill_processes(home)
    _unmount(home)
    _detach(home)
    for name in netns.listed(home.lab_id):
        netns.delete(name)
    _remove_cgroups(home)
    for folder in _state(home):
        if folder.exists():
            shutil.rmtree(folder)


def _state(home: lab_home.Home) -> list[Path]:
    return [home.run, home.guests, home.cloud, home.mariadb, home.rabbitmq,
            home.etc, home.keystone, home.swift, *home.cache.glob('build-*'),
            *home.images.glob('.build-*')]


def _kill_processes(home: lab_home.Home) -> None:
    def all_gone() -> bool:
        left = _processes(home)
        for pid in left:
            process.signal_process(pid, signal.SIGKILL)
        if left:
            raise waiting.NotYet(
                f'processes {", ".join(map(str, left[:10]))}')
        return True

    waiting.until("the end of the lab's processes", all_gone, 30, 0.1)


def _processes(home: lab_home.Home) -> list[int]:
    spaces = {os.stat(netns.path(name)).st_ino
              for name in netns.listed(home.lab_id)}
    mine = _ancestors()
    marked = set(process.marked(home))
    return [pid for pid in process.pids() if pid not in mine
            and process.start_time(pid) is not None
            and (pid in marked or _space(pid) in spaces)]


def _ancestors() -> set[int]:
    """This process and its ancestors: a shell may have the mark, too."""
    line = set()
    pid = os.getpid()
    while pid > 1:
        line.add(pid)
        pid = process.parent(pid)
    return line


def _space(pid: int) -> int | None:
    try:
        return os.stat(f'/proc/{pid}/ns/net').st_ino
    except OSError:
        return None


def _mounts(home: lab_home.Home) -> list[str]:
    """Mount points in the lab's folder, the innermost first."""
    prefix = f'{home.root}/'
    points = []
    for line in Path('/proc/self/mountinfo').read_text().splitlines():
        point = line.split()[4].encode().decode('unicode_escape')
        if point.startswith(prefix):
            points.append(point)
    return points[::-1]


def _unmount(home: lab_home.Home) -> None:
    for point in _mounts(home):
        netns.command(['umount', '--lazy', point])
    left = _mounts(home)
    if left:
        # To remove the folders now could remove files of a mount.
        raise errors.LabError(
            f'{left[0]} is still mounted; unmount it and run the command '
            f'again')


def _loops(home: lab_home.Home) -> list[str]:
    """Loop devices whose file is or was in the lab's folder."""
    if shutil.which('losetup') is None:
        return []
    listed = subprocess.run(
        ['losetup', '--list', '--noheadings', '--raw',
         '--output', 'NAME,BACK-FILE'], capture_output=True, text=True)
    prefix = f'{home.root}/'
    return [line.split()[0] for line in listed.stdout.splitlines()
            if len(line.split()) > 1 and line.split()[1].startswith(prefix)]


def _detach(home: lab_home.Home) -> None:
    for device in _loops(home):
        # A device may end by itself, with the process that has it mounted.
        netns.command(['losetup', '--detach', device], check=False)

    def all_gone() -> bool:
        left = _loops(home)
        if left:
            raise waiting.NotYet(', '.join(left))
        return True

    try:
        waiting.until('the end of the loop devices', all_gone, 10)
    except waiting.WaitTimeout as late:
        raise errors.LabError(
            f'{late}; a process outside the lab still uses them: see '
            f'"losetup --list" and "fuser --mount DEVICE"') from late


def _cgroups(home: lab_home.Home) -> list[Path]:
    """The outermost control groups of the lab in each hierarchy."""
    if not CGROUPS.is_dir():
        return []
    base = len(CGROUPS.parts)
    mine = []
    for folder, children, _files in os.walk(CGROUPS):
        inside = Path(folder)
        for child in list(children):
            if child.startswith(home.lab_id):
                mine.append(inside / child)
                children.remove(child)
        if len(inside.parts) - base >= CGROUP_DEPTH:
            children.clear()
    return mine


def _remove_cgroups(home: lab_home.Home) -> None:
    for top in _cgroups(home):
        for folder, _children, _files in os.walk(top, topdown=False):
            with contextlib.suppress(FileNotFoundError):
                _remove_cgroup(Path(folder))


def _remove_cgroup(folder: Path) -> None:
    def gone() -> bool:
        try:
            folder.rmdir()
        except OSError as busy:
            if not folder.exists():
                return True
            raise waiting.NotYet(str(busy)) from busy
        return True

    waiting.until(f'the control group {folder} to be empty', gone, 10)
