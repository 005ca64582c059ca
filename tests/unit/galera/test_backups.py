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

"""Orders, progress and results survive the way over RPC."""

import dataclasses
import json

import testtools

from trove_pxc.galera import backups
from trove_pxc.galera import secret

STORE = backups.Store('http://swift/v1/AUTH_x', secret.Secret('gAAAA-token'),
                      'backups')
RESULT = backups.Result(
    id='b-1', location='http://swift/v1/AUTH_x/backups/b-1.xbstream',
    stored_bytes=1000, data_bytes=5000, checksum='ab' * 32, encrypted=True,
    tool='mariadb-backup 10.11.19', server_version='10.11.19-MariaDB',
    cluster_uuid='6f3e0b8e-0000-11ee-0000-000000000000', seqno=17, gtid='',
    binlog='', from_lsn=0, to_lsn=47110, lineage='l-1', parent='',
    started='2026-11-30T22:00:00+00:00', ended='2026-11-30T22:01:00+00:00')


def over_rpc(plain: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(plain))
    return found


class OrderTest(testtools.TestCase):

    def test_an_order_arrives_as_it_was_sent(self) -> None:
        for parent in (None, RESULT.as_parent()):
            order = backups.Order('b-2', STORE, parent, 20, True,
                                  {'cluster-name': 'products'})
            self.assertEqual(order, backups.Order.from_dict(
                over_rpc(order.to_dict())))

    def test_a_restore_arrives_as_it_was_sent(self) -> None:
        order = backups.Restoring('b-2', STORE, ('a', 'b'), 10)
        self.assertEqual(order, backups.Restoring.from_dict(
            over_rpc(order.to_dict())))

    def test_a_token_is_not_shown(self) -> None:
        order = backups.Order('b-2', STORE)
        self.assertNotIn('gAAAA', f'{order} {order!r}')

    def test_fields_of_a_newer_version_are_ignored(self) -> None:
        plain = {**backups.Order('b-2', STORE).to_dict(), 'newer': 1}
        self.assertEqual('b-2', backups.Order.from_dict(plain).id)


class ProgressTest(testtools.TestCase):

    def test_it_arrives_as_it_was_sent(self) -> None:
        for progress in (
                backups.unknown('b-1'),
                backups.Progress('b-1', backups.State.RUNNING,
                                 backups.Step.COPY, 10, 5, 100, 2.0),
                backups.Progress('b-1', backups.State.COMPLETE,
                                 result=RESULT)):
            self.assertEqual(progress, backups.Progress.from_dict(
                over_rpc(progress.to_dict())))

    def test_rate_and_estimate(self) -> None:
        running = backups.Progress('b-1', backups.State.RUNNING,
                                   data_bytes=100, total_bytes=400,
                                   seconds=2.0)
        self.assertEqual((50.0, 6.0),
                         (running.rate, running.estimate_seconds))

    def test_more_data_than_estimated_takes_no_negative_time(self) -> None:
        running = backups.Progress('b-1', backups.State.RUNNING,
                                   data_bytes=500, total_bytes=400,
                                   seconds=2.0)
        self.assertEqual(0, running.estimate_seconds)

    def test_nothing_is_estimated_from_nothing(self) -> None:
        begun = backups.Progress('b-1', backups.State.RUNNING, seconds=0.0)
        self.assertEqual(0.0, begun.rate)
        self.assertIsNone(begun.estimate_seconds)
        self.assertIsNone(dataclasses.replace(
            begun, total_bytes=100, seconds=5).estimate_seconds)

    def test_only_a_running_one_has_not_ended(self) -> None:
        self.assertEqual(
            [False, True, True, True],
            [backups.Progress('b', state).ended for state in backups.State])
