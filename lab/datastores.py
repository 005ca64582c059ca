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
"""Registers datastore versions and their images in the lab's Trove.

Imported by ``lab.up`` and the command line. It uses ``trove-pxc-manage``, as
an operator does.
"""

import dataclasses
import json
from pathlib import Path

from lab import errors
from lab import home as lab_home
from lab.images import build
from lab.images import datastore
from lab import report as lab_report
from lab.services import trove

DEFAULT_NAME = 'mariadb'
DEFAULT_VERSION = '10.11'
#: the datastore managers of this project
MANAGERS = ('mariadb', 'pxc')


@dataclasses.dataclass(frozen=True)
class Version:
    """A requested datastore version.

    :ivar active: whether it becomes the default version.
    """

    manager: str
    datastore: str
    version: str
    source: str
    active: bool = True


def prepare_default(home: lab_home.Home, report: lab_report.Report) -> None:
    """Build the image of the default datastore; no service is needed."""
    wanted = _default(home, report)
    datastore.add(home, wanted.manager, wanted.version, wanted.source,
                  report)


def add_default(home: lab_home.Home, report: lab_report.Report) -> None:
    """Register the default datastore: MariaDB from Debian's packages."""
    add(home, report, _default(home, report))


def default_is_there(home: lab_home.Home) -> bool:
    """Whether the default datastore is registered."""
    return f'{DEFAULT_NAME} {DEFAULT_VERSION}' in _registered(home)


def add(home: lab_home.Home, report: lab_report.Report,
        wanted: Version) -> str:
    """Add an image to the cloud and register its datastore version.

    :returns: the ID of the image
    """
    done = _registered(home)
    key = f'{wanted.datastore} {wanted.version}'
    record = [wanted.manager, _identity(wanted.source), wanted.active]
    if key in done and done[key][:-1] == record:
        return str(done[key][-1])
    with report.step(f'datastore {key}'):
        image = datastore.add(home, wanted.manager, wanted.version,
                              wanted.source, report)
        _register(home, wanted, image)
    _registered_file(home).write_text(
        json.dumps({**done, key: [*record, image]}))
    return image


def _register(home: lab_home.Home, wanted: Version, image: str) -> None:
    trove.run(home, [
        *trove.command(home, 'trove-pxc-manage'), 'datastore', 'add',
        '--manager', wanted.manager, '--datastore', wanted.datastore,
        '--version', wanted.version, '--image', image,
        *(['--default'] if wanted.active else [])])


def _default(home: lab_home.Home, report: lab_report.Report) -> Version:
    archive = build.ensure_database_image(home, report)
    return Version(
        DEFAULT_NAME, DEFAULT_NAME, DEFAULT_VERSION, str(archive))


def _identity(source: str) -> str:
    path = Path(source)
    if not path.exists():
        return source
    if not path.is_file():
        raise errors.LabError(f'{source} is not a file; give an archive of '
                              f'"docker save"')
    status = path.stat()
    return f'{path.resolve()} {status.st_size} {status.st_mtime_ns}'


def _registered_file(home: lab_home.Home) -> Path:
    # In the folder of the tables, so that both are removed together.
    return home.mariadb / 'datastores.json'


def _registered(home: lab_home.Home) -> dict[str, list[object]]:
    try:
        content = json.loads(_registered_file(home).read_text())
    except FileNotFoundError:
        return {}
    return dict(content)
