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

"""The progress of a member, from the status of its guest in Trove's table.

Imported by api/ and taskmanager/. The table has the last status that a guest
reported, even if it is old.
"""

from trove.instance import service_status

_Statuses = service_status.ServiceStatuses

#: the guest agent does not listen yet
UNPREPARED = (_Statuses.NEW, _Statuses.BUILDING)
#: the creation of the cluster was never completed
UNBUILT = (*UNPREPARED, _Statuses.INSTANCE_READY)
#: set by the guest, or by Trove after a time-out of the build
FAILED = (_Statuses.FAILED, _Statuses.FAILED_TIMEOUT_GUESTAGENT)
#: was never a member of a complete cluster
INCOMPLETE = (*UNBUILT, *FAILED)
