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
"""The state of the lab: services, guests, and the members of clusters.

Imported by the command line and ``lab.demo``.
"""

import sys
from typing import Any

from lab import api
from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import parallel
from lab.services import all as all_services
from lab import sql

Record = dict[str, Any]


def collect(home: lab_home.Home) -> Record:
    """The whole state as one object, as in ``status --json``."""
    services = all_services.states(home)
    guests = control.guests(home)
    clusters = []
    if services['api'] == services['forwarder'] == 'up':
        clusters = _clusters(home, guests)
    of_cluster = {member['instance_id']: found['name']
                  for found in clusters for member in found['members']}
    return {
        'services': services,
        'guests': [_guest(guest, of_cluster) for guest in guests],
        'clusters': clusters,
    }


def member(home: lab_home.Home, record: Record,
           guests: list[control.GuestInfo]) -> Record:
    """One member, with its states in Trove and in its server."""
    instance_id = record['id']
    runs = any(guest.instance_id == instance_id and guest.power == 'on'
               for guest in guests)
    return {
        'name': record['name'],
        'instance_id': instance_id,
        'ip': next(iter(api.addresses(record)), None)
        or next((guest.ip for guest in guests
                 if guest.instance_id == instance_id), None),
        'status': record.get('status', 'UNKNOWN'),
        'operating_status': record.get('operating_status', ''),
        'wsrep': sql.wsrep(home, instance_id) if runs else None,
    }


def in_words(state: Record) -> str:
    """The state as lines for a human reader."""
    lines = ['services']
    lines += [f'  {name:13} {up}' for name, up in state['services'].items()]
    lines.append('guests')
    lines += [f'  {guest["name"]:20} {guest["ip"] or "-":15} '
              f'power {guest["power"]:3}  '
              f'{"CUT OFF" if guest["cut"] else "reachable":9}  '
              f'database {guest["database"]:10} {guest["instance_id"]}'
              for guest in state['guests']] or ['  none']
    for cluster in state['clusters']:
        lines.append(f'cluster {cluster["name"]} ({cluster["id"]}), '
                     f'task {cluster["task"]}')
        lines += [f'  {found["name"]:20} {found["ip"] or "-":15} '
                  f'{found["status"]:8} {found["operating_status"]:12} '
                  f'{wsrep_in_words(found["wsrep"])}'
                  for found in cluster['members']]
    if not state['clusters']:
        lines += ['clusters', '  none']
    return '\n'.join(lines)


def wsrep_in_words(wsrep: sql.Wsrep | None) -> str:
    """The state of a server in one short line."""
    if wsrep is None:
        return 'no answer'
    return (f'{wsrep["local_state_comment"]}, {wsrep["cluster_status"]}, '
            f'size {wsrep["cluster_size"]}, '
            f'last committed {wsrep["last_committed"]}')


def _clusters(home: lab_home.Home,
              guests: list[control.GuestInfo]) -> list[Record]:
    try:
        listed = api.clusters(home)
    except errors.LabError as error:
        # The rest of the status is needed most when Trove fails.
        print(f'lab: {error}', file=sys.stderr)
        return []
    return [found for found in parallel.each(
        lambda brief: _cluster(home, brief, guests), listed)
        if found is not None]


def _cluster(home: lab_home.Home, brief: Record,
             guests: list[control.GuestInfo]) -> Record | None:
    """A cluster with its members; None if it was deleted just now.

    :param brief: from Trove's list; it has the name and the task, also if
        Trove cannot query the cloud
    """
    try:
        told = api.cluster(home, brief['id'])
    except api.NotThere:
        return None
    except errors.LabError:
        told = brief
    return {
        'name': told['name'],
        'id': told['id'],
        'task': told['task']['name'],
        'members': parallel.each(
            lambda record: member(home, record, guests), told['instances']),
    }


def _guest(guest: control.GuestInfo, of_cluster: dict[str, str]) -> Record:
    return {
        'name': guest.name,
        'instance_id': guest.instance_id,
        'cluster': of_cluster.get(guest.instance_id),
        'ip': guest.ip,
        'power': guest.power,
        'cut': guest.cut,
        'database': guest.database,
    }
