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

"""The reason of a decision as data: cause, next action and members.

Pure. history and plan create reasons, the taskmanager reads their fields. No
module parses the text.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Reason:
    """The reason of a decision; str() returns the whole text.

    :ivar cause: a sentence without a full stop.
    :ivar advice: the next action, in full sentences; '' for none.
    :ivar named: the members that the text names.
    :ivar force: whether the advice is to force a member.
    """

    cause: str
    advice: str = ''
    named: tuple[str, ...] = ()
    force: bool = False

    def __str__(self) -> str:
        return f'{self.cause}. {self.advice}'.rstrip()
