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

"""Parses a server's user data as cloud-init does.

For ``lab.cloud.servers``. It supports a cloud-config, and the multipart format
that Trove creates for more than one part. Scripts become commands.
"""

import base64
import binascii
import email
import gzip
from typing import Any

import yaml

from lab.cloud import http

ENCODINGS = {'b64', 'base64'}
ZIPPED = {'gz', 'gzip', 'gz+b64', 'gz+base64', 'gzip+b64', 'gzip+base64'}


def parse(encoded: str | None) -> dict[str, Any]:
    """The files and commands of the user data of a create request.

    :param encoded: the text of the request, base64
    :returns: ``write_files`` with their content in hex, and ``runcmd``
    :raises ApiError: if it is not base64
    """
    if not encoded:
        return {}
    try:
        text = base64.b64decode(encoded, validate=False).decode()
    except (binascii.Error, ValueError) as error:
        raise http.bad_request(
            f'Invalid input for field/attribute user_data: {error}'
        ) from error
    merged: dict[str, Any] = {'write_files': [], 'runcmd': []}
    for part in _parts(text):
        if part.startswith('#!'):
            merged['runcmd'].append(['sh', '-c', part])
            continue
        config = yaml.safe_load(part)
        if isinstance(config, dict):
            merged['write_files'] += [
                _file(entry) for entry in config.get('write_files') or ()]
            merged['runcmd'] += config.get('runcmd') or []
    return merged


def _parts(text: str) -> list[str]:
    head = text[:1000].lower()
    if 'content-type: multipart' not in head:
        return [text]
    message = email.message_from_string(text)
    found = []
    for part in message.walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            found.append(payload.decode())
    return found


def _file(entry: dict[str, Any]) -> dict[str, Any]:
    encoding = str(entry.get('encoding') or '').lower()
    raw = entry.get('content') or ''
    content = raw if isinstance(raw, bytes) else str(raw).encode()
    if encoding in ENCODINGS or encoding in ZIPPED and '+' in encoding:
        content = base64.b64decode(content)
    if encoding in ZIPPED:
        content = gzip.decompress(content)
    return {'path': str(entry['path']), 'owner': entry.get('owner'),
            'permissions': entry.get('permissions'),
            'append': bool(entry.get('append')),
            'content_hex': content.hex()}
