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
"""The lock of a lab: only one command at a time may change it.

Imported by the command line.
"""

from collections.abc import Iterator
import contextlib
import fcntl
import os
from pathlib import Path

from lab import errors
from lab import home as lab_home


@contextlib.contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Lock a file or an existing folder, unless another process has.

    The lock ends with the block, or with this process. The value is whether
    this process has the lock.
    """
    create = 0 if path.is_dir() else os.O_CREAT
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | create, 0o644)
    try:
        yield _lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextlib.contextmanager
def held(home: lab_home.Home) -> Iterator[None]:
    """Lock out all other commands that change this lab.

    :raises LabError: another command has the lock
    """
    home.root.mkdir(parents=True, exist_ok=True)
    with alone(home.lock_file) as mine:
        if not mine:
            raise errors.LabError(
                f'another command is changing the lab in {home.root}; '
                f'wait until it has ended')
        yield
