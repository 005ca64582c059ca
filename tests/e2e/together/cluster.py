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

"""The cluster of three that the tests of this folder share.

Each test finds it healthy and leaves it healthy. It is created for the first
test and lives as long as the process, which runs these tests last: their
folder comes after the modules beside it.
"""

import atexit
import time

from lab import api
from lab import errors
from lab import waiting
from tests.e2e import case
from tests.e2e import laboratory

NAME = 'together'
MEMBERS = tuple(f'{NAME}-{number}' for number in (1, 2, 3))
FLAVORS = ('1', '2', '1')
HEALTHY_SECONDS = 90
DELETE_SECONDS = 120


class Together:
    """Creates the cluster when it is needed, and again when it is broken.

    :ivar id: '' while there is none
    :ivar seconds: from the answer to the create until all were active
    :ivar shown: the output of "show" while it was built
    :ivar listed: the list of clusters meanwhile
    """

    def __init__(self) -> None:
        self.id = ''
        self.seconds = 0.0
        self.shown: list[laboratory.Record] = []
        self.listed: list[laboratory.Record] = []

    def make_sure(self) -> None:
        """Make sure that it is healthy."""
        if self.id and not self._is_healthy():
            self.delete()
        if not self.id:
            self._create()

    def delete(self) -> None:
        """Delete it, if there is one."""
        if self.id:
            laboratory.delete_cluster(self.id, DELETE_SECONDS)
            self.id = ''

    def _create(self) -> None:
        self.shown, self.listed = [], []
        self.id = laboratory.create_cluster(
            NAME, [laboratory.member_option(flavor) for flavor in FLAVORS])
        answered = time.monotonic()
        waiting.until('the cluster to be built', self._look,
                      laboratory.READY_TIMEOUT, 0.5)
        laboratory.wait_ready(self.id)
        self.seconds = time.monotonic() - answered

    def _look(self) -> bool:
        """List and show the cluster, and store the output."""
        home = laboratory.home()
        listed = api.get(home, '/clusters')['clusters']
        self.listed += [one for one in listed if one['id'] == self.id]
        self.shown.append(api.cluster(home, self.id))
        task = self.shown[-1]['task']['name']
        if task != 'NONE':
            raise waiting.NotYet(task)
        return True

    def _is_healthy(self) -> bool:
        try:
            laboratory.wait_ready(self.id, HEALTHY_SECONDS)
            laboratory.wait_agreement(MEMBERS, timeout=HEALTHY_SECONDS)
        except (AssertionError, errors.LabError):
            return False
        return True


TOGETHER = Together()
atexit.register(TOGETHER.delete)


class TestCase(case.TestCase):
    """A test that uses the cluster, and leaves it healthy."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.home = laboratory.home()
        TOGETHER.make_sure()
        cls.cluster_id = TOGETHER.id
