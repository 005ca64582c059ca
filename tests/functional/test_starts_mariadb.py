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

"""The record of requests and holders under parallel requests on MariaDB.

SQLite locks the whole database and therefore cannot show what InnoDB's row and
gap locks allow.
"""

import json
import os
import subprocess
import sys

from tests.functional import starting
from tests.functional import test_quotas_mariadb


class MariaDBTest(test_quotas_mariadb.ServerTest):

    def test_one_of_the_parallel_casts_starts_the_operation(self) -> None:
        done = subprocess.run(
            [sys.executable, starting.__file__, str(self.socket)],
            check=True, capture_output=True, text=True,
            env={**os.environ,
                 'PYTHONPATH': str(test_quotas_mariadb.TOP)})
        found = json.loads(done.stdout.splitlines()[-1])
        all_of_them = {'True': starting.NUMBER}
        self.assertEqual([all_of_them] * starting.ROUNDS, found['claims'])
        for casts in found['casts']:
            self.assertEqual(1, casts.pop('True'))
            # Too late by the lease, or by the record.
            self.assertEqual(starting.NUMBER - 1, sum(casts.values()))
            self.assertLessEqual(casts.keys(), {'False', 'LeaseLost'})
        self.assertEqual([[0] * (starting.NUMBER - 1) + [1]]
                         * starting.ROUNDS, found['started'])
        self.assertEqual([all_of_them] * starting.ROUNDS, found['ends'])
