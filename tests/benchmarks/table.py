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

"""A run of the benchmark as a table.

Imported by the bringup program.
"""

from collections.abc import Iterable, Mapping, Sequence
import statistics
from typing import Any

Run = Mapping[str, Any]
WIDTH = 50


def of_run(run: Run) -> str:
    """Both ways of one run, phase by phase."""
    lines = [f'{run["members"]} members, round {run["round"]}']
    for way, title in (('trove', 'through Trove'), ('hand', 'by hand')):
        lines.append(f'  {title:{WIDTH}} {run[way]["seconds"]:7.1f} s')
        lines += [f'    {phase["name"]:{WIDTH - 2}} {phase["seconds"]:7.1f} s'
                  for phase in run[way]['phases']]
    lines.append(f'  {"ratio":{WIDTH}} {run["ratio"]:7.2f}')
    return '\n'.join([*lines, *_starts(run['trove']['starts'])])


def _starts(starts: Iterable[Run]) -> list[str]:
    """The parts of a start through Trove: its server, and waiting."""
    lines = ['  of each start               ordered -> container -> Synced '
             '-> noticed']
    lines += [f'    {start["member"]:30} {start["ordering"]:8.1f} s '
              f'{start["server"]:8.1f} s {start["noticing"]:8.1f} s'
              for start in starts]
    waiting = sum(start['ordering'] + start['noticing'] for start in starts)
    return [*lines, f'    waiting, all in all {waiting:34.1f} s']


def summary(runs: Iterable[Run]) -> str:
    """One line for each run, and the medians of each number of members."""
    lines = ['members  round  through Trove    by hand  ratio']
    by_members: dict[int, list[tuple[float, float, float]]] = {}
    for run in runs:
        row = (run['trove']['seconds'], run['hand']['seconds'], run['ratio'])
        by_members.setdefault(run['members'], []).append(row)
        lines.append(_line(run['members'], str(run['round']), row))
    lines += [_line(members, 'median',
                    [statistics.median(column) for column in zip(*rows)])
              for members, rows in by_members.items() if len(rows) > 1]
    return '\n'.join(lines)


def _line(members: int, which: str, row: Sequence[float]) -> str:
    trove, hand, ratio = row
    return (f'{members:7} {which:>6}  {trove:11.1f} s  {hand:7.1f} s  '
            f'{ratio:5.2f}')
