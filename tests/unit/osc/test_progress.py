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

"""The progress of an operation, and how the wait ends."""

import datetime
import io
import types
from typing import Any

import fixtures
import mock
from osc_lib import exceptions
import testtools

from tests.unit import clock
from trove_pxc import exceptions as our_exceptions
from trove_pxc.osc import progress
from trove_pxc.osc import requests

CLUSTER = types.SimpleNamespace(id='an-id', name='c')


def shown(task: str = 'NONE', **changes: Any) -> requests.Record:
    """Return a cluster with one member, as the API shows it."""
    instance = {'id': 'id-1', 'name': 'c-1', 'status': 'ACTIVE',
                'operating_status': 'HEALTHY', 'flavor': {'id': '1'},
                'volume': {'size': 2}}
    return {'name': 'c', 'task': {'name': task},
            'updated': '2026-01-01T12:10:00',
            'instances': [{**instance, **changes}]}


def fault(message: str = 'no room', minute: int = 0,
          second: int = 0) -> requests.Fault:
    return requests.Fault(
        message, datetime.datetime(2026, 1, 1, 12, minute, second))


class ProgressTestCase(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.clock = self.useFixture(clock.Clock())
        self.said = io.StringIO()
        self.useFixture(fixtures.MonkeyPatch('sys.stderr', self.said))


class LookTest(ProgressTestCase):

    def test_what_changed_is_said_with_its_time(self) -> None:
        found = progress.Progress()
        found.look(shown('RESIZING'))
        self.clock.advance(2.25)
        found.look(shown('RESIZING', status='RESIZE'))
        self.clock.advance(100)
        found.look(shown(status='RESIZE'))
        self.assertEqual(
            '[   0.0s] c: RESIZING\n'
            '[   0.0s] c-1: ACTIVE, HEALTHY, flavor 1, volume 2\n'
            '[   2.2s] c-1: RESIZE, HEALTHY, flavor 1, volume 2\n'
            '[ 102.2s] c: NONE\n', self.said.getvalue())

    def test_what_waits_is_said_with_its_place(self) -> None:
        cluster = shown('BUILDING')
        cluster['task'].update(
            description='Building the initial cluster: queued, 37 before it.',
            queued_before=37)
        progress.Progress().look(cluster)
        self.assertIn('] c: BUILDING: Building the initial cluster: queued, '
                      '37 before it.\n', self.said.getvalue())

    def test_what_is_not_known_yet(self) -> None:
        """Volume and operating status are absent in the list."""
        cluster = shown(volume=None, status='BUILD')
        del cluster['instances'][0]['operating_status']
        progress.Progress().look(cluster)
        self.assertIn('] c-1: BUILD, flavor 1, volume -\n',
                      self.said.getvalue())


class WaitTestCase(ProgressTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.requests = self.useFixture(fixtures.MockPatchObject(
            progress, 'requests', mock.create_autospec(requests))).mock
        self.requests.fault.return_value = None
        self.requests.time = requests.time
        self.before: progress.Faults | None = None
        self.database = object()

    def wait(self, *tasks: str, instances: int = 1,
             seconds: float = 60) -> None:
        clusters = [shown(task) for task in tasks]
        for cluster in clusters:
            cluster['instances'] = [
                {**cluster['instances'][0], 'id': f'id-{number}',
                 'name': f'c-{number}'}
                for number in range(1, instances + 1)]
        self.requests.show.side_effect = clusters
        progress.wait(self.database, CLUSTER, seconds, self.before)


class WaitTest(WaitTestCase):

    def test_until_there_is_no_task(self) -> None:
        self.wait('GROWING', 'GROWING', 'NONE')
        self.assertEqual([progress.POLL_SECONDS] * 2, self.clock.pauses)
        self.requests.show.assert_called_with(self.database, CLUSTER)
        self.requests.fault.assert_called_once_with(self.database, 'id-1')
        self.assertIn('] c: GROWING\n', self.said.getvalue())
        self.assertIn('] c: NONE\n', self.said.getvalue())

    def test_faults_of_before_are_not_asked_for(self) -> None:
        """The API deletes them when it accepts an action."""
        self.requests.fault.side_effect = lambda database, member: (
            self.assertEqual([1.0], self.clock.pauses))
        self.wait('GROWING', 'NONE')

    def test_one_fault_of_several_is_said_once(self) -> None:
        self.requests.fault.side_effect = [
            fault('no room'), None, fault('no room'), fault('no disk')]
        error = self.assertRaises(
            exceptions.CommandError, self.wait, 'NONE', instances=4)
        self.assertEqual('c-1, c-3: no room; c-4: no disk', str(error))

    def test_it_takes_too_long(self) -> None:
        error = self.assertRaises(
            our_exceptions.DeadlineExceeded, self.wait,
            *['GROWING'] * 9, seconds=3)
        self.assertEqual('timed out after 3 s waiting for cluster c to have '
                         'no task (last observed: task GROWING)', str(error))
        self.requests.fault.assert_not_called()


class CountsTest(WaitTestCase):
    """Which faults belong to an operation; the cluster's ended at 12:10."""

    def fails(self, *faults: requests.Fault) -> bool:
        self.requests.fault.side_effect = faults
        try:
            self.wait('GROWING', 'NONE', instances=len(faults))
        except exceptions.CommandError:
            return True
        return False

    def test_until_its_end(self) -> None:
        for before in (None, {}):
            self.before = before
            self.assertTrue(self.fails(fault(minute=9)))
            self.assertTrue(self.fails(fault(minute=10)))
            self.assertTrue(self.fails(fault(minute=10, second=5)))
            self.assertFalse(self.fails(fault(minute=10, second=6)))
            self.assertFalse(self.fails(fault(minute=11)))

    def test_what_was_there_before(self) -> None:
        self.before = {'id-1': fault(minute=5)}
        self.assertFalse(self.fails(fault(minute=5)))
        self.assertTrue(self.fails(fault(minute=6)))
        self.assertTrue(self.fails(fault(minute=5), fault(minute=5)))

    def test_of_times_that_are_not_told(self) -> None:
        self.assertTrue(self.fails(requests.Fault('no room', None)))

    def test_a_member_in_error(self) -> None:
        cluster = shown(status='ERROR')
        self.requests.show.return_value = cluster
        self.requests.fault.return_value = fault(minute=11)
        self.assertRaises(exceptions.CommandError, progress.wait,
                          self.database, CLUSTER, 60)
        progress.wait(self.database, CLUSTER, 60, {})
        self.assertEqual({'id-1': fault(minute=11)}, progress.faults_before(
            self.database, CLUSTER))

    def test_others_are_not_asked_before(self) -> None:
        self.requests.show.return_value = shown()
        self.assertEqual({}, progress.faults_before(self.database, CLUSTER))
        self.requests.fault.assert_not_called()
