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

"""A virtual machine of the guest image: qemu, without KVM if there is none.

It has what Nova gives a guest of Trove: the image as its first disk, a volume
as /dev/vdb, and a config drive with user data. Its network is qemu's own: the
guest's packets leave the network namespace that qemu runs in, which is that
of the lab's controller.
"""

import contextlib
import json
import os
import pathlib
import subprocess

from lab import home as lab_home
from lab import netns

QEMU = 'qemu-system-x86_64'
MEMORY_MIB = 1024
#: Of the flavor: larger than the image, as in a cloud.
ROOT_DISK = '10G'
#: Prints the log of its services on the serial line, which the test reads.
LOG_TO_CONSOLE = """\
#cloud-config
bootcmd:
- mkdir -p /run/systemd/journald.conf.d
- printf '[Journal]\\nForwardToConsole=yes\\nTTYPath=/dev/ttyS0\\n'
  > /run/systemd/journald.conf.d/console.conf
- systemctl restart systemd-journald
"""
SECTOR = 512
#: In the first sector: the first partition, and in it its first sector.
FIRST_PARTITION = slice(446 + 8, 446 + 12)


class Mounted(contextlib.ExitStack):
    """The file system of an image, mounted for checks."""

    def __init__(self, image: pathlib.Path, folder: pathlib.Path) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        raw = folder.with_suffix('.raw')
        self.callback(raw.unlink, missing_ok=True)
        subprocess.run(['qemu-img', 'convert', '-O', 'raw', str(image),
                        str(raw)], check=True)
        start = _start_of_partition(raw)
        subprocess.run(['mount', '-o', f'loop,ro,noload,offset={start}',
                        str(raw), str(folder)], check=True)
        self.callback(subprocess.run, ['umount', str(folder)], check=True)

    def find(self, pattern: str) -> list[pathlib.Path]:
        return sorted(self.folder.glob(pattern))


class Machine:
    """One boot of the image, which is not modified.

    :param image: the qcow2 file
    :param folder: for its disks and the output of its console
    """

    def __init__(self, image: pathlib.Path, folder: pathlib.Path) -> None:
        self._image = image
        self._folder = folder
        self.console = folder / 'console.log'
        self._qemu: subprocess.Popen[bytes] | None = None

    def start(self, home: lab_home.Home, user_data: str) -> None:
        """Boot it in the network of the lab's controller."""
        self._make_disks(user_data)
        command = [
            QEMU, '-machine', 'q35', *_processor(), '-m', str(MEMORY_MIB),
            '-smp', '2', '-display', 'none', '-no-reboot',
            '-serial', f'file:{self.console}',
            '-object', 'rng-random,id=rng,filename=/dev/urandom',
            '-device', 'virtio-rng-pci,rng=rng',
            '-netdev', 'user,id=net',
            '-device', 'virtio-net-pci,netdev=net,romfile=']
        for disk, form in (('root.qcow2', 'qcow2'), ('volume.raw', 'raw'),
                           ('config.iso', 'raw')):
            command += ['-drive', f'file={self._folder / disk},format={form},'
                                  f'if=virtio,cache=unsafe']
        self._qemu = subprocess.Popen(
            netns.inside(home.controller, command), stdin=subprocess.DEVNULL,
            stdout=(self._folder / 'qemu.log').open('wb'),
            stderr=subprocess.STDOUT)

    def stop(self) -> None:
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()

    def died(self) -> str | None:
        """The output of qemu if it has ended, or None while it runs."""
        if self._qemu is None or self._qemu.poll() is None:
            return None
        return (self._folder / 'qemu.log').read_text(errors='replace')

    def last_lines(self, number: int = 100) -> str:
        """The end of the output of the console."""
        text = self.console.read_text(errors='replace')
        return '\n'.join(text.splitlines()[-number:])

    def _make_disks(self, user_data: str) -> None:
        subprocess.run(
            ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b',
             str(self._image), str(self._folder / 'root.qcow2'), ROOT_DISK],
            check=True)
        with (self._folder / 'volume.raw').open('wb') as volume:
            volume.truncate(1 << 30)
        latest = self._folder / 'drive/openstack/latest'
        latest.mkdir(parents=True)
        (latest / 'meta_data.json').write_text(json.dumps(
            {'uuid': 'c5d8c4b0-2f0e-4d55-9d5b-0d9b3e8b7a11',
             'hostname': 'image', 'name': 'image'}))
        (latest / 'user_data').write_text(user_data)
        (latest / 'vendor_data.json').write_text(
            json.dumps({'cloud-init': LOG_TO_CONSOLE}))
        subprocess.run(
            ['genisoimage', '-quiet', '-J', '-r', '-V', 'config-2', '-o',
             str(self._folder / 'config.iso'), str(self._folder / 'drive')],
            check=True)


def _start_of_partition(image: pathlib.Path) -> int:
    with image.open('rb') as disk:
        table = disk.read(SECTOR)
    return int.from_bytes(table[FIRST_PARTITION], 'little') * SECTOR


def _processor() -> list[str]:
    """The processor of this machine if KVM is usable, else an emulated one.

    KVM can exist without support of the processor, too (pvm); then /dev/kvm
    can be opened, but no ordinary kernel boots.
    """
    flags = set(pathlib.Path('/proc/cpuinfo').read_text().split())
    if flags & {'svm', 'vmx'} and os.access('/dev/kvm', os.R_OK | os.W_OK):
        return ['-accel', 'kvm', '-cpu', 'host']
    return ['-accel', 'tcg,thread=multi', '-cpu', 'max']
