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

"""Glance: the guest images that ``lab.images`` has prepared, read-only."""

from lab.cloud import http
from lab import home as lab_home
from lab.images import datastore

SCHEMA = {
    'name': 'image',
    'properties': {
        name: {'type': kind} for name, kind in (
            ('id', 'string'), ('name', 'string'), ('status', 'string'),
            ('size', 'integer'), ('min_disk', 'integer'),
            ('min_ram', 'integer'), ('visibility', 'string'),
            ('created_at', 'string'), ('updated_at', 'string'),
            ('tags', 'array'), ('checksum', 'string'))},
    'additionalProperties': {'type': 'string'},
}


class ImageService:
    """Glance v2."""

    def __init__(self, home: lab_home.Home) -> None:
        self._home = home

    def routes(self) -> list[http.Route]:
        return [
            http.Route('GET', '/v2/schemas/image', self._schema),
            http.Route('GET', '/v2/images', self._list),
            http.Route('GET', '/v2/images/<image_id>', self._show),
        ]

    def find(self, image_id: str) -> datastore.GuestImage | None:
        """A guest image by its id, or None."""
        for image in datastore.images(self._home):
            if image.id == image_id:
                return image
        return None

    def _schema(self, call: http.Call) -> http.Reply:
        return http.Reply(200, SCHEMA)

    def _list(self, call: http.Call) -> http.Reply:
        wanted = set(call.query.get('tag', ()))
        name = call.one('name')
        status = call.one('status')
        found = [
            _view(image) for image in reversed(datastore.images(self._home))
            if wanted <= set(image.tags)
            and name in (None, image.name) and status in (None, 'active')]
        limit = call.one('limit')
        if limit:
            found = found[:int(limit)]
        return http.Reply(200, {'images': found, 'first': '/v2/images',
                                'schema': '/v2/schemas/images'})

    def _show(self, call: http.Call) -> http.Reply:
        image_id = call.arguments['image_id']
        image = self.find(image_id)
        if image is None:
            raise http.ApiError(
                404, 'NotFound', f'No image found with ID {image_id}')
        return http.Reply(200, _view(image))


def _view(image: datastore.GuestImage) -> http.Document:
    return {
        'id': image.id, 'name': image.name, 'status': 'active',
        'visibility': 'public', 'size': image.size, 'min_disk': 0,
        'min_ram': 0, 'created_at': image.created,
        'updated_at': image.created, 'tags': image.tags,
        'container_format': 'bare', 'disk_format': 'raw',
        'database_image': image.reference, 'schema': '/v2/schemas/image'}
