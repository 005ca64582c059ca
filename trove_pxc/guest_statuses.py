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

"""How far a member has come, by the status that Trove keeps of its guest.

Imported by api/ and taskmanager/. The table keeps the last status of a guest
that has told nothing for long.
"""

from trove.instance import service_status

_Statuses = service_status.ServiceStatuses

#: its guest agent does not listen yet
UNPREPARED = (_Statuses.NEW, _Statuses.BUILDING)
#: its cluster was never built to its end
UNBUILT = (*UNPREPARED, _Statuses.INSTANCE_READY)
#: by its guest, or by Trove, which has given it up while it was built
FAILED = (_Statuses.FAILED, _Statuses.FAILED_TIMEOUT_GUESTAGENT)
#: it never was a member of a complete cluster
INCOMPLETE = (*UNBUILT, *FAILED)
