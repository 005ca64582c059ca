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

"""More states in which a cluster is deleted without leftovers."""

from tests.e2e import laboratory
from tests.e2e import test_delete


class TestDelete(test_delete.Base):

    def test_delete_while_the_first_member_bootstraps(self):
        self.create()
        self.wait_start_of(1)
        self.check_delete()

    def test_delete_during_a_restart(self):
        self.create_whole()
        laboratory.openstack('database', 'cluster', 'restart',
                             test_delete.NAME)
        self.wait_state('the second member to be restarted',
                        lambda: self.busy('REBOOT', 1))
        self.check_delete()

    def test_delete_during_a_resize(self):
        """The quota of the members not yet resized is returned, too."""
        self.create_whole()
        laboratory.openstack('database', 'cluster', 'resize', 'flavor',
                             test_delete.NAME, '1')
        self.wait_state('the second member to be resized',
                        lambda: self.busy('RESIZE', 1))
        self.check_delete()
