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

"""A rotation without faults; the client waits for it."""

from tests.e2e import laboratory
from tests.e2e.together import test_rotate


class TestRotate(test_rotate.Base):

    def test_users_write_during_a_rotation(self):
        with self.under_load():
            laboratory.lab_error_output(
                'openstack', 'database', 'cluster', 'certificate', 'rotate',
                test_rotate.NAME, '--wait', timeout=test_rotate.TIMEOUT)
