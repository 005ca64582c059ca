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

"""The original text of a guest's exception.

Imported by guestagent/api. oslo.messaging creates exceptions of Python and
Trove again in the caller (oslo_messaging/_drivers/common.py,
deserialize_remote_exception). It adds the guest's traceback to the text, and
the exceptions have no attribute with the original text. The form of the text
is not documented.

If the form changes, the exception is treated like one of this process, and its
text is not changed.
"""

#: suffix of the name of a class that gets another __str__
_REMOTE = '_Remote'
_TRACEBACK = '\nTraceback (most recent call last)'


def text_of(failure: BaseException) -> str | None:
    """Return the guest's own text; None if it is not from a guest."""
    # A class of Trove gets another __str__, and one of Python another first
    # argument.
    told = (str(failure) if type(failure).__name__.endswith(_REMOTE)
            else str(failure.args[0]) if failure.args else '')
    text, found, _ = told.partition(_TRACEBACK)
    return text.rstrip('\n') if found else None
