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
"""JSON schemas of the bodies of a cluster's actions.

Imported by api/actions. The types of valid bodies are imported by the modules
that perform the actions.
"""

from typing import Any
from typing import Required
from typing import TypedDict

from trove.common import apischema

Schema = dict[str, Any]


class Volume(TypedDict, total=False):
    size: Required[int | str]
    type: str | None


class NewMember(TypedDict, total=False):
    name: str
    flavorRef: Required[int | str]
    volume: Volume
    nics: list[dict[str, str]]
    availability_zone: str
    modules: list[dict[str, str]]
    region_name: str
    region: str


class Leaving(TypedDict):
    id: str


class Restart(TypedDict, total=False):
    instance: str


class Recover(TypedDict, total=False):
    force: str


class Resize(TypedDict, total=False):
    instance: str
    flavorRef: int | str
    volume: Volume


GROW: Schema = {
    'type': 'array',
    'minItems': 1,
    'items': {
        'type': 'object',
        'required': ['flavorRef'],
        'additionalProperties': False,
        'properties': {
            'name': apischema.non_empty_string,
            'flavorRef': apischema.flavorref,
            'volume': {**apischema.volume, 'additionalProperties': False},
            'nics': apischema.nics,
            'availability_zone': apischema.non_empty_string,
            'modules': {**apischema.module_list, 'items': {
                **apischema.module_list['items'],
                'additionalProperties': False}},
            'region_name': apischema.non_empty_string,
            # the key that Trove's client uses
            'region': apischema.non_empty_string,
            'type': {'enum': ['member']},
        },
    },
}
SHRINK: Schema = {
    'type': 'array',
    'minItems': 1,
    'items': {
        'type': 'object',
        'required': ['id'],
        'additionalProperties': False,
        'properties': {'id': apischema.uuid},
    },
}
RESTART: Schema = {
    'type': ['object', 'null'],
    'additionalProperties': False,
    'properties': {'instance': apischema.uuid},
}
RECOVER: Schema = {
    'type': ['object', 'null'],
    'additionalProperties': False,
    'properties': {'force': apischema.uuid},
}
ROTATE_CERTIFICATES: Schema = {
    'type': ['object', 'null'],
    'additionalProperties': False,
}
RESIZE: Schema = {
    'type': 'object',
    'additionalProperties': False,
    'properties': {
        'instance': apischema.uuid,
        'flavorRef': apischema.flavorref,
        'volume': {
            'type': 'object',
            'required': ['size'],
            'additionalProperties': False,
            'properties': {'size': apischema.volume_size},
        },
    },
}
