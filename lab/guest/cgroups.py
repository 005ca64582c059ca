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

"""A subtree of the machine's control groups for each guest.

Only for ``lab.guest``: ``make``, ``processes`` and ``remove`` are for the
host, ``enter`` and ``mount`` for the guest's init. It supports version 1 with
its hierarchies, and version 2. Standard library only.
"""

from collections.abc import Iterator, Sequence
import contextlib
import dataclasses
import os
from pathlib import Path

from lab.guest import kernel

FOLDER = Path('/sys/fs/cgroup')
# Version 2 forbids processes in a group that has groups with controllers.
LEAF = 'init'
V2_CONTROLLERS = ('cpu', 'cpuset', 'memory', 'pids', 'io')
CPUSET_FILES = ('cpuset.cpus', 'cpuset.mems')


@dataclasses.dataclass(frozen=True)
class Hierarchy:
    """One mounted tree of control groups."""

    path: str
    kind: str
    options: str


def hierarchies(mountinfo: str | None = None) -> list[Hierarchy]:
    """The trees of this machine.

    If there are version 1 trees, a version 2 tree has no controllers and is
    omitted.
    """
    if mountinfo is None:
        mountinfo = Path('/proc/self/mountinfo').read_text()
    found = list(_parse(mountinfo))
    first = [tree for tree in found if tree.kind == 'cgroup']
    return first or [tree for tree in found if tree.kind == 'cgroup2'][:1]


def make(group: str) -> None:
    """Create the guest's group in every tree.

    :param group: a relative path such as ``lab1a2b3/g7``
    """
    for tree in hierarchies():
        folder = Path(tree.path)
        for part in group.split('/'):
            _delegate(folder, tree)
            folder = folder / part
            folder.mkdir(exist_ok=True)
            if 'cpuset' in tree.options.split(','):
                _inherit_cpuset(folder)


def processes(group: str) -> dict[int, str]:
    """The host's PIDs of all processes in a guest, with their group."""
    tree = _process_tree()
    found = {}
    for folder, _, _ in os.walk(Path(tree.path) / group):
        for pid in _read_pids(Path(folder) / 'cgroup.procs'):
            found[pid] = folder
    return found


def remove(group: str) -> None:
    """Remove the guest's group from every tree; it must be empty."""
    for tree in hierarchies():
        for folder, _, _ in os.walk(Path(tree.path) / group,
                                    topdown=False):
            os.rmdir(folder)


def enter(group: str, trees: Sequence[Hierarchy]) -> None:
    """Move this process into the guest's group, which becomes its root."""
    for tree in trees:
        (Path(tree.path) / group / 'cgroup.procs').write_text('0')
    kernel.unshare(kernel.CLONE_NEWCGROUP)
    for tree in trees:
        if tree.kind == 'cgroup2':
            folder = Path(tree.path) / group
            (folder / LEAF).mkdir()
            (folder / LEAF / 'cgroup.procs').write_text('0')
            _delegate(folder, tree)


def mount(trees: Sequence[Hierarchy], target: Path) -> None:
    """Mount the guest's groups at their usual path.

    :param target: the guest's /sys/fs/cgroup
    """
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    if trees and trees[0].kind == 'cgroup2':
        kernel.mount('cgroup2', target, 'cgroup2', flags)
        return
    kernel.mount('tmpfs', target, 'tmpfs', data='mode=755')
    for tree in trees:
        folder = target / os.path.basename(tree.path)
        folder.mkdir()
        kernel.mount('cgroup', folder, 'cgroup', flags, tree.options)


def _parse(mountinfo: str) -> Iterator[Hierarchy]:
    for line in mountinfo.splitlines():
        left, _, right = line.partition(' - ')
        kind, _, options = right.split(' ', 2)
        path = left.split()[4]
        if kind not in ('cgroup', 'cgroup2') or not Path(
                path).is_relative_to(FOLDER):
            continue
        names = [name for name in options.split(',')
                 if name not in ('rw', 'ro') and '=' not in name
                 or name.startswith('name=')]
        yield Hierarchy(path, kind, ','.join(names))


def _process_tree() -> Hierarchy:
    trees = hierarchies()
    for tree in trees:
        if 'pids' in tree.options.split(','):
            return tree
    return trees[0]


def _read_pids(path: Path) -> list[int]:
    try:
        return [int(pid) for pid in path.read_text().split()]
    except (FileNotFoundError, OSError):
        return []


def _delegate(folder: Path, tree: Hierarchy) -> None:
    """Enable the controllers for the subgroups of a version 2 group."""
    if tree.kind != 'cgroup2':
        return
    available = (folder / 'cgroup.controllers').read_text().split()
    enabled = (folder / 'cgroup.subtree_control').read_text().split()
    for name in V2_CONTROLLERS:
        if name in available and name not in enabled:
            # A missing controller is no problem: there are no limits, groups
            # are only used to find and to end processes.
            with contextlib.suppress(OSError):
                (folder / 'cgroup.subtree_control').write_text(f'+{name}')


def _inherit_cpuset(folder: Path) -> None:
    for name in CPUSET_FILES:
        if not (folder / name).read_text().strip():
            (folder / name).write_text(
                (folder.parent / name).read_text())
