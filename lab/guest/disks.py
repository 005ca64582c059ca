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

"""Loop devices: the files of volumes as block devices of the host.

For ``lab.guest`` and the cloud's volume service.
"""

import contextlib
import json
import os
from pathlib import Path

from lab import netns


def attach(file: str) -> str:
    """Create a loop device for a file, or return the existing one.

    :returns: the device, such as /dev/loop3
    """
    return attached(file) or netns.command(
        ['losetup', '--find', '--show', file]).stdout.strip()


def attached(file: str) -> str | None:
    """The loop device of a file, or None."""
    for device, backing in _devices().items():
        if backing == file:
            return device
    return None


def detach(file: str) -> None:
    device = attached(file)
    if device:
        netns.command(['losetup', '--detach', device])


def refresh_size(file: str) -> None:
    """Update the size of the device after its file has grown."""
    device = attached(file)
    if device:
        netns.command(['losetup', '--set-capacity', device])


def under(folder: Path) -> list[str]:
    """The files below a folder that have a loop device."""
    return sorted(backing for backing in _devices().values()
                  if Path(backing).is_relative_to(folder))


def number(device: str) -> int:
    """The device number, for ``mknod``."""
    return os.stat(device).st_rdev


def _devices() -> dict[str, str]:
    out = netns.command(['losetup', '--json', '--list',
                         '--output', 'NAME,BACK-FILE']).stdout
    listed = json.loads(out)['loopdevices'] if out.strip() else []
    return {entry['name']: str(entry['back-file']) for entry in listed
            if entry['back-file']}


def users(file: str) -> list[str]:
    """The processes that use the file system of a volume, as "name (pid)".

    While a process has it mounted or open, it stays in the kernel, also after
    the guest has ended. A new mount would then contain the writes that the
    guest has lost.
    """
    device = attached(file)
    if device is None:
        return []
    rdev = number(device)
    mark = f' {os.major(rdev)}:{os.minor(rdev)} '
    return sorted(
        _name(folder) for folder in Path('/proc').glob('[0-9]*')
        if _mounts(folder, mark) or _opens(folder, rdev))


def _mounts(process: Path, mark: str) -> bool:
    with contextlib.suppress(OSError):
        return mark in (process / 'mountinfo').read_text()
    return False


def _opens(process: Path, rdev: int) -> bool:
    with contextlib.suppress(OSError):
        for descriptor in (process / 'fd').iterdir():
            with contextlib.suppress(OSError):
                if descriptor.stat().st_dev == rdev:
                    return True
    return False


def _name(process: Path) -> str:
    with contextlib.suppress(OSError):
        return f'{(process / "comm").read_text().strip()} ({process.name})'
    return process.name
