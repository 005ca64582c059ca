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
"""How long the simulated guests take.

Imported by the program and by ``fleet``. Standard library only.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Durations:
    """Seconds that a guest takes.

    :ivar prepare: from the call to prepare until it is ready
    :ivar bootstrap: from the start of the first server until it is Synced
    :ivar join: the same for each other server
    :ivar stop: to stop a server
    :ivar call: to answer any other call
    :ivar report: between two reports of an unchanged status
    """

    prepare: float = 5.0
    bootstrap: float = 3.0
    join: float = 3.0
    stop: float = 2.0
    call: float = 0.0
    report: float = 60.0
