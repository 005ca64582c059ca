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

"""A share of the answers of given services of the cloud fails."""

from typing import Any

import fixtures
import mock
import testtools

from lab.cloud import app
from lab.cloud import failing
from lab import home as lab_home
from lab import waiting
from tests.unit.lab.cloud import test_app


class ShareTest(test_app.CloudTest):

    def set(self, **wanted: Any) -> Any:
        return self.call('PUT', '/lab/failing', wanted)['failing']

    def codes(self, path: str, method: str = 'GET', body: Any = None,
              times: int = 60) -> list[int]:
        return [self.client.open(path, method=method, json=body).status_code
                for _ in range(times)]

    def test_nothing_fails_unless_it_is_asked_for(self) -> None:
        self.assertEqual({200}, set(self.codes(test_app.PORTS)))
        self.assertEqual(
            {'share': 0.0, 'services': [], 'kinds': []},
            self.call('GET', '/lab/failing')['failing'])

    def test_all(self) -> None:
        self.set(share=1, kinds=['503'])
        for path in (test_app.PORTS, test_app.VOLUMES, test_app.SERVERS):
            self.assertEqual({503}, set(self.codes(path, times=3)))
        self.assertEqual({'status': 'ok'}, self.call('GET', '/healthcheck'))
        self.set(share=0)
        self.assertEqual({200}, set(self.codes(test_app.PORTS)))

    def test_a_part_of_one_service_in_several_ways(self) -> None:
        self.set(share=0.5, service='neutron', kinds=['500', '429'])
        self.assertEqual({200, 500, 429}, set(self.codes(test_app.PORTS)))
        self.assertEqual({200}, set(self.codes(test_app.VOLUMES)))

    def test_what_fails_was_not_carried_out(self) -> None:
        self.set(share=1, service='cinder', kinds=['500'])
        self.codes(test_app.VOLUMES, 'POST', {'volume': {'size': 1}}, 1)
        self.set(share=0)
        self.assertEqual([], self.call('GET', test_app.VOLUMES)['volumes'])

    def test_what_times_out_was(self) -> None:
        self.set(share=1, service='neutron', kinds=['timeout'])
        with mock.patch.object(waiting, 'pause', autospec=True) as pause:
            codes = self.codes(test_app.GROUPS, 'POST', {
                'security_group': {'name': 'one'}}, 1)
        self.assertEqual([504], codes)
        pause.assert_called_once_with(failing.TIMEOUT_SECONDS)
        self.set(share=0)
        (found,) = self.call('GET', f'{test_app.GROUPS}?name=one')[
            'security_groups']
        self.assertEqual('one', found['name'])

    def test_a_request_that_makes_no_sense(self) -> None:
        for wanted in ({}, {'share': 2}, {'share': 'many'},
                       {'share': 1, 'service': 'swift'},
                       {'share': 1, 'kinds': ['404']}):
            self.call('PUT', '/lab/failing', wanted, 400)

    def test_it_survives_the_daemon(self) -> None:
        self.set(share=1)
        app.Application(self.home)
        self.assertEqual(
            1.0, self.call('GET', '/lab/failing')['failing']['share'])


class FailureTest(testtools.TestCase):

    def test_the_draw_decides(self) -> None:
        folder = self.useFixture(fixtures.TempDir()).path
        home = lab_home.Home(folder)
        home.make()
        store = app.cloud_store.Store(home.cloud / 'cloud.sqlite')
        drawn = iter([0.2, 0.19, 0.99])
        failures = failing.Failing(store, lambda: next(drawn))
        store.put('settings', {
            'id': 'failing', 'share': 0.2, 'services': ['compute'],
            'kinds': ['500', 'timeout']})
        self.assertIsNone(failures.due('compute'))
        self.assertEqual(failing.Failure('timeout'),
                         failures.due('compute'))
        self.assertIsNone(failures.due('network'))
