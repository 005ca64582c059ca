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

"""Autospecs that the tests of a process share."""

import functools
import inspect
from typing import Any
from typing import Protocol

import mock


@functools.cache
def _autospec(kind: type) -> Any:
    return mock.create_autospec(kind, instance=True)


def spec(kind: type) -> Any:
    """An autospec of which there is one at a time: it is dear to make."""
    made = _autospec(kind)
    made.reset_mock(return_value=True, side_effect=True)
    return made


def names_of(protocol: type) -> set[str]:
    """The attributes and methods of a protocol."""
    return {name for kind in inspect.getmro(protocol)
            if getattr(kind, '_is_protocol', False) and kind is not Protocol
            for name in (*kind.__annotations__, *vars(kind))
            if not name.startswith('_')}
