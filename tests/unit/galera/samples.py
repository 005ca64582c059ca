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

"""Status rows and state files of real servers.

Taken from MariaDB 10.11.19 with galera 26.4.23, three nodes, rsync SST.
"""

import dataclasses
from typing import Any

from trove_pxc.galera import history
from trove_pxc.galera import position
from trove_pxc.galera import view

UUID = 'ae320418-e734-11f1-9e40-4a326f412d58'
OTHER_UUID = 'e847613f-e734-11f1-a125-b3ce385cf975'
ADDRESSES = '10.99.0.11:3306,10.99.0.12:3306,10.99.0.13:3306'

SYNCED = {
    'wsrep_cluster_status': 'Primary',
    'wsrep_local_state': '4',
    'wsrep_local_state_comment': 'Synced',
    'wsrep_cluster_size': '3',
    'wsrep_cluster_state_uuid': UUID,
    'wsrep_cluster_conf_id': '3',
    'wsrep_last_committed': '3',
    'wsrep_ready': 'ON',
    'wsrep_connected': 'ON',
    'wsrep_incoming_addresses': ADDRESSES,
    'wsrep_provider_version': '4.23(rXXXX)',
}

CUT_OFF = {
    **SYNCED,
    'wsrep_cluster_status': 'non-Primary',
    'wsrep_local_state': '0',
    'wsrep_local_state_comment': 'Initialized',
    'wsrep_cluster_size': '1',
    'wsrep_cluster_conf_id': '18446744073709551615',
    'wsrep_last_committed': '25',
    'wsrep_ready': 'OFF',
    'wsrep_incoming_addresses': '10.99.0.13:3306',
}

# Started without --wsrep_start_position after a crash of all: Primary and
# Synced, but without a history.
NIL_HISTORY = {
    **SYNCED,
    'wsrep_cluster_state_uuid': '00000000-0000-0000-0000-000000000000',
    'wsrep_cluster_conf_id': '0',
    'wsrep_last_committed': '0',
}

GRASTATE = (f'# GALERA saved state\nversion: 2.1\nuuid:    {UUID}\n'
            'seqno:   -1\nsafe_to_bootstrap: 0\n')

RECOVERED = (
    '2026-11-23 11:55:13 0 [Note] InnoDB: 128 rollback segments\n'
    f'2026-11-23 11:55:13 0 [Note] WSREP: Recovered position: {UUID}:27\n')


def node_view(**changes: Any) -> view.NodeView:
    """The view of a Synced node, with these changes."""
    plain = view.NodeView.from_status(SYNCED).to_dict()
    return view.NodeView.from_dict({**plain, **changes})


def report(server: str = 'running', node: view.NodeView | None = None,
           **changes: Any) -> view.MemberReport:
    """A member's report."""
    plain = {'server': server, 'view': None, 'data_bytes': 0,
             'started': True, 'exit_code': None, 'error': '', **changes}
    made = view.MemberReport.from_dict(plain)
    return dataclasses.replace(made, view=node)


def primary(**changes: Any) -> view.MemberReport:
    """A member that is in the primary component and Synced.

    :param changes: of its view, and of its report: giving, backup.
    """
    of_report = {name: changes.pop(name) for name in ('giving', 'backup')
                 if name in changes}
    return report(node=node_view(**changes), **of_report)


def outside(seqno: int, uuid: str | None = UUID) -> view.MemberReport:
    """A member that runs outside the primary component."""
    plain = view.NodeView.from_status(CUT_OFF).to_dict()
    return report(node=view.NodeView.from_dict(
        {**plain, 'last_committed': seqno, 'cluster_uuid': uuid}))


def place(seqno: int, uuid: str | None = UUID, *,
          safe: bool | None = False, sst: bool = False,
          grastate: bool = True,
          gvwstate: bool = False, seen: int | None = None,
          seen_uuid: str = UUID, ordered: bool = False,
          evicted: bool = False) -> position.Position:
    """The position on a disk."""
    return position.Position(
        uuid, seqno, safe, sst, grastate, gvwstate,
        None if seen is None else seen_uuid, -1 if seen is None else seen,
        ordered, evicted)


EMPTY = place(-1, None, safe=None, grastate=False)


def stopped(seqno: int, uuid: str | None = UUID,
            **changes: Any) -> history.Answer:
    """The answer of a member whose server has stopped."""
    return history.Answer(report('stopped'), place(seqno, uuid, **changes))
