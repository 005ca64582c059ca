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

"""Checks the folder LAB_HOME of a lab, and the folder of its checkout.

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
#: what an empty file system may contain
UNCOUNTED = ('lost+found',)


def check(home: lab_home.Home) -> None:
    """Refuse a LAB_HOME that is not a lab and cannot become one.

    :raises LabError: the reason, in one line
    """
    for problem in of_home(home):
        raise errors.LabError(problem)


def of_home(home: lab_home.Home) -> Iterator[str]:
    """The problems of LAB_HOME for each command of the lab."""
    root = home.root
    if len(str(root)) > LONGEST_ROOT or not NAME.fullmatch(str(root)):
        yield (f'LAB_HOME={str(root)!r} cannot be part of the names of '
               f'sockets and mounts: use at most {LONGEST_ROOT} letters, '
               f'digits, dots, dashes and underscores')
        return
    there = nearest(root)
    if not there.is_dir():
        yield (f'LAB_HOME={root} cannot be a folder, because {there} is '
               f'not a folder: set LAB_HOME to another folder')
    elif home.checkout.is_relative_to(root):
        yield (f'this checkout is in LAB_HOME={root}, which "lab down '
               f'--purge" removes: set LAB_HOME to another folder')
    elif strangers(home) and not home.exists:
        yield (f'LAB_HOME={root} is not a lab and not empty '
               f'({_some(strangers(home))}): set LAB_HOME to an empty '
               f'folder')


def of_mounts(home: lab_home.Home) -> Iterator[str]:
    """The problems of the folders that prevent guests from starting."""
    there = nearest(home.root)
    try:
        tempfile.TemporaryFile(dir=there).close()
    except OSError as error:
        yield (f'LAB_HOME={home.root} cannot be written '
               f'({error.strerror}): set LAB_HOME to another folder')
        return
    flags = os.statvfs(there).f_flag
    if flags & (os.ST_NOEXEC | os.ST_NODEV):
        yield (f'LAB_HOME={home.root} is on a file system without programs '
               f'or devices (noexec, nodev): set LAB_HOME to a folder on '
               f'another')


def of_checkout(home: lab_home.Home) -> Iterator[str]:
    """The problems of the folder of this checkout."""
    for folder in boot.shown(home):
        own = mounts.conflict(folder)
        if own:
            yield (f'{folder} is mounted in guests at the same path, where '
                   f'they have their own {own}: use another folder')
    if not os.access(home.checkout, os.W_OK):
        yield (f'{home.checkout} cannot be written, but pip creates a folder '
               f'there when it installs this checkout: copy it to another '
               f'folder')


def strangers(home: lab_home.Home) -> list[str]:
    """The names in LAB_HOME that no lab has created."""
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
