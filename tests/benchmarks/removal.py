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

"""Deletes the clusters that a benchmark creates, also after an error.

Imported by the modules that create clusters.
"""

from collections.abc import Iterator
import contextlib

from lab import api
from lab import errors
from lab.guest import control
from lab import home as lab_home
from lab import report as lab_report
from lab import waiting
from lab import web

TIMEOUT = 300
POLL = 0.2


@contextlib.contextmanager
def removed(home: lab_home.Home, name: str,
            report: lab_report.Report) -> Iterator[None]:
    """Delete every cluster of that name when the block ends.

    By the name, because a run may be interrupted before it knows an ID;
    ``place.check`` has checked that there was none of that name before.
    """
    try:
        yield
    finally:
        for cluster in api.clusters(home):
            if cluster['name'] == name:
                with report.step(f'removing the cluster {name}'):
                    remove(home, str(cluster['id']))


def remove(home: lab_home.Home, cluster_id: str) -> None:
    """Delete a cluster in any state, and wait until its guests are gone.

    :raises LabError: Trove refuses, with its message
    """
    members = {str(member['id']) for member in
               api.cluster(home, cluster_id)['instances']}
    answer = web.ask(api.request(home, 'DELETE', f'/clusters/{cluster_id}'))
    if not answer.good:
        raise errors.LabError(f'Trove answers {answer.code} to the delete of '
                              f'cluster {cluster_id}: {answer.words}')

    def gone() -> bool:
        left = [guest.name for guest in control.guests(home)
                if guest.instance_id in members]
        known = [cluster['name'] for cluster in api.clusters(home)
                 if cluster['id'] == cluster_id]
        if left or known:
            raise waiting.NotYet(f'guests {left}, clusters {known}')
        return True

    waiting.until(f'the end of cluster {cluster_id}', gone, TIMEOUT, POLL)
