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

"""Without encryption, an attacker reads all traffic.

This shows that the tests of ``tests.e2e.together.test_encryption`` can fail.
A server that joins, and a state transfer that is read, are in
``tests.e2e.long.test_clear_text``.
"""

import uuid

from tests.e2e import case
from tests.e2e import laboratory
from tests.e2e import listening

NAME = 'postcard'


class Base(listening.Listening, case.TestCase):
    """A separate cluster, with encryption switched off."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        laboratory.use_options(
            cls, 'clear-text',
            '[mariadb]\nencrypt_cluster_traffic = False\n')
        cluster_id = laboratory.create_cluster(NAME)
        cls.addClassCleanup(laboratory.delete_cluster, cluster_id,
                            timeout=120)
        cls.open_ports(laboratory.wait_ready(cluster_id))


class TestInClearText(Base):

    def test_rows_are_readable(self):
        self.assertGreaterEqual(self.overheard(uuid.uuid4().hex),
                                listening.ROWS)
