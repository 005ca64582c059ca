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

"""What a request says, before anything is done with it.

Imported by the controllers and filters of api/. Trove's own check ends with
a 500 where a body is no object, is missing or not expected, or where an
error concerns all of it.
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
#: beyond it, a character has no room in Trove's tables (utf8mb3)
_LAST_CHARACTER = '\uffff'


class Controller(Protocol):
    """What Trove's controllers know of the bodies of their actions."""

    def get_schema(self, action: str, body: dict[str, Json]) -> Schema:
        """What the body of an action has to be."""


def check(controller: Controller, action: str, action_args: Arguments,
          schema: Schema | None = None) -> None:
    """In the place of validate_request() of Trove's controllers.

    A body that the action takes is there afterwards, and one that it does
    not take is not.

    :param schema: what the body has to be, if not what Trove's controller
        says.
    :raises trove.common.exception.BadRequest: with what is wrong, and where.
    """
    if action not in _WITH_BODY:
        action_args.pop('body', None)
        return
    body = action_args.get('body')
    if not isinstance(body, dict) or not body:
        raise validation.refused(
            'The body of the request must be an object that says what to '
            'do.')
    check_texts(body)
    schema = schema or controller.get_schema(action, body)
    if schema:
        check_schema(schema, body)


def read(request: Request) -> Json:
    """What a body says, before anything checks it.

    :returns: None if it is none, or cannot be read.
    """
    try:
        found: Json = json.loads(request.body) if request.body else None
    except (ValueError, RecursionError):
        return None
    return found


def check_texts(body: Json) -> None:
    """See that Trove's tables have room for all texts in a body.

    A password is in none of them, and is not quoted.

    :raises trove.common.exception.BadRequest: for the first that is not so.
    """
    for text in _texts(body):
        character = unstorable(text)
        if character:
            raise refused_character(character, text)
    for password in masking.passwords_in(body):
        _check_password(password)


def unstorable(text: str) -> str:
    """The first character that Trove's tables have no room for, or none."""
    return next((
        character for character in text
        if character > _LAST_CHARACTER or character == '\0'
        or '\ud800' <= character <= '\udfff'), '')


def refused_character(character: str, text: str) -> Exception:
    """What to raise for it."""
    return validation.refused(
        f'The character {ascii(character)} in the text {ascii(text[:80])} '
        'cannot be stored.')


def page_size(context: Context, most: int) -> int:
    """How many are wanted on a page; Trove's pagination_limit() for texts.

    :raises trove.common.exception.BadRequest: if it is no number.
    """
    return min(number('limit', context.limit or '0') or most, most)


def number(name: str, text: object) -> int:
    """What a text of a query says, or the most that is understood.

    :raises trove.common.exception.BadRequest: if it is no number.
    """
    text = str(text)
    if not (text.isascii() and text.isdecimal()):
        raise validation.refused(
            f'{name} must be a number from 0, not {text!r}.')
    return int(text if len(text) <= _LONGEST_NUMBER
               else '9' * _LONGEST_NUMBER)


def check_schema(schema: Schema, body: Json) -> None:
    """:raises trove.common.exception.BadRequest: with each place."""
    secret = any(True for _ in masking.passwords_in(body))
    found = [
        ''.join(f'[{key!r}]' for key in error.path)
        + f' {_rule(error) if secret or _is_long(error) else error.message}'
        for error in jsonschema.Draft4Validator(schema).iter_errors(body)]
    if found:
        raise validation.refused(
            'Validation error: ' + '; '.join(sorted(found)).strip())


def _is_long(error: jsonschema.ValidationError) -> bool:
    """Whether the message would quote a list that has too many elements."""
    return bool(error.validator == 'maxItems')


def _rule(error: jsonschema.ValidationError) -> str:
    """What is wrong, without the value, which may be a password."""
    if error.validator in ('required', 'additionalProperties'):
        return str(error.message)       # it quotes keys alone
    return f'does not fit: {error.validator} {error.validator_value!r}'


def _check_password(text: str) -> None:
    """One that has a form in UTF-8, and is no end of a text, goes on."""
    if any(character == '\0' or '\ud800' <= character <= '\udfff'
           for character in text):
        raise validation.refused(
            'The password holds NUL or half of a pair of surrogates, which '
            'cannot be sent to a server.')


def _texts(value: Json) -> list[str]:
    """All texts in a body, keys too, but for the passwords."""
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
