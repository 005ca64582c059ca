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
"""What one periodic task of the taskmanager costs.

The program ``python -m tests.benchmarks.scaling.looks TASK``, which ``rest``
starts. It prints one line of JSON.
"""

import argparse
import json
import statistics
import sys
import time

from trove.common import cfg
from trove.common import context
from trove.db.sqlalchemy import session
from trove import rpc

from tests.benchmarks.scaling import counters
from tests.benchmarks.scaling import place

USER = 'world'


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog='looks', description=__doc__)
    parser.add_argument('--home', required=True)
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('task')
    arguments = parser.parse_args(argv)
    home = place.Home(arguments.home)
    cfg.CONF(['--config-file', str(home.etc / 'trove.conf'),
              '--config-file', str(home.etc / f'{USER}.conf'),
              '--config-dir', str(home.own_options)], project='trove')
    rpc.init(cfg.CONF)
    session.configure_db()
    from trove_pxc.taskmanager import manager
    look = getattr(manager.Manager(), arguments.task)
    who = context.TroveContext(is_admin=True)
    look(who)
    database = counters.Database(home)
    before = database.statistics()[USER]
    cpu, wall = [], []
    for _ in range(arguments.rounds):
        busy, began = time.process_time(), time.monotonic()
        look(who)
        cpu.append(time.process_time() - busy)
        wall.append(time.monotonic() - began)
    cost = database.statistics()[USER] - before
    print(json.dumps({
        'ms': round(1000 * statistics.median(wall), 1),
        'cpu_ms': round(1000 * statistics.median(cpu), 1),
        'statements': round(cost.statements / arguments.rounds, 1),
        'rows': round(cost.rows / arguments.rounds)}))
    return 0


if __name__ == '__main__':
    sys.exit(main())
