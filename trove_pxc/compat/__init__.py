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

"""What this package uses of Trove and oslo that they do not offer to others.

One module for each place. It says why there is no public way, and what
happens when a release does not have the place any more: a feature less and a
line in the log, never a service that does not start. A private method that
Trove calls is overridden here alone, by a method that calls a public one,
which the rest of the package defines. The tests are contracts: they run with
Trove 25 and 26, and fail when a release changes the place.
"""
