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

"""Converts OCI image archives for the Docker engine of Debian 12.

Only for ``lab.images.datastore``. That engine loads archives of ``docker
save``. An OCI archive has the same parts with other names.
"""

import io
import json
from pathlib import Path
import platform
import tarfile
from typing import Any

from lab import errors

INDEXES = ('application/vnd.oci.image.index.v1+json',
           'application/vnd.docker.distribution.manifest.list.v2+json')
ARCHITECTURES = {'x86_64': 'amd64', 'aarch64': 'arm64'}


def is_docker_archive(path: Path) -> bool:
    """Whether the archive has the format of ``docker save``.

    :raises LabError: if it is neither that nor an OCI archive
    """
    try:
        with tarfile.open(path) as archive:
            names = {name.removeprefix('./') for name in archive.getnames()}
    except tarfile.TarError as error:
        raise errors.LabError(
            f'{path} is not a tar archive ({error}); create one with '
            f'"docker save IMAGE > FILE.tar"') from error
    if 'manifest.json' in names:
        return True
    if 'index.json' in names:
        return False
    raise errors.LabError(
        f'{path} is not an image archive: it has neither manifest.json nor '
        f'index.json; create one with "docker save IMAGE > FILE.tar"')


def convert(source: Path, target: Path) -> None:
    """Write the image of an OCI archive in the format of ``docker save``."""
    with tarfile.open(source) as archive:
        members = {member.name.removeprefix('./'): member
                   for member in archive.getmembers()}
        manifest = _manifest(archive, members)
        config = _blob(manifest['config'])
        layers = [_blob(layer) for layer in manifest['layers']]
        with tarfile.open(target, 'w') as fresh:
            for name in dict.fromkeys([config, *layers]):
                member = members[name]
                member.name = name
                fresh.addfile(member, archive.extractfile(member))
            content = json.dumps([{'Config': config, 'RepoTags': None,
                                   'Layers': layers}]).encode()
            entry = tarfile.TarInfo('manifest.json')
            entry.size = len(content)
            fresh.addfile(entry, io.BytesIO(content))


def _manifest(archive: tarfile.TarFile,
              members: dict[str, tarfile.TarInfo]) -> dict[str, Any]:
    document = _read(archive, members, 'index.json')
    while 'manifests' in document:
        document = _read(archive, members,
                         _blob(_for_this_machine(document['manifests'])))
    return document


def _for_this_machine(entries: list[dict[str, Any]]) -> dict[str, Any]:
    wanted = ARCHITECTURES.get(platform.machine(), platform.machine())
    for entry in entries:
        if entry.get('mediaType') in INDEXES:
            return entry
        architecture = entry.get('platform', {}).get('architecture')
        if architecture in (None, wanted):
            return entry
    raise errors.LabError(
        f'the archive has no image for {wanted}; it has '
        + ', '.join(str(entry.get('platform')) for entry in entries))


def _read(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo],
          name: str) -> dict[str, Any]:
    file = archive.extractfile(members[name]) if name in members else None
    if file is None:
        raise errors.LabError(f'the OCI archive lacks the file {name}')
    content: dict[str, Any] = json.load(file)
    return content


def _blob(descriptor: dict[str, Any]) -> str:
    algorithm, _, digest = str(descriptor['digest']).partition(':')
    return f'blobs/{algorithm}/{digest}'
