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

"""Writes a root file system as an archive that Docker can load.

Only for ``lab.images.build``. The format is that of ``docker save``: one
layer, its configuration and a manifest. It does not need Docker.
"""

from collections.abc import Mapping, Sequence
import dataclasses
import hashlib
import io
import json
from pathlib import Path
import subprocess
import tarfile
import tempfile
from typing import Any

CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings in the image for its containers."""

    tag: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    environment: Sequence[str]
    labels: Mapping[str, str]
    architecture: str
    created: str


def write(tree: Path, target: Path, settings: Settings) -> None:
    """Pack ``tree`` as the only layer of the image in ``target``."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        layer = Path(scratch) / 'layer.tar'
        subprocess.run(
            ['tar', '--create', f'--file={layer}', '--numeric-owner',
             '--sort=name', '--xattrs', f'--directory={tree}', '.'],
            check=True)
        digest = _digest(layer)
        config = json.dumps(_config(settings, digest)).encode()
        name = hashlib.sha256(config).hexdigest()
        manifest = json.dumps([{
            'Config': f'{name}.json',
            'RepoTags': [settings.tag],
            'Layers': [f'{digest}/layer.tar']}]).encode()
        fresh = Path(scratch) / 'image.tar'
        with tarfile.open(fresh, 'w') as archive:
            archive.add(layer, f'{digest}/layer.tar')
            _add(archive, f'{name}.json', config)
            _add(archive, 'manifest.json', manifest)
        fresh.replace(target)


def tag(path: Path) -> str:
    """The tag of the image in an archive of ``write``."""
    with tarfile.open(path) as archive:
        manifest = archive.extractfile('manifest.json')
        assert manifest is not None
        return str(json.load(manifest)[0]['RepoTags'][0])


def _config(settings: Settings, digest: str) -> dict[str, Any]:
    return {
        'architecture': settings.architecture,
        'os': 'linux',
        'created': settings.created,
        'config': {
            'Env': list(settings.environment),
            'Entrypoint': list(settings.entrypoint),
            'Cmd': list(settings.command),
            'ExposedPorts': {'3306/tcp': {}},
            'Labels': dict(settings.labels),
        },
        'rootfs': {'type': 'layers', 'diff_ids': [f'sha256:{digest}']},
        'history': [{'created': settings.created,
                     'created_by': 'lab.images.build'}],
    }


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open('rb') as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
