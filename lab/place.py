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

"""Whether a lab can be where LAB_HOME says, and its checkout where it is.

Imported by ``lab.preflight`` and the command line. It changes nothing.
Standard library only. Each problem is one line that says what is wrong and
what to do.
"""

from collections.abc import Iterator
import os
from pathlib import Path
import re
import tempfile

from lab import errors
from lab.guest import boot
from lab.guest import mounts
from lab import home as lab_home

LONGEST_ROOT = 60
NAME = re.compile(r'[A-Za-z0-9_./-]+')
#: what the tools of a file system may put into an empty one
UNCOUNTED = ('lost+found',)


def check(home: lab_home.Home) -> None:
    """Refuse a LAB_HOME that is no folder of a lab and cannot become one.

    :raises LabError: why, in one line
    """
    for problem in of_home(home):
        raise errors.LabError(problem)


def of_home(home: lab_home.Home) -> Iterator[str]:
    """What is wrong with LAB_HOME, for each command of the lab."""
    root = home.root
    if len(str(root)) > LONGEST_ROOT or not NAME.fullmatch(str(root)):
        yield (f'LAB_HOME={str(root)!r} does not do as the name of sockets '
               f'and mounts: use at most {LONGEST_ROOT} letters, digits, '
               f'dots, dashes and underscores')
        return
    there = nearest(root)
    if not there.is_dir():
        yield (f'LAB_HOME={root} cannot be a folder, for {there} is none: '
               f'set LAB_HOME to another place')
    elif home.checkout.is_relative_to(root):
        yield (f'this checkout lies in LAB_HOME={root}, which "lab down '
               f'--purge" removes: set LAB_HOME to another place')
    elif strangers(home) and not home.exists:
        yield (f'LAB_HOME={root} is no lab and not empty '
               f'({_some(strangers(home))}): set LAB_HOME to a folder of '
               f'its own')


def of_mounts(home: lab_home.Home) -> Iterator[str]:
    """What of the places keeps guests from starting."""
    there = nearest(home.root)
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        yield (f'LAB_HOME={home.root} cannot be written '
               f'({error.strerror}): set LAB_HOME to another place')
        return
    flags = os.statvfs(there).f_flag
    if flags & (os.ST_NOEXEC | os.ST_NODEV):
        yield (f'LAB_HOME={home.root} is on a file system without programs '
               f'or devices (noexec, nodev): set LAB_HOME to a folder on '
               f'another')


def of_checkout(home: lab_home.Home) -> Iterator[str]:
    """What of this checkout's place keeps it from being used."""
    for folder in boot.shown(home):
        own = mounts.conflict(folder)
        if own:
            yield (f'{folder} is shown to guests at the same place, where '
                   f'they have a {own} of their own: use another folder')
    if not os.access(home.checkout, os.W_OK):
        yield (f'{home.checkout} cannot be written, and pip leaves a folder '
               f'there when it installs this checkout: copy it to another '
               f'place')


def strangers(home: lab_home.Home) -> list[str]:
    """What lies in LAB_HOME that no lab has put there."""
    if not home.root.is_dir():
        return []
    return sorted(set(os.listdir(home.root))
                  - home.names - set(UNCOUNTED))


def nearest(path: Path) -> Path:
    """The path itself, or the first above it that exists."""
    while not path.exists():
        path = path.parent
    return path


def _some(names: list[str], most: int = 3) -> str:
    more = ', ...' if len(names) > most else ''
    return ', '.join(names[:most]) + more
