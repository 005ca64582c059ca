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

"""A cluster is created, and deleted."""

from lab.guest import control
from lab import waiting
from tests.conformance import check
from tests.conformance import subject as subjects


def create(subject: subjects.Subject) -> str:
    """Three members; each writes, and all have the rows of each."""
    subject.remove()
    subject.create()
    subject.note()
    subject.verify()
    return ''


def image(subject: subjects.Subject) -> str:
    """The server is of the series, and a state transfer is possible."""
    [(version,)] = subject.members[0].ask('SELECT VERSION()')
    refusal = subject.dialect.refusal(str(version))
    if refusal:
        raise AssertionError(refusal)
    lacks = subject.in_image()
    usable = [method for method, missing in lacks.items() if not missing]
    if not set(usable) & set(subject.dialect.sst_methods):
        raise AssertionError(f'no SST method is usable: {lacks}')
    return f'SST: {", ".join(usable)}'


def delete(subject: subjects.Subject) -> str:
    """Nothing is left: no cluster, no guest."""
    if subject.cluster is None:
        raise check.Left('there is no cluster')
    subject.remove()

    def gone() -> bool:
        left = [guest.name for guest in control.guests(subject.home)]
        if left:
            raise waiting.NotYet(', '.join(left))
        return True

    waiting.until('all guests to be gone', gone, subject.patience, 0.5)
    return ''
