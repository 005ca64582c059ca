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

"""The base class of all end-to-end tests.

Not a part of ``laboratory``, which is also used without testtools.
"""

from collections.abc import Callable
import functools
from typing import Any

import testtools
from testtools import content

from tests.e2e import laboratory


class TestCase(testtools.TestCase):
    """A test whose failure names its lab and the folder of the logs."""

    def __init_subclass__(cls, **words: Any) -> None:
        super().__init_subclass__(**words)
        if 'setUpClass' in vars(cls):
            prepare = vars(cls)['setUpClass'].__func__
            cls.setUpClass = classmethod(_telling_the_lab(prepare))

    def setUp(self) -> None:
        super().setUp()
        self.addDetail('lab', content.text_content(_where()))


def _telling_the_lab(prepare: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(prepare)
    def prepared(cls: type[TestCase]) -> None:
        try:
            prepare(cls)
        except Exception as error:
            error.add_note(_where())
            raise
    return prepared


def _where() -> str:
    here = laboratory.home()
    return f'It used the lab in {here.root}; its logs are in {here.logs}.'
