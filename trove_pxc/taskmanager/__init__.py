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

"""The operations on a cluster, in trove-taskmanager.

The folders are layers. Each imports itself and the layers below it in this
list (tools/house checks it):

    strategy, manager, api   the classes that Trove loads
    watchers/                periodic tasks that start operations
    tasks                    the RPC entry, one method for each operation
    operations/              one module for each operation, with its STEPS
    steps/                   the steps of the operations
    engine/                  runs operations and records failures
    cloud/                   the resources of a member
"""
