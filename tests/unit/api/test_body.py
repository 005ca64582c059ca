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

"""The checks of bodies."""

from typing import Any

import testtools
from trove.common import context as trove_context
from trove.common import exception
from trove.common import wsgi

from trove_pxc.api import body


class Controller(wsgi.Controller):
    schemas = {'create': {
        'type': 'object', 'required': ['thing'],
        'properties': {'thing': {'type': 'array', 'items': {
            'type': 'object', 'properties': {'size': {'type': 'integer'}}}},
            'name': {'oneOf': [{'type': 'string'}, {'type': 'integer'}]}}}}


class CheckTest(testtools.TestCase):

    def refusal(self, given: Any, action: str = 'create') -> str:
        refused = self.assertRaises(
            exception.BadRequest, body.check, Controller(), action,
            {'body': given})
        return str(refused)

    def test_good(self) -> None:
        given = {'body': {'thing': [{'size': 1}], 'name': 'é 漢'}}
        body.check(Controller(), 'create', given)
        self.assertIn('body', given)

    def test_not_expected(self) -> None:
        given: dict[str, Any] = {'body': {'a': 1}, 'id': '5'}
        body.check(Controller(), 'show', given)
        self.assertEqual({'id': '5'}, given)

    def test_no_object(self) -> None:
        for given in (None, [], {}, 'x', 5, [{}]):
            self.assertIn('must be a JSON object', self.refusal(given))
        self.assertRaises(exception.BadRequest, body.check, Controller(),
                          'action', {})

    def test_what_and_where(self) -> None:
        self.assertEqual(
            "Validation error: ['thing'][1]['size'] 'x' is not of type "
            "'integer'",
            self.refusal({'thing': [{'size': 1}, {'size': 'x'}]}))

    def test_all_that_is_wrong(self) -> None:
        """Trove cannot sort some of these errors, or lacks their place."""
        said = self.refusal({'thing': [5, {'size': '%s'}], 'name': []})
        for words in ("['thing'][0] 5", "['size'] '%s'", "['name'] []"):
            self.assertIn(words, said)
        self.assertIn("'thing' is a required", self.refusal({'x': 1}))

    def test_texts_that_cannot_be_stored(self) -> None:
        for text in ('a\0', '\ud800', '\U0001f418'):
            for given in ({'thing': [{'x': text}]}, {text: 1},
                          {'thing': [{text: []}]}):
                self.assertIn('cannot be stored', self.refusal(given))


class PasswordTest(testtools.TestCase):
    """Trove's tables and error responses contain no password."""

    schema = {'type': 'object', 'additionalProperties': False, 'properties': {
        'user': {'type': 'object', 'required': ['name'], 'properties': {
            'name': {'type': 'string'},
            'password': {'type': 'string', 'maxLength': 20}}}}}

    def refusal(self, given: Any) -> str:
        refused = str(self.assertRaises(
            exception.BadRequest, body.check, Controller(), 'create',
            {'body': given}, self.schema))
        self.assertNotIn('s3cret', refused)
        return refused

    def test_what_a_table_could_not_hold(self) -> None:
        body.check(Controller(), 'create', {'body': {'user': {
            'name': 'joe', 'password': '\U0001f418'}}}, self.schema)

    def test_what_has_no_form_on_the_wire(self) -> None:
        for text in ('s3cret\0', 's3cret\ud800'):
            self.assertIn('NUL or an unpaired surrogate', self.refusal(
                {'user': {'name': 'joe', 'password': text}}))

    def test_no_value_is_quoted(self) -> None:
        for given, words in (
                ({'user': {'password': 's3cret'}}, "'name' is a required"),
                ({'user': {'name': 'a', 'password': ['s3cret']}},
                 "['user']['password'] does not match the schema: "
                 "type 'string'"),
                ({'user': {'name': 'a', 'password': {'x': 's3cret'}}},
                 "['user']['password'] does not match the schema: "
                 "type 'string'"),
                ({'user': {'name': 'a', 'password': 's3cret' * 9}},
                 'does not match the schema: maxLength 20'),
                ({'user': [{'password': 's3cret'}]},
                 "['user'] does not match the schema: type 'object'"),
                ({'user': {'name': 5, 'password': 's3cret'}},
                 "['user']['name'] does not match the schema: type 'string'"),
                ({'x': {'password': 's3cret'}}, "'x' was unexpected")):
            self.assertIn(words, self.refusal(given))

    def test_a_number_is_not_quoted(self) -> None:
        said = self.refusal({'user': {'name': 'a', 'password': 31415926}})
        self.assertIn(
            "['password'] does not match the schema: type 'string'", said)
        self.assertNotIn('31415926', said)


class NumberTest(testtools.TestCase):

    def test_a_marker(self) -> None:
        self.assertEqual(20, body.number('marker', '20'))
        self.assertEqual(999999999, body.number('marker', '9' * 5000))
        refused = self.assertRaises(
            exception.BadRequest, body.number, 'marker', 'x')
        self.assertIn("marker must be an integer of at least 0, not 'x'.",
                      str(refused))


class PageSizeTest(testtools.TestCase):

    def size(self, limit: str | None) -> int:
        return body.page_size(trove_context.TroveContext(limit=limit), 20)

    def test_numbers(self) -> None:
        for limit, size in ((None, 20), ('', 20), ('0', 20), ('5', 5),
                            ('020', 20), ('21', 20), ('9' * 5000, 20)):
            self.assertEqual(size, self.size(limit))

    def test_what_is_no_number(self) -> None:
        for limit in ('x', '-1', '1.5', '\u00b2', '\u0663', ' '):
            self.assertRaises(exception.BadRequest, self.size, limit)
