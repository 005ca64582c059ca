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
"""One command at a time changes a lab.

Imported by the command line.
"""

from collections.abc import Iterator
import contextlib
import fcntl

from lab import errors
from lab import home as lab_home


@contextlib.contextmanager
def held(home: lab_home.Home) -> Iterator[None]:
    """Keep every other command that changes this lab out.

    :raises LabError: another one is at work
    """
    home.root.mkdir(parents=True, exist_ok=True)
    with home.lock_file.open('w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.LabError(
                f'another command is changing the lab in {home.root}; '
                f'wait until it has ended') from None
        yield
