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
"""The faults of Swift in their file and as text."""

from pathlib import Path

import fixtures
import testtools

from lab.swift import faults


class FaultsTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.file = Path(self.useFixture(fixtures.TempDir()).path, 'x.json')

    def test_none_without_a_file(self) -> None:
        self.assertEqual(faults.Faults(), faults.load(self.file))
        self.assertEqual([], faults.in_words(faults.Faults()))

    def test_what_is_written_is_read(self) -> None:
        wanted = faults.Faults(
            share=0.5, kinds=('503', faults.CUT), methods=('PUT',),
            text='backups', times=3, delay=1.5, rate=512 * 1024)
        faults.store(self.file, wanted)
        self.assertEqual(wanted, faults.load(self.file))
        self.assertEqual([
            '50% of the PUT requests with "backups" in the path fail, 3 at '
            'most: 503, cut', 'each request waits 1.5 s',
            'all bodies together get 512 KiB/s'], faults.in_words(wanted))

    def test_which_requests_may_fail(self) -> None:
        self.assertFalse(faults.Faults().concern('GET', '/v1/x'))
        some = faults.Faults(share=1, methods=('PUT', 'GET'), text='/x')
        self.assertTrue(some.concern('PUT', '/v1/x/y'))
        self.assertFalse(some.concern('HEAD', '/v1/x/y'))
        self.assertFalse(some.concern('PUT', '/v1/y'))
