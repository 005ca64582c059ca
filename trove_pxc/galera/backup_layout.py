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

"""The objects of a backup in Swift: names, manifests, metadata.

Pure. The guest stores and reads them.

A backup is a static large object (SLO), which "openstack database backup
delete" removes with all its segments. Swift allows 1000 segments in a manifest
by default, so a large backup has manifests of manifests.

Source: "Large object support" and "max_manifest_segments" of Swift.
"""

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
import dataclasses
import json
from typing import Any
from urllib import parse

from trove_pxc.galera import backups
from trove_pxc.galera import errors

#: bytes of a segment; the agent holds two of them in its memory
SEGMENT_BYTES = 32 << 20
#: segments in one manifest
MANIFEST_SEGMENTS = 1000

_META = 'x-object-meta-'
_FORMAT = f'{_META}backup-format'
_RESULT = f'{_META}backup-'
_COMPRESSION = f'{_META}backup-compression'
# of a value; Swift allows 4096 for all values of an object together
_LONGEST_META = 256
_MOST_PARTS = 4
#: types of the numbers and flags in a result
_NUMBERS = ('stored_bytes', 'data_bytes', 'seqno', 'from_lsn', 'to_lsn')


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """One stored object.

    :ivar path: its container and name, with a slash before each.
    :ivar etag: its MD5, as Swift computes it.
    """

    path: str
    etag: str
    size: int
    is_manifest: bool = False

    @property
    def name(self) -> str:
        """The name without the container."""
        return self.path.lstrip('/').partition('/')[2]


def manifest_name(backup_id: str) -> str:
    """The name of a backup's manifest, as Trove names backups."""
    return f'{backup_id}.xbstream'


def segment_prefix(backup_id: str) -> str:
    """All other objects of a backup begin with it."""
    return f'{backup_id}.segments/'


def segment_name(backup_id: str, number: int) -> str:
    return f'{segment_prefix(backup_id)}{number:08d}'


def part_name(backup_id: str, number: int) -> str:
    """The name of a manifest that is listed in the backup's manifest."""
    return f'{segment_prefix(backup_id)}part-{number:04d}'


def groups(segments: Sequence[Segment],
           most: int = MANIFEST_SEGMENTS) -> list[Sequence[Segment]]:
    """The segments by manifest; one group needs no manifests of its own."""
    return [segments[first:first + most]
            for first in range(0, len(segments), most)]


def manifest(segments: Iterable[Segment]) -> bytes:
    """The body of a request that stores a manifest."""
    return json.dumps([
        {'path': one.path, 'etag': one.etag, 'size_bytes': one.size}
        for one in segments]).encode()


def listed(body: bytes) -> Iterator[Segment]:
    """The segments in a manifest, as Swift shows it.

    :raises trove_pxc.galera.errors.Unusable: if it is not a manifest.
    """
    try:
        for one in json.loads(body):
            yield Segment(str(one['name']), str(one['hash']),
                          int(one['bytes']), bool(one.get('sub_slo')))
    except (ValueError, TypeError, KeyError) as error:
        raise errors.Unusable(
            f'the manifest of the backup is damaged: {error}') from error


def location(account_url: str, container: str, name: str) -> str:
    """The URL of an object, as in Trove's rows of backups."""
    return f'{account_url.rstrip("/")}/{container}/{name}'


def split_location(url: str) -> tuple[str, str]:
    """Container and name of the object with this URL.

    :raises trove_pxc.galera.errors.Unusable: if it has none.
    """
    parts = parse.urlsplit(url).path.split('/')
    if len(parts) < 3 or not all(parts[-2:]):
        raise errors.Unusable(f'{url!r} is not the location of a backup')
    return parts[-2], parts[-1]


def metadata(result: backups.Result, extra: Mapping[str, str],
             compression: str) -> dict[str, str]:
    """The headers to store with the manifest of a complete backup.

    :param extra: more texts, for example the name of the cluster.
    """
    headers = {_FORMAT: str(backups.FORMAT), _COMPRESSION: compression}
    for name, value in extra.items():
        headers[_header(name)] = _quoted(value)[:_LONGEST_META]
    for name, value in result.to_dict().items():
        text = _quoted(value)
        # A part of it would be wrong. GTIDs of many servers are long.
        if len(text) > _MOST_PARTS * _LONGEST_META:
            text = ''
        for number in range(max(1, -(-len(text) // _LONGEST_META))):
            headers[_header(name, number)] = text[
                number * _LONGEST_META:(number + 1) * _LONGEST_META]
    return headers


def _quoted(value: object) -> str:
    return parse.quote(str(value), safe=' :/+,.=()')


def _header(name: str, part: int = 0) -> str:
    """The header of a value, or of a part of a long one."""
    begin = f'{_RESULT}{name.replace("_", "-")}'
    return f'{begin}-part-{part}' if part else begin


def result_of(headers: Mapping[str, str]) -> backups.Result:
    """The result of a backup, from the headers of its manifest.

    :raises trove_pxc.galera.errors.Unusable: if it is not a backup of this
        format.
    """
    known = {name.lower(): value for name, value in headers.items()}
    written = known.get(_FORMAT)
    if written != str(backups.FORMAT):
        raise errors.Unusable(
            'the object is not a backup of a cluster by this package'
            if written is None else
            f'the backup has format {written}, and this version reads '
            f'format {backups.FORMAT}')
    plain: dict[str, Any] = {}
    for field in dataclasses.fields(backups.Result):
        plain[field.name] = parse.unquote(''.join(
            known.get(_header(field.name, part), '')
            for part in range(_MOST_PARTS)))
    try:
        plain.update({name: int(plain[name]) for name in _NUMBERS})
    except ValueError as error:
        raise errors.Unusable('the metadata of the backup is damaged: '
                              f'{error}') from error
    plain['encrypted'] = plain['encrypted'] == str(True)
    return backups.Result.from_dict(plain)
