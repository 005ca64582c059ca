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

"""Prepares donors before a state transfer.

Imported by grow.
"""

from oslo_log import log as logging
from trove.common import exception

from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import online

LOG = logging.getLogger(__name__)

Member = members.Member


def _restore_accounts(operation: supervision.Supervised,
                      member: Member) -> None:
    """Restore the accounts that a donor needs, on one member that serves.

    Galera replicates them to the others. An agent of an older version does
    not support this; if an account is missing, the join fails and reports
    it.
    """
    for other in online.inside(operation, operation.found):
        if other in operation.found.passing:
            continue
        try:
            other.guest.restore_accounts()
        except (exception.GuestTimeout, exception.GuestError) as failure:
            LOG.warning('%s could not restore the accounts: %s', other.name,
                        failure)
        else:
            return


RESTORE_ACCOUNTS = workflow.Step(
    'restore the accounts', 'to have donors that can log in',
    'verify_timeout', workflow.never, _restore_accounts)
