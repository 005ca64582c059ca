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

"""What an instance tells of its last failure.

Imported by api/ and the operations. Trove's table has one column that users
read, so the cause and the next action stand there in one text. Both the form
of this text and its reading are here.
"""

from collections.abc import Iterable
import dataclasses
import textwrap

from trove.instance import models as instance_models

from trove_pxc.protocols import FaultRow
from trove_pxc.protocols import InstanceRow

#: the column of Trove's table
LENGTH = 255
#: Trove breaks longer lines, with more characters than it takes away
_LINE = 79
_MORE = '...'
#: between the cause and the next action
_NEXT = ' Next: '
_LEAST_OF_CAUSE = 130


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """What there is to tell of a failure.

    :ivar cause: a sentence without its full stop.
    :ivar next_action: a sentence.
    :ivar failed: what has failed, which stands before the cause: 'create:
        "join of c-2" failed'.
    """

    cause: str
    next_action: str
    failed: str = ''

    @property
    def whole(self) -> str:
        return f'{self._begin}{self.cause}.{_NEXT}{self.next_action}'

    @property
    def short(self) -> str:
        """As much as Trove keeps; the next action is the last to be cut."""
        room = LENGTH - (len(self.whole) - len(self.cause))
        cause = shorten(self.cause, max(room, _LEAST_OF_CAUSE))
        end = '.' if cause == self.cause else ''
        return shorten(
            f'{self._begin}{cause}{end}{_NEXT}{self.next_action}', LENGTH)

    @property
    def _begin(self) -> str:
        return f'{self.failed}: ' if self.failed else ''


def cause(instance_id: str) -> str:
    """The last fault in one line, without its next action; '' if none."""
    row: FaultRow | None = instance_models.DBInstanceFault.get_by(
        instance_id=instance_id)
    text = _one_line(row.message) if row is not None else ''
    told, found, _ = text.rpartition(_NEXT)
    return told.rstrip('. ') if found else text


def forget(instance_id: str) -> None:
    """Whatever fault the instance shows later is of what comes next."""
    fault: FaultRow | None = instance_models.DBInstanceFault.get_by(
        instance_id=instance_id)
    if fault is not None:
        fault.db_api.delete(fault)


def forget_of(rows: Iterable[InstanceRow]) -> None:
    """The faults of these instances, but for those that have failed.

    :param rows: of the instances.
    """
    for row in rows:
        if not row.task_status.is_error:
            forget(str(row.id))


def shorten(text: str, length: int) -> str:
    """At most so many characters of a text, and no word cut in its middle.

    A path or a name that misses its end would be taken for another one. A
    word that takes more than three quarters of the length is cut all the same.
    """
    if len(text) <= length:
        return text
    kept = text[:length - len(_MORE)]
    end = kept.rfind(' ')
    if not text[len(kept)].isspace() and end >= len(kept) // 4:
        kept = kept[:end]
    return kept.rstrip(' ,;:.') + _MORE


def save_fault(instance_id: str, message: str, details: str,
               complete: str = '') -> None:
    """Have an instance tell of a failure, as far as Trove has room for it.

    What has no room is often a command of the next action, so the details,
    which administrators alone see, begin with the whole message; an empty
    line ends it.

    :param details: what more there is to know, a traceback for example.
    :param complete: the whole message, if this one is shorter already.
    """
    instance_models.save_instance_fault(
        instance_id, textwrap.fill(shorten(message, LENGTH), _LINE,
                                   break_long_words=False,
                                   break_on_hyphens=False),
        f'{_one_line(complete or message)}\n\n{details}')


def whole(instance_id: str, message: str) -> str:
    """A fault's message with what save_fault() had no room for."""
    if _MORE not in message:
        return message
    fault: FaultRow | None = instance_models.DBInstanceFault.get_by(
        instance_id=instance_id)
    kept = _one_line((fault and fault.details or '').partition('\n\n')[0])
    begins = kept.startswith(_one_line(message).partition(_MORE)[0])
    return kept if kept and begins else message


def _one_line(text: str) -> str:
    """Trove breaks the lines of what it keeps."""
    return ' '.join(text.split())
