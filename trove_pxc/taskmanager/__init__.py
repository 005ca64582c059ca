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

"""Inside trove-taskmanager: the operations on a cluster.

Its folders are levels; each imports itself and what stands below it here
(tools/house checks it):

    strategy, manager, api   what Trove loads
    watchers/                what looks by itself, and runs operations
    tasks                    RPC in, one method for each operation
    operations/              one file each, its phases on the first screen
    steps/                   what operations are made of
    engine/                  how operations run, and what is told of it
    cloud/                   what a member stands on
"""
