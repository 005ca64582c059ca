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

import io
import json
import pathlib
import tarfile
import tempfile

import testtools

from lab import errors
from lab.images import oci

LAYER = b'a layer'


def _pack(path: pathlib.Path, parts: dict[str, bytes]) -> None:
    with tarfile.open(path, 'w') as archive:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def _oci_parts(architecture: str | None) -> dict[str, bytes]:
    manifest = {'config': {'digest': 'sha256:c'},
                'layers': [{'digest': 'sha256:l'}]}
    platform = {'architecture': architecture, 'os': 'linux'}
    entry = {'digest': 'sha256:m',
             **({'platform': platform} if architecture else {})}
    return {'index.json': json.dumps({'manifests': [entry]}).encode(),
            'blobs/sha256/m': json.dumps(manifest).encode(),
            'blobs/sha256/c': b'{}', 'blobs/sha256/l': LAYER}


class OciTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / 'image.tar'
        self.target = pathlib.Path(folder.name) / 'converted.tar'

    def test_what_docker_save_writes(self) -> None:
        _pack(self.path, {'manifest.json': b'[]', 'index.json': b'{}'})
        self.assertTrue(oci.is_docker_archive(self.path))

    def test_an_oci_archive_is_converted(self) -> None:
        _pack(self.path, _oci_parts(None))
        self.assertFalse(oci.is_docker_archive(self.path))
        oci.convert(self.path, self.target)
        with tarfile.open(self.target) as archive:
            manifest = json.load(archive.extractfile('manifest.json')
                                 or io.BytesIO())
            layer = archive.extractfile(manifest[0]['Layers'][0])
            self.assertEqual(LAYER, layer.read() if layer else None)
        self.assertTrue(oci.is_docker_archive(self.target))

    def test_an_image_for_another_machine_is_refused(self) -> None:
        _pack(self.path, _oci_parts('m68k'))
        error = self.assertRaises(errors.LabError, oci.convert, self.path,
                                  self.target)
        self.assertIn('m68k', str(error))

    def test_what_is_no_image_is_refused(self) -> None:
        _pack(self.path, {'readme': b''})
        self.assertRaises(errors.LabError, oci.is_docker_archive, self.path)
        self.path.write_text('no tar')
        self.assertRaises(errors.LabError, oci.is_docker_archive, self.path)
