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

"""Power of guests: starts, powers off and removes them.

For the cloud's compute service and ``lab.guest.control``. A guest does not
depend on the process that started it.
"""

from collections.abc import Iterator
import contextlib
import dataclasses
import fcntl
import functools
import json
import os
from pathlib import Path
import select
import signal
import subprocess
import sys

from lab import errors
from lab.guest import cgroups
from lab.guest import disks
from lab.guest import firewall
from lab.guest import init
from lab.guest import kernel
from lab.guest import network_faults
from lab.guest import spec as guest_spec
from lab import home as lab_home
from lab import netns
from lab import process
from lab import waiting

BOOT_TIMEOUT = 60.0
KILL_TIMEOUT = 20.0
SOFT_STOP_TIMEOUT = 90.0
ANSWER_BYTES = 4096


@contextlib.contextmanager
def locked(folder: guest_spec.GuestFolder) -> Iterator[None]:
    """Lock this guest's power and disks.

    The cloud and the command line change them in different processes.
    """
    locks = folder.home.run / 'guests'
    locks.mkdir(parents=True, exist_ok=True)
    path = locks / f'{folder.server_id}.lock'
    with path.open('w') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            if not folder.path.exists():
                path.unlink(missing_ok=True)


def cgroup(home: lab_home.Home, spec: guest_spec.GuestSpec) -> str:
    return f'{home.lab_id}/g{spec.number}'


def init_pid(folder: guest_spec.GuestFolder) -> int | None:
    """The host's PID of a guest's init, or None if its power is off."""
    try:
        record = json.loads(folder.pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    pid = int(record['pid'])
    alive = (record['boot'] == process.boot_id()
             and record['started'] == process.start_time(pid))
    return pid if alive else None


def power_on(folder: guest_spec.GuestFolder) -> None:
    """Boot a guest from its root disk, if it does not run.

    :raises LabError: with the message of the guest's init
    """
    if init_pid(folder) is not None:
        return
    spec = folder.load()
    home = folder.home
    _clear(folder, spec)
    devices = {volume.device: disks.number(disks.attach(volume.file))
               for volume in spec.volumes}
    _plug_in(home, spec)
    apply_firewall(folder, spec)
    cgroups.make(cgroup(home, spec))
    folder.root.mkdir(exist_ok=True)
    _write_boot_file(folder, spec, devices)
    try:
        _start_init(folder, spec)
    except errors.LabError:
        _clear(folder, spec)
        raise


def power_off(folder: guest_spec.GuestFolder) -> None:
    """Cut the power: data that is not synced to a volume is lost."""
    pid = init_pid(folder)
    spec = folder.load()
    if pid is not None:
        # First unplug, otherwise the kernel would still close connections.
        _unplug(folder.home, spec)
        for mount_point in volume_mounts(pid, spec):
            kernel.ext4_shutdown(mount_point)
        _kill(folder, pid)
    _clear(folder, spec)


def shut_down(folder: guest_spec.GuestFolder,
              timeout: float = SOFT_STOP_TIMEOUT) -> None:
    """Shut the guest down cleanly, then cut the power."""
    pid = init_pid(folder)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(waiting.WaitTimeout):
            waiting.until(f'the shutdown of {folder.server_id}',
                          lambda: init_pid(folder) is None, timeout, 0.05)
    power_off(folder)


def reboot(folder: guest_spec.GuestFolder, hard: bool) -> None:
    """Restart a guest, after a clean shutdown unless ``hard``."""
    if hard:
        power_off(folder)
    else:
        shut_down(folder)
    power_on(folder)


def delete(folder: guest_spec.GuestFolder) -> None:
    """Remove a guest and its root disk; its volumes are detached."""
    if folder.spec_file.exists():
        power_off(folder)
        for volume in folder.load().volumes:
            disks.detach(volume.file)
    _remove_tree(folder.path)


def remove_disk(folder: guest_spec.GuestFolder) -> None:
    """Remove the root disk of a guest whose power is off."""
    _remove_tree(folder.disk)


def attach_volume(folder: guest_spec.GuestFolder,
                  volume: guest_spec.Volume) -> None:
    """Attach a disk to a guest, immediately if it runs."""
    spec = folder.load()
    spec.volumes.append(volume)
    folder.save(spec)
    pid = init_pid(folder)
    if pid is not None:
        number = disks.number(disks.attach(volume.file))
        node = Path(f'/proc/{pid}/root/dev/{volume.device}')
        node.unlink(missing_ok=True)
        os.mknod(node, 0o660 | 0o060000, number)


def detach_volume(folder: guest_spec.GuestFolder, volume_id: str) -> None:
    """Detach a disk from a guest.

    :raises LabError: if the guest still has it mounted
    """
    spec = folder.load()
    pid = init_pid(folder)
    for volume in [volume for volume in spec.volumes
                   if volume.volume_id == volume_id]:
        only = dataclasses.replace(spec, volumes=[volume])
        if pid is not None and volume_mounts(pid, only):
            raise errors.LabError(
                f'volume {volume_id} is mounted in guest {spec.name}; '
                f'unmount /dev/{volume.device} there first')
        if pid is not None:
            Path(f'/proc/{pid}/root/dev/{volume.device}').unlink(
                missing_ok=True)
        disks.detach(volume.file)
        spec.volumes.remove(volume)
    folder.save(spec)


def apply_firewall(folder: guest_spec.GuestFolder,
                   spec: guest_spec.GuestSpec) -> None:
    """Apply the security groups that the cloud has written."""
    name = guest_spec.namespace(folder.home, spec)
    if not netns.exists(name):
        return
    if not folder.firewall_file.exists():
        folder.firewall_file.write_text(firewall.security_groups(()))
    netns.run(name, ['nft', '-f', str(folder.firewall_file)])


def shown(home: lab_home.Home) -> list[str]:
    """The folders of the host that the agent needs.

    Each with all of its names, because links exist only on the host.
    """
    folders = (str(home.venv), str(home.library), str(home.checkout),
               sys.base_prefix)
    return list(dict.fromkeys(
        [*folders, *map(os.path.realpath, folders)]))


def _write_boot_file(folder: guest_spec.GuestFolder,
                     spec: guest_spec.GuestSpec,
                     devices: dict[str, int]) -> None:
    home = folder.home
    folder.boot_file.write_text(json.dumps({
        'root': str(folder.root), 'disk': str(folder.disk),
        'pid_file': str(folder.pid_file),
        'userdata_file': str(folder.userdata_file),
        'hostname': spec.hostname, 'devices': devices,
        'cgroup': cgroup(home, spec),
        'cgroups': [dataclasses.asdict(tree)
                    for tree in cgroups.hierarchies()],
        'shown': shown(home),
        'logs': {what: str(folder.log(spec.hostname, what))
                 for what in ('dockerd', 'agent')},
        'agent': str(home.venv / 'bin/trove-guestagent'),
        'environment': {lab_home.MARK: home.lab_id},
    }, indent=2))


def _start_init(folder: guest_spec.GuestFolder,
                spec: guest_spec.GuestSpec) -> None:
    home = folder.home
    read_end, write_end = os.pipe()
    python = os.path.realpath(sys.executable)
    argv = ['setsid', '--fork', *netns.inside(
        guest_spec.namespace(home, spec),
        ['unshare', '--mount', '--uts', '--ipc', '--pid', '--fork',
         '--kill-child=SIGKILL', '--propagation', 'unchanged',
         python, '-S', '-m', 'lab.guest.init', str(folder.boot_file),
         str(write_end)])]
    try:
        with open(folder.log(spec.hostname, 'init'), 'ab') as log:
            subprocess.run(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=process.environment(home), cwd='/',
                pass_fds=[write_end], check=True)
        os.close(write_end)
        write_end = -1
        said = _answer(read_end)
    finally:
        os.close(read_end)
        if write_end >= 0:
            os.close(write_end)
    if said != init.READY:
        raise errors.LabError(
            f'guest {spec.name} did not boot: '
            f'{said.decode(errors="replace") or "its init failed"}; '
            f'see "lab logs {spec.hostname}"')


def _answer(descriptor: int) -> bytes:
    ready, _, _ = select.select([descriptor], [], [], BOOT_TIMEOUT)
    if not ready:
        return f'no answer in {BOOT_TIMEOUT:g} s'.encode()
    return os.read(descriptor, ANSWER_BYTES)


def _plug_in(home: lab_home.Home, spec: guest_spec.GuestSpec) -> None:
    """Create a network namespace with a link to the controller's bridge."""
    name, cable = guest_spec.namespace(home, spec), guest_spec.link(spec)
    netns.create(name)
    _batch(home.controller, [
        f'link add {cable} mtu {spec.mtu} type veth peer name eth0 '
        f'address {spec.mac} mtu {spec.mtu} netns {name}',
        f'link set {cable} master {home.bridge} up'])
    _batch(name, [
        *(' '.join(['address add', f'{one.ip}/{one.prefix}', 'dev eth0',
                    *netns.no_detection(one.ip)])
          for one in spec.addresses),
        'link set eth0 up',
        *(f'route add default via {one.gateway} dev eth0'
          for one in spec.addresses)])
    network_faults.tune(home, spec)


def _unplug(home: lab_home.Home, spec: guest_spec.GuestSpec) -> None:
    cable = guest_spec.link(spec)
    if netns.exists(home.controller):
        netns.command(['ip', '-n', home.controller, 'link', 'delete', cable],
                      check=False)


def _batch(namespace: str, lines: list[str]) -> None:
    done = subprocess.run(['ip', '-n', namespace, '-batch', '-'],
                          input='\n'.join(lines), text=True,
                          capture_output=True)
    if done.returncode:
        raise errors.LabError(
            f'configuring the network namespace {namespace} failed: '
            f'{done.stderr.strip()}; "lab down" cleans up')


def volume_mounts(pid: int, spec: guest_spec.GuestSpec) -> list[str]:
    """The host's paths of a guest's mounted volumes."""
    numbers = set()
    for volume in spec.volumes:
        device = disks.attached(volume.file)
        if device:
            number = disks.number(device)
            numbers.add(f'{os.major(number)}:{os.minor(number)}')
    found = []
    for line in Path(f'/proc/{pid}/mountinfo').read_text().splitlines():
        fields = line.split()
        if fields[2] in numbers:
            found.append(f'/proc/{pid}/root{fields[4]}')
    return found


def _kill(folder: guest_spec.GuestFolder, pid: int) -> None:
    """Kill init; the kernel then ends all processes in its namespace."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    waiting.until(f'the end of guest {folder.server_id}',
                  lambda: init_pid(folder) is None
                  and not Path(f'/proc/{pid}').exists(),
                  KILL_TIMEOUT, 0.01)


def _clear(folder: guest_spec.GuestFolder,
           spec: guest_spec.GuestSpec) -> None:
    """Remove the resources of one boot from the kernel."""
    _unplug(folder.home, spec)
    netns.delete(guest_spec.namespace(folder.home, spec))
    group = cgroup(folder.home, spec)
    waiting.until(f'the last process of guest {spec.name} to be gone',
                  lambda: _none_left(group), KILL_TIMEOUT, 0.01)
    for volume in spec.volumes:
        waiting.until(f'the last process to release {volume.file}',
                      functools.partial(_is_free, volume.file),
                      KILL_TIMEOUT, 0.05)
    cgroups.remove(group)
    folder.pid_file.unlink(missing_ok=True)


def _is_free(file: str) -> bool:
    users = disks.users(file)
    if users:
        raise waiting.NotYet(f'{", ".join(users)} still use it')
    return True


def _remove_tree(path: Path) -> None:
    # The database image has thousands of files: rm takes a third of the time
    # of shutil.
    netns.command(['rm', '--recursive', '--force', '--one-file-system',
                   str(path)])


def _none_left(group: str) -> bool:
    """Kill the processes in a guest's control group; whether none is left."""
    found = cgroups.processes(group)
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return not found
