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

"""The report of a run in plain text, to paste into a bug report."""

from collections.abc import Mapping, Sequence

from tests.conformance import check

#: Characters of a remark in the table; a longer one follows below it.
REMARK = 76
HEADER = ('check', 'result', 'seconds', 'remark')


def report(versions: Mapping[str, str],
           results: Sequence[check.Result]) -> str:
    """Versions, the table, and the remarks that are too long for it."""
    parts = [title(results), _pairs(versions), table(results)]
    long = [f'{result.name}: {result.remark}' for result in results
            if len(result.remark) > REMARK]
    return '\n\n'.join([*parts, *long]) + '\n'


def title(results: Sequence[check.Result]) -> str:
    """The whole run in a line."""
    bad = [result for result in results if not result.outcome.good]
    if bad or not results:
        return (f'trove-pxc conformance: FAILED, {len(bad)} of '
                f'{len(results)} checks')
    return f'trove-pxc conformance: passed, {len(results)} checks'


def table(results: Sequence[check.Result]) -> str:
    """A row for each check."""
    rows = [HEADER, *((
        result.name, result.outcome.value, f'{result.seconds:.1f}',
        _short(result.remark)) for result in results)]
    widths = [max(len(row[column]) for row in rows)
              for column in range(len(HEADER))]
    rows.insert(1, tuple('-' * width for width in widths))
    return '\n'.join(_row(row, widths) for row in rows)


def _row(row: Sequence[str], widths: Sequence[int]) -> str:
    name, outcome, seconds, remark = row
    return (f'{name:{widths[0]}}  {outcome:{widths[1]}}  '
            f'{seconds:>{widths[2]}}  {remark}').rstrip()


def _short(remark: str) -> str:
    if len(remark) <= REMARK:
        return remark
    return remark[:REMARK - 12].rsplit(' ', 1)[0] + ' ... (below)'


def _pairs(versions: Mapping[str, str]) -> str:
    width = max(map(len, versions), default=0)
    return '\n'.join(f'{name:{width}}  {value}'.rstrip()
                     for name, value in versions.items())
