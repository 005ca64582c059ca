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
"""The results for a reader.

Imported by the program.
"""

from collections.abc import Iterable, Mapping
from typing import Any

WIDTH = 52
Record = Mapping[str, Any]


def of_burst(run: Record) -> str:
    """One burst, line by line."""
    number = run['creates']
    lines = [f'a burst of {number} creates of {run["members"]} members, '
             f'{run["taskmanagers"]} taskmanagers']

    def add(what: str, value: str) -> None:
        lines.append(f'  {what:{WIDTH}} {value}')

    add('accepted', f'{run["accepted"]} in {run["accepted_seconds"]} s')
    add('came up', f'{run["came_up"]} of {number}')
    if run['seconds']:
        add('each took (least, median, most)',
            ', '.join(f'{run["seconds"][name]:g}' for name in
                      ('least', 'median', 'most')) + ' s')
    add('the whole burst', f'{run["whole_seconds"]} s, '
        f'{run["whole_seconds"] / number:.2f} s for each create')
    for reason, count in run['failures'].items():
        lines.append(f'  {count} failed: {reason}')
    for other in run['others']:
        add(f'{other["what"]} of another cluster began, ended', of_other(
            other))
    lines += _costs(run, number)
    return '\n'.join(lines)


def of_other(other: Record) -> str:
    if other['refusal']:
        return f'refused: {other["refusal"]}'
    return ', '.join('not in time' if other[name] is None else
                     f'{other[name]:.1f} s' for name in ('began', 'ended'))


def _costs(run: Record, number: int) -> Iterable[str]:
    """What the services used."""
    yield ('  service          SQL/create  COMMIT etc.  connections     '
           'CPU s  CPU s/create  MiB before  peak  MiB/operation')
    names = [name for name in run['cpu'] if name in run['memory']]
    for name in names:
        # trove-api has only creates until the last one is accepted.
        sql = run['api_sql' if name == 'api' else 'sql'].get(name)
        memory = run['memory'][name]
        yield (
            f'  {name:15}  '
            + ('                                       ' if sql is None else
               f'{sql["statements"] / number:10.1f}  '
               f'{sql["others"] / number:11.1f}  '
               f'{sql["connections"]:11}  ')
            + f'{run["cpu"][name]:8.1f}  {run["cpu"][name] / number:12.2f}  '
              f'{memory["before"]:10.0f}  {memory["peak"]:4.0f}  '
              f'{memory["per_operation"]:13.2f}')
    yield (f'  calls: {run["cloud_calls"] / number:.1f} to the cloud and '
           f'{run["guest_calls"] / number:.1f} to guests for each create; '
           f'at most {run["most_working"]} operations at one time')


def of_rest(run: Record) -> str:
    """All measurements with one number of clusters."""
    lines = [f'at rest with {run["clusters"]} clusters of '
             f'{run["members"]} members',
             f'  {"":{WIDTH}}     time    CPU  SQL  rows read  cloud calls']
    lines += [
        f'  {row["what"]:{WIDTH}} {row["ms"]:5.1f} ms {row["cpu_ms"]:6.1f} '
        f'{row["statements"]:4.0f}  {row["rows"]:9.0f}  '
        f'{row["calls"] if row["calls"] is not None else "":>11}'
        for row in run['rows']]
    return '\n'.join(lines)
