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

"""The clusters of a benchmark are always removed, and no others."""

from typing import Any
import urllib.request

import fixtures
import mock
import testtools

from lab import api
from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import report as lab_report
from lab import waiting
from lab import web
from tests.benchmarks import removal


class RemovalTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.home = lab_home.Home(self.useFixture(fixtures.TempDir()).path)
        self.clusters = {'1': 'products', '2': 'bringup3'}
        self.left = 1
        self.deleted: list[str] = []
        self.answer = 202
        for where, name, instead in (
                (api, 'clusters', self.listed),
                (api, 'cluster', lambda home, cluster_id: {
                    'instances': [{'id': f'member of {cluster_id}'}]}),
                (web, 'ask', self.ask), (control, 'guests', self.guests)):
            patcher = mock.patch.object(
                where, name, autospec=True, side_effect=instead)
            patcher.start()
            self.addCleanup(patcher.stop)

    def listed(self, home: lab_home.Home) -> list[dict[str, str]]:
        return [{'id': cluster_id, 'name': name}
                for cluster_id, name in self.clusters.items()]

    def ask(self, wanted: urllib.request.Request,
            patience: float = 0) -> web.Answer:
        cluster_id = wanted.full_url.rpartition('/')[2]
        self.assertEqual('DELETE', wanted.method)
        if self.answer < web.FIRST_REFUSAL:
            self.deleted.append(cluster_id)
            del self.clusters[cluster_id]
        return web.Answer(self.answer, {}, '{"no": {"message": "not now"}}')

    def guests(self, home: lab_home.Home) -> list[Any]:
        """A guest of another cluster, and this one's until it is deleted."""
        members = ['member of 1', 'member of 2'][:1 + self.left]
        self.left = max(0, self.left - 1)
        found = []
        for member in members:
            guest = mock.create_autospec(control.GuestInfo, instance=True)
            guest.name = guest.instance_id = member
            found.append(guest)
        return found

    def removed(self, failing: BaseException | None = None) -> None:
        with removal.removed(self.home, 'bringup3',
                             lab_report.Report(quiet=True)):
            if failing is not None:
                raise failing

    def test_only_clusters_of_its_name_are_removed_with_their_guests(
            self) -> None:
        self.removed()
        self.assertEqual(['2'], self.deleted)
        self.assertEqual(0, self.left)

    def test_removed_after_an_error_and_an_interruption(self) -> None:
        for error in (ValueError, KeyboardInterrupt):
            self.clusters['2'] = 'bringup3'
            self.deleted.clear()
            self.assertRaises(error, self.removed, error())
            self.assertEqual(['2'], self.deleted)

    def test_block_without_a_cluster_removes_nothing(self) -> None:
        del self.clusters['2']
        self.removed()
        self.assertEqual([], self.deleted)

    def test_two_clusters_of_the_name_are_removed(self) -> None:
        self.clusters['3'] = 'bringup3'
        self.removed()
        self.assertEqual(['2', '3'], self.deleted)

    def test_refusal_of_trove_is_reported(self) -> None:
        self.answer = 409
        error = self.assertRaises(errors.LabError, self.removed)
        self.assertIn('409', str(error))
        self.assertIn('not now', str(error))

    def test_guests_that_stay_are_named(self) -> None:
        self.left = 1 << 30
        self.useFixture(fixtures.MonkeyPatch(
            'tests.benchmarks.removal.TIMEOUT', 0))
        error = self.assertRaises(waiting.WaitTimeout, self.removed)
        self.assertIn('member of 2', str(error))
        self.assertNotIn('member of 1', str(error))
