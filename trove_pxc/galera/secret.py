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

"""A secret text: its repr, str and format are '***'.

Every module of trove_pxc may import it; it imports no module of trove_pxc.
"""

from typing import final
from typing import NoReturn

MASK = '***'


@final
class Secret:
    """A password, or a statement with one.

    Only :meth:`reveal` returns the text. The class does not inherit from
    ``str``: code that formats, joins or serialises it by accident gets the
    mask or an error, never the text.
    """

    __slots__ = ('_text',)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, '_text', text)

    def reveal(self) -> str:
        """The text: only for encrypted RPC, a 0600 file or a socket."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError('a Secret does not change')

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError('a Secret does not change')

    def __reduce__(self) -> NoReturn:
        raise TypeError('a Secret is not pickled; reveal() it on purpose')
