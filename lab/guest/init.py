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

"""Process 1 of a guest: prepares its namespaces and starts its services.

``lab.guest.boot`` runs it as ``python3 -m lab.guest.init BOOT_FILE FD``. It
writes ``ok`` to the descriptor when the guest has booted, or an error message.
Standard library only, and few modules of it, so that a guest boots quickly.
"""

import json
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

from lab.guest import cgroups
from lab.guest import cloudinit
from lab.guest import kernel
from lab.guest import mounts
from lab.guest import rootfs
from lab.guest import supervisor

DOCKER_SOCKET = '/run/docker.sock'
AGENT_CONFIGURATION = '/etc/trove/conf.d'
PATH = (f'{mounts.TOOLS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:'
        '/sbin:/bin')
READY = b'ok'
# Longer than Docker waits before it kills a container.
DOCKER_STOP_TIMEOUT = 60.0
AGENT_STOP_TIMEOUT = 5.0


def main() -> None:
    boot_file, descriptor = sys.argv[1], int(sys.argv[2])
    boot: dict[str, Any] = json.loads(Path(boot_file).read_text())
    try:
        services = _boot(boot)
    except Exception as error:
        os.write(descriptor, f'{type(error).__name__}: {error}'.encode())
        raise
    os.write(descriptor, READY)
    os.close(descriptor)
    supervisor.Supervisor(services).run()
    _umount_disks(boot)
    supervisor.say('power off')


def _boot(boot: dict[str, Any]) -> list[supervisor.Service]:
    os.umask(0o022)
    _write_pid(Path(boot['pid_file']))
    userdata = cloudinit.read(boot['userdata_file'])
    logs = {name: os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                          0o640)
            for name, path in boot['logs'].items()}
    trees = [cgroups.Hierarchy(**tree) for tree in boot['cgroups']]
    cgroups.enter(boot['cgroup'], trees)
    root = Path(boot['root'])
    rootfs.build(root, Path(boot['disk']), boot['shown'])
    rootfs.disks(root / 'dev', boot['devices'])
    rootfs.leave_host(root)
    cgroups.mount(trees, cgroups.FOLDER)
    kernel.sethostname(boot['hostname'])
    if cloudinit.first_boot(userdata):
        supervisor.say('first boot: user data applied')
    _mount_fstab()
    return _services(boot, logs)


def _write_pid(path: Path) -> None:
    # The host's /proc is still mounted, so this is the PID on the host.
    status = Path('/proc/self/stat').read_text()
    pid = int(status.split(' ', 1)[0])
    started = int(status.rpartition(')')[2].split()[19])
    fresh = path.with_suffix('.new')
    fresh.write_text(json.dumps({
        'pid': pid, 'started': started,
        'boot': Path('/proc/sys/kernel/random/boot_id').read_text().strip()
    }))
    fresh.replace(path)


def _mount_fstab() -> None:
    if not Path('/etc/fstab').read_text().strip():
        return
    done = subprocess.run(['mount', '--all'], capture_output=True, text=True)
    supervisor.say('file systems of /etc/fstab: ' + (
        'mounted' if not done.returncode
        else f'failed: {done.stderr.strip()}'))


def _umount_disks(boot: dict[str, Any]) -> None:
    devices = {f'/dev/{name}' for name in boot['devices']}
    for line in Path('/proc/self/mounts').read_text().splitlines():
        source, target = line.split()[:2]
        if source in devices:
            subprocess.run(['umount', target])


def _services(boot: dict[str, Any],
              logs: dict[str, int]) -> list[supervisor.Service]:
    env = {'PATH': PATH, 'HOME': '/root', 'LANG': 'C.UTF-8',
           'container': 'lab', 'PYTHONUNBUFFERED': '1',
           **boot['environment']}
    docker = supervisor.Service(
        name='dockerd', argv=['dockerd'], log=logs['dockerd'], env=env,
        ready=lambda: True, stop_timeout=DOCKER_STOP_TIMEOUT)
    agent = supervisor.Service(
        name='trove-guestagent',
        argv=[boot['agent'], f'--config-dir={AGENT_CONFIGURATION}'],
        log=logs['agent'], env=env,
        ready=lambda: os.path.exists(DOCKER_SOCKET),
        stop_timeout=AGENT_STOP_TIMEOUT)
    # A server that Trove did not create does not need the agent.
    return [docker, agent] if os.listdir(AGENT_CONFIGURATION) else [docker]


if __name__ == '__main__':
    main()
