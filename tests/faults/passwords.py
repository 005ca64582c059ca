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

"""Every password that a lab has created, and every place that stores one.

For the test of secrets. Passwords are never put on a command line here
either, nor into the output of a failed test, which contains only their names.
"""
from collections.abc import Iterable, Iterator, Mapping
import json
from pathlib import Path
import re
import stat
import subprocess

from lab.guest import control
from lab import home as lab_home

PRIVATE = stat.S_IRWXG | stat.S_IRWXO
OPTION = re.compile(r'^\s*password\s*=\s*"?([^"\s]+)"?', re.MULTILINE)
#: A line of a private key, which is in no other key. In a record, the lines of
#: PEM end as in JSON.
PEM_KEY = re.compile(
    r'-----BEGIN [A-Z ]*PRIVATE KEY-----(.*?)-----END', re.DOTALL)
KEY = re.compile(r'^\s*instance_rpc_encr_key\s*=\s*(\S+)', re.MULTILINE)
STATE = 'var/lib/mysql/conf.d'
RECORD = f'{STATE}/galera-member.json'
INFO = 'etc/trove/conf.d/guest_info.conf'
#: All files of a guest itself; its programs are those of the machine.
FOLDERS = ('etc', 'home', 'mnt', 'opt', 'root', 'run', 'srv', 'tmp', 'var')
#: Files of the lab that are neither logs nor programs.
OWN = ('cloud', 'etc', 'mariadb', 'rabbitmq', 'run')
#: Layers of the image, the same for all guests.
LAYERS = '--exclude-dir=overlay2'


def of_guest(guest: control.GuestInfo) -> Iterator[tuple[str, str]]:
    """Name and value of the passwords that a guest stores."""
    root = Path(guest.root)
    for path in sorted((root / STATE).glob('*.cnf')):
        for found in OPTION.findall(path.read_text()):
            yield f'{path.name} of {guest.name}', found
    record = json.loads((root / RECORD).read_text())
    membership = record['membership']
    for name, value in membership['secrets'].items():
        if name != 'authorities':
            yield f'{name} of {guest.name}', value
    for number, pem in enumerate(membership['secrets']['authorities'], 1):
        yield f'key of authority {number} of {guest.name}', of_key(pem)
    yield f'key of {guest.name}', of_key(membership['identity']['key'])
    for found in KEY.findall((root / INFO).read_text()):
        yield f'message key of {guest.name}', found


def of_key(pem: str) -> str:
    """What identifies a private key in any text: its last full line."""
    (body,) = PEM_KEY.findall(pem)
    return str(body.split()[-2])


def of_lab(home: lab_home.Home) -> Iterator[tuple[str, str]]:
    """Name and value of the passwords of the controller's services."""
    for name, value in json.loads(home.secrets_file.read_text()).items():
        yield f'{name} of the lab', value


def named(known: Mapping[str, str], text: bytes) -> set[str]:
    """The names of the passwords that a text contains."""
    return {name for name, value in known.items()
            if value.encode() in text}


def holders(known: Mapping[str, str], folders: Iterable[Path]) -> list[Path]:
    """The files below the folders that contain any of the passwords."""
    there = [str(folder) for folder in folders if folder.exists()]
    done = subprocess.run(
        ['grep', '--recursive', '--files-with-matches', '--text',
         '--fixed-strings', '--no-messages', '--devices=skip', LAYERS,
         '--file=-', *there],
        input='\n'.join(known.values()), text=True, capture_output=True)
    return [Path(line) for line in done.stdout.splitlines()]


def open_to_others(path: Path, top: Path) -> bool:
    """Whether other users can read a file, from ``top`` on."""
    inner = [path, *path.parents]
    inner = inner[:inner.index(top)]
    return all(each.stat().st_mode & PRIVATE for each in inner)
