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

"""The speed of a list, compared for the same number of clusters."""

import testtools

from tests.unit.tests.benchmarks import loading

listing = loading.program('listing')


class TableTest(testtools.TestCase):

    def test_factor_compares_with_troves_view(self) -> None:
        rows = [{'clusters': clusters, 'members': 3, 'view': view,
                 'statements': 6, 'calls': 4, 'seconds': seconds}
                for clusters, view, seconds in (
                    (1, 'galera_common', 0.3), (1, 'trove-pxc', 0.1),
                    (5, 'galera_common', 2.0), (5, 'trove-pxc', 0.1))]
        self.assertEqual(
            ['1.0x', '3.0x', '1.0x', '20.0x'],
            [line.split()[-1] for line in
             listing.table(rows).splitlines()[1:]])


class LatencyTest(testtools.TestCase):

    def test_latency_applies_to_every_call(self) -> None:
        delays = listing.Latency(0.01)
        self.assertEqual(0.01, delays.get('servers.list'))
        self.assertEqual(0.01, delays.get('list_ports', 0))
