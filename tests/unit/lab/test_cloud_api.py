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

"""Requests to the lab's cloud return the body or an error message."""

import contextlib
from typing import Any

import fixtures
import testtools

from lab import cloud_api
from lab import errors
from lab import home as lab_home
from lab import netns
from lab import web


class RequestTest(testtools.TestCase):

    def ask(self, answer: web.Answer) -> Any:
        home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.useFixture(fixtures.MockPatchObject(
            netns, 'entered', autospec=True,
            return_value=contextlib.nullcontext()))
        self.useFixture(fixtures.MockPatchObject(
            web, 'ask', autospec=True, return_value=answer))
        return cloud_api.request(home, 'GET', '/lab/failing')

    def test_a_good_answer(self) -> None:
        self.assertEqual({'a': 1}, self.ask(web.Answer(200, {}, '{"a": 1}')))

    def test_another_one(self) -> None:
        error = self.assertRaises(
            errors.LabError, self.ask, web.Answer(404, {}, ''))
        self.assertIn('GET /lab/failing', str(error))
