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
"""The logs of the lab's parts.

Imported by the command line.
"""

import os
from pathlib import Path
import subprocess

from lab import errors
from lab import home as lab_home


def listed(home: lab_home.Home) -> str:
    """One line for each log: name, size, path."""
    logs = _all(home)
    if not logs:
        return f'no logs in {home.logs}'
    return '\n'.join(f'{log.stem:40} {log.stat().st_size // 1024:8} KiB  '
                     f'{log}' for log in logs)


def show(home: lab_home.Home, who: str, lines: int, follow: bool) -> None:
    """Print the end of the logs of a service or a guest.

    :raises LabError: there is no such log, or the user may not read it
    """
    files = find(home, who)
    for log in files:
        if not os.access(log, os.R_OK):
            raise errors.LabError(f'{log} is readable only by root: run '
                                  f'the command as root')
    argv = ['tail', '-n', str(lines)]
    if follow:
        argv.append('-F')
    subprocess.run([*argv, *map(str, files)])


def find(home: lab_home.Home, who: str) -> list[Path]:
    """The logs of a service (by name) or a guest (by name or ID)."""
    exact = [log for log in _all(home) if log.stem == who]
    files = exact or [log for log in _all(home)
                      if log.stem.startswith(f'guest-{who}-')]
    if not files:
        names = ', '.join(log.stem for log in _all(home)) or 'none'
        raise errors.LabError(
            f'there is no log of {who}; the logs are: {names}')
    return files


def _all(home: lab_home.Home) -> list[Path]:
    return sorted(home.logs.glob('*.log'))
