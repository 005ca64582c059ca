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

"""Valid bodies, and bodies that are refused."""

from typing import Any

import jsonschema
import testtools

from trove_pxc.api import schemas

ID = '0b7a5d2e-3c40-4a4e-9f10-6f7a8b9c0d1e'


class SchemasTest(testtools.TestCase):

    def check(self, schema: schemas.Schema, good: bool,
              *bodies: Any) -> None:
        for body in bodies:
            self.assertEqual(good, jsonschema.Draft4Validator(
                schema).is_valid(body), body)

    def test_grow(self) -> None:
        self.check(schemas.GROW, True, [{'flavorRef': '2'}], [
            {'flavorRef': 2, 'volume': {'size': '3', 'type': 'fast'},
             'name': 'a', 'type': 'member', 'region': 'RegionOne',
             'region_name': 'RegionOne', 'availability_zone': 'z',
             'modules': [{'id': ID}], 'nics': [{'network_id': ID}]}] * 2)
        self.check(
            schemas.GROW, False, [], {}, None, 5, [{}], [{'name': 'a'}],
            *([{'flavorRef': '2', **more}] for more in (
                {'related_to': 'x'}, {'type': 'shard'}, {'name': ''},
                {'volume': {'size': 0}}, {'volume': {'size': 1, 'x': 1}},
                {'modules': [{'id': ID, 'x': 1}]}, {'region': ''},
                {'region_name': ''}, {'availability_zone': ''},
                {'nics': 5})))

    def test_shrink(self) -> None:
        self.check(schemas.SHRINK, True, [{'id': ID}], [{'id': ID}] * 2)
        self.check(schemas.SHRINK, False, [], {}, None, 5, [{}],
                   [{'id': 'products-1'}], [{'id': ID, 'x': 1}])

    def test_restart(self) -> None:
        self.check(schemas.RESTART, True, None, {}, {'instance': ID})
        self.check(schemas.RESTART, False, [], 5, {'instance': '50%'},
                   {'delay': 1})

    def test_recover(self) -> None:
        self.check(schemas.RECOVER, True, None, {}, {'force': ID})
        self.check(schemas.RECOVER, False, [], {'force': True}, {'x': 1})

    def test_rotate_certificates(self) -> None:
        self.check(schemas.ROTATE_CERTIFICATES, True, None, {})
        self.check(schemas.ROTATE_CERTIFICATES, False, [], {'x': 1})

    def test_resize(self) -> None:
        self.check(schemas.RESIZE, True, {'flavorRef': '2'},
                   {'flavorRef': 2},
                   {'volume': {'size': '2'}, 'instance': ID})
        self.check(schemas.RESIZE, False, None, [], {'instance': 'x'},
                   {'volume': {'size': 0}}, {'volume': {}}, {'x': 1},
                   {'volume': {'size': 2, 'type': 'fast'}})
