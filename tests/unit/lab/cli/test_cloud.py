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

"""The requests of "lab cloud fail" to the cloud, and its output."""

import contextlib
import io
import os
from typing import Any

import fixtures
import mock
import testtools

from lab.cli import cloud
from lab.cli import main
from lab import cloud_api
from lab import home as lab_home


class FailTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        folder = self.useFixture(fixtures.TempDir()).path
        home = lab_home.Home(folder)
        home.make()
        home.set(keystone=False)
        self.useFixture(fixtures.EnvironmentVariable('LAB_HOME', folder))
        self.useFixture(fixtures.MockPatchObject(
            os, 'geteuid', autospec=True, return_value=0))
        self.addCleanup(os.umask, os.umask(0o022))
        self.request = self.useFixture(fixtures.MockPatchObject(
            cloud_api, 'request', autospec=True, return_value={
                'failing': {'share': 0.2, 'services': ['compute'],
                            'kinds': ['503']}})).mock

    def run_it(self, *words: str) -> str:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            self.assertEqual(0, main.main(['cloud', 'fail', *words]))
        return said.getvalue()

    def asked(self) -> tuple[Any, ...]:
        return tuple(self.request.call_args.args[1:])

    def test_a_share_of_one_service(self) -> None:
        said = self.run_it('--share', '0.2', '--service', 'nova',
                           '--kind', '503')
        self.assertEqual(('PUT', '/lab/failing', {
            'share': 0.2, 'service': 'nova', 'kinds': ['503']}),
            self.asked())
        self.assertEqual('20% of the answers of nova fail: 503.\n', said)

    def test_all_services_in_the_usual_ways(self) -> None:
        self.run_it('--share', '1')
        self.assertEqual(('PUT', '/lab/failing', {
            'share': 1.0, 'service': 'all', 'kinds': None}), self.asked())

    def test_what_is_set(self) -> None:
        self.run_it()
        self.assertEqual(('GET', '/lab/failing'), self.asked())

    def test_none_fail(self) -> None:
        self.assertEqual('No answers of the cloud fail.', cloud.in_words(
            {'failing': {'share': 0.0, 'services': [], 'kinds': []}}))

    def test_a_share_that_is_none(self) -> None:
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            self.assertEqual(1, main.main(
                ['cloud', 'fail', '--share', '20']))
        self.assertIn('--share must be from 0 to 1, not 20', said.getvalue())

    def test_its_help_teaches(self) -> None:
        said = io.StringIO()
        with (contextlib.redirect_stdout(said),
              mock.patch.dict(os.environ, {'COLUMNS': '80'})):
            self.assertRaises(SystemExit, main.main,
                              ['cloud', 'fail', '--help'])
        self.assertIn('lab cloud fail --share 0.2', said.getvalue())
