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

"""The first boot: writes the files of the user data.

``lab.guest.init`` calls it, with the user data that the cloud's compute
service has parsed. Standard library only.
"""

from collections.abc import Mapping, Sequence
import grp
import json
import os
from pathlib import Path
import pwd
import subprocess
from typing import Any

DONE = Path('/var/lib/cloud/instance/boot-finished')
DEFAULT_MODE = 0o644


def first_boot(userdata: Mapping[str, Any]) -> bool:
    """Write the files and run the commands of a cloud-config, once.

    :param userdata: ``write_files`` with decoded content, and ``runcmd``
    :returns: whether this was the first boot
    """
    if DONE.exists():
        return False
    for entry in userdata.get('write_files') or ():
        _write(entry)
    for command in userdata.get('runcmd') or ():
        _run(command)
    DONE.parent.mkdir(parents=True, exist_ok=True)
    DONE.touch()
    return True


def read(path: str) -> dict[str, Any]:
    """The parsed user data; empty if the server has none."""
    try:
        content: dict[str, Any] = json.loads(Path(path).read_text())
    except FileNotFoundError:
        return {}
    return content


def _write(entry: Mapping[str, Any]) -> None:
    path = Path(str(entry['path']))
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = _mode(entry.get('permissions'))
    flags = os.O_WRONLY | os.O_CREAT
    flags |= os.O_APPEND if entry.get('append') else os.O_TRUNC
    descriptor = os.open(path, flags, mode)
    with os.fdopen(descriptor, 'wb') as file:
        file.write(bytes.fromhex(entry['content_hex']))
    path.chmod(mode)
    owner = str(entry.get('owner') or 'root:root')
    user, _, group = owner.partition(':')
    try:
        os.chown(path, pwd.getpwnam(user).pw_uid,
                 grp.getgrnam(group or user).gr_gid)
    except KeyError:
        print(f'cloud-init: no user or group {owner}; root owns {path}',
              flush=True)


def _mode(permissions: object) -> int:
    if permissions is None:
        return DEFAULT_MODE
    return int(str(permissions), 8)


def _run(command: str | Sequence[str]) -> None:
    argv = ['sh', '-c', command] if isinstance(command, str) else command
    done = subprocess.run(argv)
    if done.returncode:
        print(f'cloud-init: {command} ended with {done.returncode}',
              flush=True)
