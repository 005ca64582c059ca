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

"""A process in the place of the worker: it tells what it was told."""

import dataclasses
import json
import os
import sys
import threading

from tests.unit.galera import test_backups
from trove_pxc.galera import backups


def main() -> None:
    """Report each line of the input as the error of the store."""
    progress = backups.Progress('b-1', backups.State.RUNNING)
    for line in sys.stdin:
        said = json.loads(line)
        if 'complete' in said.get('cancel', ''):
            progress = backups.Progress('b-1', backups.State.COMPLETE,
                                        result=test_backups.RESULT)
        elif 'die' in said.get('cancel', ''):
            sys.exit(7)
        elif 'babble' in said.get('cancel', ''):
            print('2026-12-01 04:19:57 no JSON', flush=True)
            continue
        elif 'ignore' in said.get('cancel', ''):
            continue
        else:
            green = os.environ.get('NO_EVENTLET_MONKEYPATCH', '0')
            progress = dataclasses.replace(
                progress, waits_for=f'{line.strip()} {green} {sys.argv[1:]}')
        print(json.dumps(progress.to_dict()), flush=True)
        if 'linger' in said.get('cancel', ''):
            threading.Event().wait(60)
        if progress.ended:
            break


if __name__ == '__main__':
    main()
