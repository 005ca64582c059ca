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

"""Members join and leave, under writes of the others."""

from tests.conformance import subject as subjects


def grow(subject: subjects.Subject) -> str:
    """A fourth member joins; it has all rows, and writes."""
    subject.note()
    with subject.under_writes() as told:
        subject.grow()
    subject.note()
    subject.verify(subjects.SIZE + 1)
    return subjects.figures(told[0])


def shrink(subject: subjects.Subject) -> str:
    """Back to three; a fourth member is added first if there is none."""
    if not subject.is_well(subjects.SIZE + 1):
        subject.prepare()
        subject.grow()
    subject.note()
    subject.shrink()
    subject.note()
    subject.verify()
    return ''
