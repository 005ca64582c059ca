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

"""The fault of an instance: its last failure, in Trove's table.

Imported by api/ and the operations. Trove's table has one column that users
can read, so it has the cause and the next action in one text. This module
formats and parses this text.
"""

from collections.abc import Iterable
import dataclasses
import textwrap

from trove.instance import models as instance_models

from trove_pxc.protocols import FaultRow
from trove_pxc.protocols import InstanceRow

#: length of the column in Trove's table
LENGTH = 255
#: Trove wraps longer lines, which makes the text longer
_LINE = 79
_MORE = '...'
#: between the cause and the next action
_NEXT = ' Next: '
_LEAST_OF_CAUSE = 130


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A failure with its next action.

    :ivar cause: a sentence without its full stop.
    :ivar next_action: a sentence.
    :ivar failed: what failed, for the start of the text: 'create: "join of
        c-2" failed'.
    """

    cause: str
    next_action: str
    failed: str = ''

    @property
    def whole(self) -> str:
        return f'{self._begin}{self.cause}.{_NEXT}{self.next_action}'

    @property
    def short(self) -> str:
        """The text in the length of the column; the cause is cut first."""
        room = LENGTH - (len(self.whole) - len(self.cause))
        cause = shorten(self.cause, max(room, _LEAST_OF_CAUSE))
        end = '.' if cause == self.cause else ''
        return shorten(
            f'{self._begin}{cause}{end}{_NEXT}{self.next_action}', LENGTH)

    @property
    def _begin(self) -> str:
        return f'{self.failed}: ' if self.failed else ''


def cause(instance_id: str) -> str:
    """Return the last fault in one line, without its next action.

    '' if there is none.
    """
    row: FaultRow | None = instance_models.DBInstanceFault.get_by(
        instance_id=instance_id)
    text = _one_line(row.message) if row is not None else ''
    told, found, _ = text.rpartition(_NEXT)
    return told.rstrip('. ') if found else text


def forget(instance_id: str) -> None:
    """Delete the fault, so that a fault found later is a new one."""
    fault: FaultRow | None = instance_models.DBInstanceFault.get_by(
        instance_id=instance_id)
    if fault is not None:
        fault.db_api.delete(fault)


def forget_of(rows: Iterable[InstanceRow]) -> None:
    """Delete the faults of these instances, except of failed ones.

    :param rows: of the instances.
    """
    for row in rows:
        if not row.task_status.is_error:
            forget(str(row.id))


def shorten(text: str, length: int) -> str:
    """Cut a text to a length, between words.

    Half a path or name would be taken for a whole one. Only a word longer than
    three quarters of the length is cut.
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
    """Save a fault of an instance, shortened to the length of the column.

    The part that does not fit is often the command of the next action.
    Therefore the details, which only administrators can see, begin with the
    whole message. An empty line ends it.

    :param details: more information, for example a traceback.
    :param complete: the whole message, if the message is already shortened.
    """
    instance_models.save_instance_fault(
        instance_id, textwrap.fill(shorten(message, LENGTH), _LINE,
                                   break_long_words=False,
                                   break_on_hyphens=False),
        f'{_one_line(complete or message)}\n\n{details}')


def whole(instance_id: str, message: str) -> str:
    """Return the whole message of a fault, of which a part may be cut off."""
    if _MORE not in message:
        return message
    fault: FaultRow | None = instance_models.DBInstanceFault.get_by(
        instance_id=instance_id)
    kept = _one_line((fault and fault.details or '').partition('\n\n')[0])
    begins = kept.startswith(_one_line(message).partition(_MORE)[0])
    return kept if kept and begins else message


def _one_line(text: str) -> str:
    """Join the lines into which Trove has wrapped a text."""
    return ' '.join(text.split())
