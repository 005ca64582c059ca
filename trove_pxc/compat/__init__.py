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

"""Uses of private names of Trove and oslo, one module for each.

Each module states why there is no public way, and what happens if a release
does not have the private name: a feature is missing and a warning is logged,
but the service starts. A private method that Trove calls is overridden only
here. It calls a public method, which the rest of the package defines. The
tests are contracts: they run with Trove 25 and 26, and fail if a release
changes the private name.
"""
