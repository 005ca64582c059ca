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

"""Servers are killed, guests reboot and lose power, all under writes."""

from collections.abc import Sequence

from tests.conformance import subject as subjects
from tests.faults import catalogue
from tests.faults import member as members


def kill_one(subject: subjects.Subject) -> str:
    """kill -9 of one server; the others keep serving."""
    return _suffer(subject, catalogue.KILL, subject.members[-1:])


def kill_all(subject: subjects.Subject) -> str:
    """kill -9 of all servers at once, during commits."""
    return _suffer(subject, catalogue.KILL, subject.members)


def reboot_all(subject: subjects.Subject) -> str:
    """An orderly reboot of all guests at once: all servers stop."""
    return _suffer(subject, catalogue.REBOOT, subject.members)


def power_loss(subject: subjects.Subject) -> str:
    """All guests lose their power at once, and get it back."""
    return _suffer(subject, catalogue.OFF, subject.members)


def _suffer(subject: subjects.Subject, fault: catalogue.Fault,
            victims: Sequence[members.Member]) -> str:
    subject.note()
    with subject.under_writes() as told:
        before = [catalogue.Before.of(member) for member in victims]
        fault.strike(subject.there, victims)
        fault.wait_seen(subject.there, victims, before, subject.patience)
        fault.end(subject.there, victims)
        subject.there.wait_recovered(subject.patience)
    subject.note()
    subject.verify()
    return subjects.figures(told[0])
