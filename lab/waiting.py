# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Waiting for something to become true: the only place that sleeps.

Every module of the lab may import it.
"""

from collections.abc import Callable
import time
from typing import TypeVar

from lab import errors

T = TypeVar('T')


class NotYet(Exception):
    """Raised by a probe that has to be asked again; says what it saw."""


class WaitTimeout(errors.LabError):
    """The time was over before the probe was content."""


def until(what: str, probe: Callable[[], T | None], timeout: float,
          interval: float = 0.1) -> T:
    """Ask ``probe`` until it returns something true, and return that.

    :param what: what is waited for, as it completes "gave up waiting for"
    :param probe: returns a true value when done, a false one or NotYet
        (with what it saw) to be asked again; any other error ends the wait
    :param timeout: seconds
    :param interval: seconds between two questions
    :raises WaitTimeout: with the last thing seen
    """
    deadline = time.monotonic() + timeout
    while True:
        seen = 'no answer'
        try:
            result = probe()
            if result:
                return result
            seen = repr(result)
        except NotYet as not_yet:
            seen = str(not_yet)
        if time.monotonic() >= deadline:
            raise WaitTimeout(
                f'gave up waiting for {what} after {timeout:g} s; '
                f'last seen: {seen}')
        time.sleep(interval)


def pause(seconds: float) -> None:
    """Let time pass between two looks of an endless watch."""
    time.sleep(seconds)
