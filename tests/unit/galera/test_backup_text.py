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

"""Descriptions of backups."""

import dataclasses

import testtools

from trove_pxc.galera import backup_text
from trove_pxc.galera import backups

RUNS = backups.Progress('b', backups.State.RUNNING, backups.Step.CHECK)
RESULT = backups.Result(
    id='b', location='l', stored_bytes=3 << 20, data_bytes=5 << 30,
    checksum='c', encrypted=True, tool='t', server_version='10.11.9',
    cluster_uuid='u', seqno=7, gtid='', binlog='', from_lsn=0, to_lsn=1,
    lineage='l', parent='', started='s', ended='e')


class TextTest(testtools.TestCase):

    def test_text_of_the_user_stays(self) -> None:
        for own in ('', 'mine', 'two [words] here', 'a\nb'):
            text = backup_text.progress(own, RUNS)
            self.assertEqual('progress: check the member',
                             backup_text.told(text))
            text = backup_text.failed(text, 'no [space]\nleft')
            self.assertEqual('failed: no [space] left',
                             backup_text.told(text))
            self.assertEqual(own, backup_text.own(text))

    def test_nothing_told(self) -> None:
        for text in (None, '', 'mine', '[mine]', 'failed: x]'):
            self.assertEqual('', backup_text.told(text))
            self.assertEqual(text or '', backup_text.own(text))

    def test_what_a_complete_one_contains(self) -> None:
        self.assertEqual(
            'mine [complete: cluster c, member c-1, 10.11.9, 5.0 GiB of '
            'data, 3.0 MiB stored, position u:7, encrypted]',
            backup_text.complete('mine', 'c', 'c-1', RESULT))
        self.assertIn('GTID 0-1-7]', backup_text.complete(
            None, 'c', 'c-1', dataclasses.replace(
                RESULT, gtid='0-1-7', encrypted=False)))

    def test_it_fits_into_the_column(self) -> None:
        text = backup_text.failed('x' * 512, 'short')
        self.assertEqual(512, len(text))
        self.assertEqual('failed: short', backup_text.told(text))
        text = backup_text.failed('mine', 'x' * 1000)
        self.assertEqual(512, len(text))
        self.assertTrue(text.endswith('x...]'))
        self.assertEqual('', backup_text.own(text))
