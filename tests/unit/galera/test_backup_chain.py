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

"""Which backups build on each other."""

import dataclasses

import testtools

from tests.unit.galera import test_backups
from trove_pxc.galera import backup_chain
from trove_pxc.galera import backups
from trove_pxc.galera import settings

FULL = test_backups.RESULT
NEXT = dataclasses.replace(
    FULL, id='b-2', location='http://swift/v1/AUTH_x/backups/b-2.xbstream',
    from_lsn=FULL.to_lsn, to_lsn=FULL.to_lsn + 10, parent=FULL.location)
LAST = dataclasses.replace(
    NEXT, id='b-3', location='http://swift/v1/AUTH_x/backups/b-3.xbstream',
    from_lsn=NEXT.to_lsn, to_lsn=NEXT.to_lsn + 10, parent=NEXT.location)


class ExtendTest(testtools.TestCase):

    def refusal(self, lineage: str = FULL.lineage,
                uuid: str = FULL.cluster_uuid, **other: object) -> str:
        parent = dataclasses.replace(
            FULL, **other).as_parent()  # type: ignore[arg-type]
        return backup_chain.refusal_to_extend(parent, lineage, uuid) or ''

    def test_the_same_data_directory_can_be_extended(self) -> None:
        self.assertEqual('', self.refusal())

    def test_lsns_of_another_directory_mean_nothing(self) -> None:
        self.assertIn('another data directory', self.refusal(lineage='l-2'))

    def test_another_history_cannot_be_extended(self) -> None:
        self.assertIn('history', self.refusal(uuid='other'))

    def test_a_parent_without_a_position_is_refused(self) -> None:
        self.assertIn('no position', self.refusal(to_lsn=0))
        unmarked = dataclasses.replace(FULL, lineage='').as_parent()
        self.assertIn('no position', backup_chain.refusal_to_extend(
            unmarked, '', FULL.cluster_uuid) or '')


class RestoreTest(testtools.TestCase):

    def test_chains_without_a_gap(self) -> None:
        for links in ([FULL], [FULL, NEXT], [FULL, NEXT, LAST]):
            self.assertIsNone(backup_chain.refusal_to_restore(links))

    def test_the_same_account_may_have_another_address_now(self) -> None:
        moved = dataclasses.replace(
            FULL, location='https://new/v1/AUTH_x/backups/b-1.xbstream')
        self.assertIsNone(backup_chain.refusal_to_restore([moved, NEXT]))

    def test_a_missing_link_is_named(self) -> None:
        for links, reason in (
                ([], 'no backup'),
                ([NEXT], 'its full backup is missing'),
                ([FULL, LAST], 'a link of the chain is missing'),
                ([FULL, dataclasses.replace(NEXT, from_lsn=1)], 'begins at'),
                ([FULL, dataclasses.replace(NEXT, lineage='l-2')],
                 'do not belong together')):
            self.assertIn(reason,
                          backup_chain.refusal_to_restore(links) or '')


class ServerTest(testtools.TestCase):

    def test_another_minor_version_reads_the_files(self) -> None:
        for made_by, runs in (('10.11.19-MariaDB', '10.11'),
                              ('8.0.36-28.1', '8.0.45')):
            self.assertIsNone(
                backup_chain.refusal_of_server(made_by, runs))

    def test_another_series_is_refused_with_what_to_do(self) -> None:
        refusal = backup_chain.refusal_of_server('10.11.19-MariaDB', '11.4')
        self.assertIn('cluster of version 10.11', refusal or '')
        self.assertIsNotNone(backup_chain.refusal_of_server('8.4.1', '8.0'))


class VolumeTest(testtools.TestCase):
    """What a restore needs on a volume."""

    GIB = 1 << 30

    def links(self, *sizes: int) -> list[backups.Result]:
        return [dataclasses.replace(FULL, data_bytes=size) for size in sizes]

    def test_largest_incremental_backup_is_unpacked_beside_the_data(
            self) -> None:
        alone, chain = (
            backup_chain.needed_bytes(self.links(*sizes), 10)
            for sizes in ((self.GIB,), (self.GIB, 5, self.GIB, 7)))
        self.assertEqual(self.GIB, chain - alone)

    def test_data_and_the_files_of_the_server_have_room(self) -> None:
        for volume_gb in (1, 2, 10, 100, 5000):
            sizes = settings.sizes(65536, volume_gb)
            self.assertGreater(
                backup_chain.needed_bytes(self.links(self.GIB), volume_gb),
                self.GIB + (sizes.redo_log_mb + sizes.gcache_mb << 20))

    def test_smallest_volume(self) -> None:
        for size, volume_gb in ((30 << 20, 1), (800 << 20, 2),
                                (2 * self.GIB, 3), (100 * self.GIB, 112)):
            self.assertEqual(
                volume_gb,
                backup_chain.least_volume_gb(self.links(size)), size)

    def test_no_backup_needs_no_space(self) -> None:
        self.assertEqual(0, backup_chain.needed_bytes([], 1))
