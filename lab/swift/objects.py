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

"""The files of objects on the disk of the object server, and damage to them.

Imported by ``lab.cli.swift``. The object server notices the damage itself, as
on a real disk.
"""

import hashlib
from pathlib import Path
import shutil

from lab import errors
from lab import home as lab_home
from lab.swift import disk

DATA = '.data'
DELETED = '.ts'


def corrupt(home: lab_home.Home, account: str, container: str,
            name: str) -> int:
    """Change one byte in the middle of an object.

    The next GET of the whole object delivers the damaged data. The server
    compares the checksum at its end, and removes the object.

    :returns: the offset of the byte
    """
    file = find(home, account, container, name)
    size = file.stat().st_size
    if not size:
        raise errors.LabError(
            f'{container}/{name} is empty; if it is a large object, name one '
            f'of its segments')
    with file.open('r+b') as content:
        content.seek(size // 2)
        byte = content.read(1)[0]
        content.seek(size // 2)
        content.write(bytes([byte ^ 0xff]))
    return size // 2


def lose(home: lab_home.Home, account: str, container: str,
         name: str) -> None:
    """Remove an object from the disk; the container still lists it."""
    shutil.rmtree(find(home, account, container, name).parent)


def find(home: lab_home.Home, account: str, container: str,
         name: str) -> Path:
    """The file with the content of an object.

    :raises LabError: there is no such object
    """
    key = digest(home, account, container, name)
    files = sorted((disk.folder(home) / 'objects').glob(f'*/*/{key}/*'),
                   key=lambda file: file.name)
    found = [file for file in files if file.suffix == DATA]
    if not found or files[-1].suffix == DELETED:
        raise errors.LabError(
            f'there is no object {container}/{name} of {account}; '
            f'"lab swift client list {container}" lists the objects')
    return found[-1]


def digest(home: lab_home.Home, *path: str) -> str:
    """The name of an object's folder: ``hash_path`` of Swift."""
    words = '/' + '/'.join(path) + home.secret('swift-hash')
    return hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()
