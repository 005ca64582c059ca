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
"""The progress of a queue, as the report of a member carries it."""

import testtools

from trove_pxc.galera.progress import Progress


class ProgressTest(testtools.TestCase):

    def test_it_is_the_same_after_a_message(self) -> None:
        progress = Progress(7, 2.5, -1.5, 2.0)
        self.assertEqual(progress, Progress.from_dict(progress.to_dict()))
