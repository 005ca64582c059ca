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

import testtools

from lab.images import build


class RecipeTest(testtools.TestCase):

    def test_each_release_of_debian_has_its_own_image(self) -> None:
        keys = {build.recipe_key(suite) for suite in build.SUITES}
        self.assertEqual(len(build.SUITES), len(keys))
        self.assertEqual(build.recipe_key(), build.recipe_key('bookworm'))

    def test_the_version_of_a_package(self) -> None:
        for package, version in (('1:10.11.19-0+deb12u1', '10.11.19'),
                                 ('1:11.8.9+ds-0+deb13u1', '11.8.9')):
            self.assertEqual(version, build._upstream(package))
