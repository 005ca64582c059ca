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

import contextlib

import fixtures
import mock
import testtools

from lab import api
from lab import waiting
from tests.e2e import laboratory
from tests.e2e.together import cluster


def told(task):
    return {'id': 'id-1', 'task': {'name': task}}


class TogetherTest(testtools.TestCase):

    def setUp(self):
        super().setUp()
        for name in ('create_cluster', 'wait_ready', 'wait_agreement',
                     'delete_cluster', 'home'):
            double = self.useFixture(fixtures.MockPatchObject(
                laboratory, name, autospec=True)).mock
            setattr(self, name, double)
        self.create_cluster.side_effect = ['id-1', 'id-2']
        self.useFixture(fixtures.MockPatchObject(
            waiting.time, 'sleep', autospec=True))
        self.useFixture(fixtures.MockPatchObject(
            api, 'get', autospec=True,
            side_effect=lambda _, __: {'clusters': [
                told('BUILDING'), {'id': 'another'}]}))
        self.show = self.useFixture(fixtures.MockPatchObject(
            api, 'cluster', autospec=True)).mock
        self.show.side_effect = [told('BUILDING'), told('NONE'),
                                 told('NONE')]
        self.together = cluster.Together()

    def test_it_is_created_once(self):
        self.together.make_sure()
        self.together.make_sure()
        self.assertEqual('id-1', self.together.id)
        self.create_cluster.assert_called_once_with(
            'together', [mock.ANY] * 3)

    def test_it_is_observed_while_it_is_built(self):
        self.together.make_sure()
        self.assertEqual([told('BUILDING'), told('NONE')],
                         self.together.shown)
        self.assertEqual([told('BUILDING')] * 2, self.together.listed)

    def test_broken_cluster_is_replaced(self):
        self.together.make_sure()
        self.wait_agreement.side_effect = waiting.WaitTimeout('not whole')
        self.together.make_sure()
        self.delete_cluster.assert_called_once_with('id-1', mock.ANY)
        self.assertEqual('id-2', self.together.id)

    def test_it_is_deleted_once(self):
        self.together.delete()
        self.delete_cluster.assert_not_called()
        self.together.make_sure()
        self.together.delete()
        self.together.delete()
        self.delete_cluster.assert_called_once_with('id-1', mock.ANY)

    def test_cluster_that_does_not_become_ready_is_deleted_too(self):
        self.wait_ready.side_effect = AssertionError('a member failed')
        with contextlib.suppress(AssertionError):
            self.together.make_sure()
        self.together.delete()
        self.delete_cluster.assert_called_once_with('id-1', mock.ANY)
