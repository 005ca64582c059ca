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

"""Names, manifests and metadata of the objects of a backup."""

import dataclasses
import json

import testtools

from tests.unit.galera import test_backups
from trove_pxc.galera import backup_layout as layout
from trove_pxc.galera import errors

RESULT = test_backups.RESULT


class NamesTest(testtools.TestCase):

    def test_segments_sort_as_they_were_made(self) -> None:
        names = [layout.segment_name('b-1', number)
                 for number in (0, 1, 9, 10, 99999)]
        self.assertEqual(sorted(names), names)

    def test_one_prefix_has_all_but_the_manifest(self) -> None:
        prefix = layout.segment_prefix('b-1')
        self.assertTrue(layout.segment_name('b-1', 5).startswith(prefix))
        self.assertTrue(layout.part_name('b-1', 5).startswith(prefix))
        self.assertFalse(layout.manifest_name('b-1').startswith(prefix))

    def test_the_location_is_taken_apart(self) -> None:
        url = layout.location('http://swift/v1/AUTH_x/', 'backups', 'b.xb')
        self.assertEqual('http://swift/v1/AUTH_x/backups/b.xb', url)
        self.assertEqual(('backups', 'b.xb'), layout.split_location(url))

    def test_a_location_without_an_object_is_refused(self) -> None:
        for url in ('http://swift', 'http://swift/v1/', ''):
            self.assertRaises(errors.Unusable, layout.split_location, url)


class ManifestTest(testtools.TestCase):

    def test_swift_gets_path_checksum_and_size(self) -> None:
        body = layout.manifest([layout.Segment('/c/n', 'abc', 5)])
        self.assertEqual([{'path': '/c/n', 'etag': 'abc', 'size_bytes': 5}],
                         json.loads(body))

    def test_swift_shows_it_with_other_names(self) -> None:
        shown = [{'name': '/c/b/0', 'hash': 'abc', 'bytes': 5},
                 {'name': '/c/b/p', 'hash': 'abd', 'bytes': 6,
                  'sub_slo': True}]
        first, second = layout.listed(json.dumps(shown).encode())
        self.assertEqual(('b/0', 'abc', 5, False), (
            first.name, first.etag, first.size, first.is_manifest))
        self.assertTrue(second.is_manifest)

    def test_something_else_is_refused(self) -> None:
        for body in (b'', b'[{}]', b'[1]', b'\xff', b'{"a": 1}'):
            self.assertRaises(errors.Unusable, list, layout.listed(body))

    def test_many_segments_need_several_manifests(self) -> None:
        segments = [layout.Segment(f'/c/{number}', '', 1)
                    for number in range(7)]
        self.assertEqual([3, 3, 1],
                         [len(one) for one in layout.groups(segments, 3)])
        self.assertEqual([7], [len(one) for one in layout.groups(segments)])


class MetadataTest(testtools.TestCase):

    def test_the_result_is_read_as_it_was_stored(self) -> None:
        headers = layout.metadata(RESULT, {'cluster-name': 'products'},
                                  'zstd')
        self.assertEqual(RESULT, layout.result_of(headers))
        self.assertEqual('products',
                         headers['x-object-meta-backup-cluster-name'])

    def test_a_long_gtid_is_stored_whole_or_not_at_all(self) -> None:
        # As PXC writes it: a range of each server that ever wrote.
        one = '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77,'
        for number, stored in ((20, True), (200, False)):
            result = dataclasses.replace(RESULT, gtid=one * number)
            headers = layout.metadata(result, {}, 'zstd')
            self.assertLessEqual(max(map(len, headers.values())), 256)
            self.assertLessEqual(sum(map(len, headers.values())), 4096)
            self.assertEqual(one * number if stored else '',
                             layout.result_of(headers).gtid)

    def test_swift_changes_the_case_of_headers(self) -> None:
        headers = layout.metadata(RESULT, {}, 'zstd')
        self.assertEqual(RESULT, layout.result_of(
            {name.title(): value for name, value in headers.items()}))

    def test_no_text_adds_a_header(self) -> None:
        headers = layout.metadata(
            RESULT, {'cluster-name': 'a\r\nx-evil: 1 é'}, 'zstd')
        for value in headers.values():
            self.assertTrue(value.isascii() and value.isprintable())

    def test_what_is_not_a_backup_of_ours_is_refused(self) -> None:
        good = layout.metadata(RESULT, {}, 'zstd')
        for headers, reason in (
                ({}, 'not a backup of a cluster'),
                ({**good, 'x-object-meta-backup-format': '9'}, 'format 9'),
                ({**good, 'x-object-meta-backup-to-lsn': ''}, 'damaged')):
            failure = self.assertRaises(errors.Unusable, layout.result_of,
                                        headers)
            self.assertIn(reason, str(failure))

    def test_a_plain_backup_is_not_taken_for_an_encrypted_one(self) -> None:
        plain = dataclasses.replace(RESULT, encrypted=False)
        self.assertFalse(layout.result_of(
            layout.metadata(plain, {}, 'zstd')).encrypted)
