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

Imported by the controllers of api/. Trove's own check ends with a 500 where
a body is no object, is missing or not expected, or where an error concerns
all of it.
"""

from collections.abc import Iterator
from typing import Any

import jsonschema

from trove_pxc.api import validation

_WITH_BODY = ('action', 'create', 'update', 'update_all', 'edit')
_LONGEST_NUMBER = 9
#: beyond it, a character has no room in Trove's tables (utf8mb3)
_LAST_CHARACTER = '\uffff'


def check(controller: Any, action: str, action_args: dict[str, Any]) -> None:
    """In the place of validate_request() of Trove's controllers.

    A body that the action takes is there afterwards, and one that it does
    not take is not.

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
    for text in _texts(body):
        _check_text(text)
    schema = controller.get_schema(action, body)
    if schema:
        _check_schema(schema, body)


def page_size(context: Any, most: int) -> int:
    """How many are wanted on a page; Trove's pagination_limit() for texts.

    :raises trove.common.exception.BadRequest: if it is no number.
    """
    wanted = str(context.limit or 0)
    if not (wanted.isascii() and wanted.isdecimal()):
        raise validation.refused(
            f'limit must be a number from 0, not {context.limit!r}.')
    if len(wanted) > _LONGEST_NUMBER:
        return most
    return min(int(wanted) or most, most)


def _check_schema(schema: dict[str, Any], body: dict[str, Any]) -> None:
    found = [
        ''.join(f'[{key!r}]' for key in error.path) + f' {error.message}'
        for error in jsonschema.Draft4Validator(schema).iter_errors(body)]
    if found:
        raise validation.refused(
            'Validation error: ' + '; '.join(sorted(found)).strip())


def _check_text(text: str) -> None:
    for character in text:
        if (character > _LAST_CHARACTER or character == '\0'
                or '\ud800' <= character <= '\udfff'):
            raise validation.refused(
                f'The character {ascii(character)} in the text '
                f'{ascii(text[:80])} cannot be stored.')


def _texts(value: Any) -> Iterator[str]:
    """All texts in a body, keys too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            waiting += one
