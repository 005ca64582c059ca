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

"""The certificates of a cluster are replaced, under writes."""

from lab.guest import control
from tests.conformance import check
from tests.conformance import subject as subjects
from tests.e2e import laboratory

AUTHORITY = '/etc/mysql/tls/ca.pem'


def rotate(subject: subjects.Subject) -> str:
    """All members trust one new authority, and no old one."""
    before = _authorities(subject)
    if not all(before):
        raise check.Left('the members have no certificates')
    subject.note()
    with subject.under_writes() as told:
        laboratory.openstack('database', 'cluster', 'certificate', 'rotate',
                             subjects.NAME)
        subject.wait_over()
        subject.there.wait_recovered(subject.patience)
    subject.note()
    subject.verify()
    after = _authorities(subject)
    if len(after) != 1 or before & after or (
            after.copy().pop().count('BEGIN CERTIFICATE') != 1):
        raise AssertionError(
            f'the members trust {len(after)} different sets of authorities, '
            f'{len(before & after)} of them from before')
    return subjects.figures(told[0])


def _authorities(subject: subjects.Subject) -> set[str]:
    return {control.run(subject.home, member.instance_id,
                        ['cat', AUTHORITY]).stdout
            for member in subject.members}
