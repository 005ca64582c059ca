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

"""Builds the rings of Swift: one device and one replica in each.

Only ``lab.services.swift`` runs it, in Swift's Python environment.
"""

from pathlib import Path
import sys

from swift.common.ring import builder

#: two to this power is the number of partitions
POWER = 4


def main(folder: str, kinds: list[str]) -> None:
    """Write the rings.

    :param kinds: each as KIND:PORT:DEVICE
    """
    for kind, port, device in (one.split(':') for one in kinds):
        ring = builder.RingBuilder(POWER, 1, 1)
        ring.add_dev({
            'id': 0, 'region': 1, 'zone': 1, 'ip': '127.0.0.1',
            'port': int(port), 'device': device, 'weight': 1.0,
            'replication_ip': '127.0.0.1', 'replication_port': int(port)})
        ring.rebalance()
        fresh = Path(folder, f'{kind}.ring.new')
        ring.get_ring().save(str(fresh))
        fresh.replace(Path(folder, f'{kind}.ring.gz'))


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
