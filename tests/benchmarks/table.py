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

from collections.abc import Iterable, Mapping
from typing import Any

Run = Mapping[str, Any]
WIDTH = 44


def of_run(run: Run) -> str:
    """Both ways of one run, phase by phase."""
    lines = [f'{run["members"]} members, round {run["round"]}']
    for way, title in (('trove', 'through Trove'), ('hand', 'by hand')):
        lines.append(f'  {title:{WIDTH}} {run[way]["seconds"]:7.1f} s')
        lines += [f'    {phase["name"]:{WIDTH - 2}} {phase["seconds"]:7.1f} s'
                  for phase in run[way]['phases']]
        starts = run[way].get('starts', [])
        if starts:
            lines.append('    of each start: ordered -> container -> Synced '
                         '-> noticed')
        lines += [f'      {start["member"]:{WIDTH - 14}} '
                  f'{start["ordering"]:7.1f} {start["server"]:7.1f} '
                  f'{start["noticing"]:7.1f} s' for start in starts]
    lines.append(f'  {"ratio":{WIDTH}} {run["ratio"]:7.2f}')
    return '\n'.join(lines)


def summary(runs: Iterable[Run]) -> str:
    """One line for each run."""
    lines = ['members  round  through Trove    by hand  ratio']
    lines += [f'{run["members"]:7}  {run["round"]:5}  '
              f'{run["trove"]["seconds"]:11.1f} s  '
              f'{run["hand"]["seconds"]:7.1f} s  {run["ratio"]:5.2f}'
              for run in runs]
    return '\n'.join(lines)
