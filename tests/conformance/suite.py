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

"""All checks, in their order, for one server version."""

from collections.abc import Callable
import functools

from tests.conformance import accounts
from tests.conformance import certificates
from tests.conformance import check
from tests.conformance import formation
from tests.conformance import outages
from tests.conformance import size
from tests.conformance import subject as subjects
from tests.conformance import transfers

Run = Callable[[subjects.Subject], str]


def checks(subject: subjects.Subject) -> list[check.Check]:
    """The checks that this version has to pass."""
    def one(name: str, run: Run, own: bool = False) -> check.Check:
        return check.Check(name, functools.partial(run, subject), own)

    return [
        one('create of three', formation.create, own=True),
        one('image', formation.image),
        one('encryption', transfers.encryption),
        *(one(f'SST by {method}',
              functools.partial(transfers.sst, method=method))
          for method in subject.dialect.sst_methods),
        one('IST', transfers.ist),
        one('kill of a server', outages.kill_one),
        one('kill of all servers', outages.kill_all),
        one('reboot of all', outages.reboot_all),
        one('power loss of all', outages.power_loss),
        one('certificate rotation', certificates.rotate),
        one('grow', size.grow),
        one('shrink', size.shrink, own=True),
        one('databases', accounts.databases),
        one('users', accounts.users),
        one('delete', formation.delete, own=True),
    ]
