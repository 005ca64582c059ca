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

"""Real Trove classes; database, messages, cloud and guests in memory.

Trove's services run under eventlet, and so does Trove here: threads that poll
and wait take turns in one process, as they do in a taskmanager.
"""

import eventlet

from tests.functional import clock

clock.install()
eventlet.monkey_patch()
clock.wait_for_programs()
