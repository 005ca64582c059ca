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

"""A file that fills a file system.

For ``lab.guest.control``.
"""

import errno
import os
from pathlib import Path

NAME = '.lab-filler'
FIRST = 1 << 30
LAST = 4096


def fill(mount_point: Path) -> None:
    """Take all free blocks, including those that are reserved for root."""
    with (mount_point / NAME).open('ab') as file:
        chunk = FIRST
        while chunk >= LAST:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END),
                                   chunk)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                chunk //= 2


def free(mount_point: Path) -> None:
    """Free the blocks that ``fill`` took."""
    (mount_point / NAME).unlink(missing_ok=True)
