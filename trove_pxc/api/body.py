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

"""Checks of the body and the query of a request.

Imported by the controllers and filters of api/. Trove's own check answers with
500 if a body is not an object, is missing or is not expected, or if an error
concerns the body as a whole.
"""

import json
from typing import Protocol

import jsonschema

from trove_pxc.api.schemas import Schema
from trove_pxc.api import validation
from trove_pxc import masking
from trove_pxc.protocols import Arguments
from trove_pxc.protocols import Context
from trove_pxc.protocols import Json
from trove_pxc.protocols import Request

_WITH_BODY = ('action', 'create', 'update', 'update_all', 'edit')
_LONGEST_NUMBER = 9
#: Trove's tables (utf8mb3) cannot store characters after this one
_LAST_CHARACTER = '\uffff'


class Controller(Protocol):
    """A controller that has schemas of the bodies of its actions."""

    def get_schema(self, action: str, body: dict[str, Json]) -> Schema:
        """Return the schema of an action's body."""


def check(controller: Controller, action: str, action_args: Arguments,
          schema: Schema | None = None) -> None:
    """Check the body; replaces validate_request() of Trove's controllers.

    Removes the body of an action that takes none.

    :param schema: the schema of the body. None: that of Trove's controller.
    :raises trove.common.exception.BadRequest: with each error and its place.
    """
    if action not in _WITH_BODY:
        action_args.pop('body', None)
        return
    body = action_args.get('body')
    if not isinstance(body, dict) or not body:
        raise validation.refused(
            'The body of the request must be a JSON object that is not '
            'empty.')
    check_texts(body)
    schema = schema or controller.get_schema(action, body)
    if schema:
        check_schema(schema, body)


def read(request: Request) -> Json:
    """Parse the body of a request, before any check.

    :returns: None if there is no body, or if it is not JSON.
    """
    try:
        found: Json = json.loads(request.body) if request.body else None
    except (ValueError, RecursionError):
        return None
    return found


def check_texts(body: Json) -> None:
    """Check that Trove's tables can store all strings of a body.

    Passwords are not stored there. They are checked separately, and never
    quoted.

    :raises trove.common.exception.BadRequest: for the first that is invalid.
    """
    for text in _texts(body):
        character = unstorable(text)
        if character:
            raise refused_character(character, text)
    for password in masking.passwords_in(body):
        _check_password(password)


def unstorable(text: str) -> str:
    """Return the first character that Trove's tables cannot store, or ''."""
    return next((
        character for character in text
        if character > _LAST_CHARACTER or character == '\0'
        or '\ud800' <= character <= '\udfff'), '')


def refused_character(character: str, text: str) -> Exception:
    """Return the error for such a character."""
    return validation.refused(
        f'The character {ascii(character)} in the text {ascii(text[:80])} '
        'cannot be stored.')


def page_size(context: Context, most: int) -> int:
    """Return the size of a page, for a limit that is a string.

    Trove's own is pagination_limit().

    :raises trove.common.exception.BadRequest: if it is not a number.
    """
    return min(number('limit', context.limit or '0') or most, most)


def number(name: str, text: object) -> int:
    """Parse an integer of a query; a longer one becomes the largest.

    :raises trove.common.exception.BadRequest: if it is not an integer.
    """
    text = str(text)
    if not (text.isascii() and text.isdecimal()):
        raise validation.refused(
            f'{name} must be an integer of at least 0, not {text!r}.')
    return int(text if len(text) <= _LONGEST_NUMBER
               else '9' * _LONGEST_NUMBER)


def check_schema(schema: Schema, body: Json) -> None:
    """:raises trove.common.exception.BadRequest: with each error's place."""
    secret = any(True for _ in masking.passwords_in(body))
    found = [
        ''.join(f'[{key!r}]' for key in error.path)
        + f' {_rule(error) if secret or _is_long(error) else error.message}'
        for error in jsonschema.Draft4Validator(schema).iter_errors(body)]
    if found:
        raise validation.refused(
            'Validation error: ' + '; '.join(sorted(found)).strip())


def _is_long(error: jsonschema.ValidationError) -> bool:
    """Whether the message would quote a list with too many elements."""
    return bool(error.validator == 'maxItems')


def _rule(error: jsonschema.ValidationError) -> str:
    """Describe an error without the value, which may be a password."""
    if error.validator in ('required', 'additionalProperties'):
        return str(error.message)       # quotes only keys
    return ('does not match the schema: '
            f'{error.validator} {error.validator_value!r}')


def _check_password(text: str) -> None:
    """Refuse a password with NUL, or one that UTF-8 cannot encode."""
    if any(character == '\0' or '\ud800' <= character <= '\udfff'
           for character in text):
        raise validation.refused(
            'The password contains NUL or an unpaired surrogate, which '
            'cannot be sent to a server.')


def _texts(value: Json) -> list[str]:
    """Return all strings of a body, with its keys, without passwords."""
    found = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            waiting += one
            waiting += [inner for key, inner in one.items()
                        if not masking.is_password(key)]
        elif isinstance(one, list):
            waiting += one
    return found
