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


from tests.unit.api import base
from tests.unit import specs
from trove_pxc.api import model


class ModelTest(base.ApiTestCase):

    def test_our_classes_have_all_that_the_types_name(self) -> None:
        cluster = self.load(self.add_cluster())
        for kind, found in ((model.Cluster, cluster),
                            (model.Member, cluster.members[0])):
            self.assertEqual([], [
                name for name in specs.names_of(kind)
                if not hasattr(found, name)])
