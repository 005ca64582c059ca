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

"""The evidence of each series has its sources."""

import testtools

from trove_pxc.galera import catalogue
from trove_pxc.galera import evidence


class EvidenceTest(testtools.TestCase):

    def test_every_series_has_its_own(self):
        self.assertEqual(
            {(one.manager, one.version) for one in catalogue.DIALECTS},
            set(evidence.EVIDENCE))

    def test_nothing_is_said_without_a_source(self):
        for key, known in evidence.EVIDENCE.items():
            self.assertTrue(known.sources, key)
            for source in known.sources:
                self.assertRegex(source.url, r'\Ahttps://\S+\Z')
                self.assertRegex(source.version, r'\d+\.\d+', source)

    def test_what_was_run_says_which_server_and_where(self):
        for known in evidence.EVIDENCE.values():
            for run in known.runs:
                self.assertRegex(run.server, r'\d+\.\d+\.\d+', run)
                self.assertRegex(run.where, r'November 2026', run)

    def test_the_server_of_a_cluster_is_of_the_series(self):
        for (_, version), known in evidence.EVIDENCE.items():
            for run in known.runs:
                if run.cluster:
                    self.assertTrue(run.server.startswith(
                        f'{version[0]}.{version[1]}.'), run)

    def test_a_series_without_a_cluster_says_so(self):
        for key, known in evidence.EVIDENCE.items():
            told = any('none was run' in text for text in known.unchecked)
            self.assertEqual(
                not any(run.cluster for run in known.runs), told, key)
