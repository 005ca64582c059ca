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

"""Waits for a condition; no other module of the lab sleeps.

Every module of the lab may import it.
"""

from collections.abc import Callable
import time
from typing import TypeVar

from lab import errors

T = TypeVar('T')


class NotYet(Exception):
    """Raised by a probe that must be called again, with what it observed."""


class WaitTimeout(errors.LabError):
    """The condition was not met in time."""


def until(what: str, probe: Callable[[], T | None], timeout: float,
          interval: float = 0.1) -> T:
    """Call ``probe`` until it returns a true value, and return that.

    :param what: completes the message "timed out waiting for"
    :param probe: returns a true value when done; a false one or NotYet (with
        what it observed) to be called again; other errors end the wait
    :param timeout: seconds
    :param interval: seconds between two calls
    :raises WaitTimeout: with the last observation
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
                f'timed out after {timeout:g} s waiting for {what} '
                f'(last observed: {seen})')
        time.sleep(interval)


def pause(seconds: float) -> None:
    """Sleep between two observations of an endless watch."""
    time.sleep(seconds)
