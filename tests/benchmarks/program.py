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

"""The common start and end of all benchmarks.

Imported by the benchmarks' programs, by any Python: standard library and the
lab's modules only.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
import datetime
import json
import pathlib
import signal
import sys
import tempfile
from types import FrameType
from typing import Any

from lab import errors

INTERRUPTED = 130
FAILED = 1
#: Signals that end a run cleanly: Ctrl-C, "kill", a closed terminal.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Refused(errors.LabError):
    """The run cannot start; the text is one line that says what to do."""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line ends of the texts, and room for an option's name."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=20)


def run(name: str, measure: Callable[[], None], clears: str = '',
        expected: tuple[type[Exception], ...] = ()) -> int:
    """Measure; return the exit code, and print one line for an error.

    A signal that ends the program has the effect of Ctrl-C, so ``measure``
    removes what it has created.

    :param clears: what is done after an interruption, printed at once
    :param expected: further errors whose text is enough for the user
    """
    def interrupt(number: int, frame: FrameType | None) -> None:
        print(f'\n{name}: interrupted{clears}', file=sys.stderr, flush=True)
        raise KeyboardInterrupt

    for number in SIGNALS:
        signal.signal(number, interrupt)
    told: tuple[type[Exception], ...] = (
        errors.LabError, AssertionError, *expected)
    try:
        measure()
    except KeyboardInterrupt:
        return INTERRUPTED
    except told as error:
        print(f'{name}: {error}', file=sys.stderr)
        return FAILED
    return 0


def at_least(least: float, kind: Callable[[str], Any] = int,
             ) -> Callable[[str], Any]:
    """A type for argparse: numbers from ``least`` on."""
    def number(text: str) -> Any:
        try:
            value = kind(text)
        except ValueError:
            value = None
        # "not >=" also refuses values that cannot be compared: "nan".
        if value is None or not value >= least:
            raise argparse.ArgumentTypeError(
                f'{text} is not valid: give a number, {least:g} or more')
        return value

    return number


def check_output(path: pathlib.Path) -> None:
    """Refuse a file that cannot be written, before the measurement."""
    folder = path.absolute().parent
    if path.is_dir():
        raise Refused(f'--output {path} is a folder; name a file')
    if not folder.is_dir():
        raise Refused(f'--output {path}: there is no folder {folder}; '
                      f'create it, or name another')
    try:
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise Refused(f'--output {path} cannot be written '
                      f'({error.strerror}); name another file') from error


def keep(path: pathlib.Path, **record: Any) -> None:
    """Write the results so far; the file is complete at any time."""
    _replace(path, json.dumps({
        'date': datetime.datetime.now(datetime.UTC).isoformat(),
        **record}, indent=2) + '\n')


def keep_lines(path: pathlib.Path, records: Iterable[Mapping[str, Any]],
               ) -> None:
    """The same as JSON lines: one record in each."""
    _replace(path, ''.join(f'{json.dumps(record, allow_nan=False)}\n'
                           for record in records))


def _replace(path: pathlib.Path, text: str) -> None:
    fresh = path.with_name(f'{path.name}.new')
    fresh.write_text(text)
    fresh.replace(path)
