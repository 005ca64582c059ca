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

"""A restore that cannot succeed is refused by trove-api, with the reason."""

from typing import Any

import requests
from swiftclient import exceptions as swift_exceptions

from tests.functional import base
from tests.functional import restore_case

GIB = 1 << 30


class RefusalTest(restore_case.RestoreTestCase):
    """No taskmanager runs: trove-api refuses alone."""

    def refuse(self, code: int, *words: str, backup: Any,
               **request: Any) -> None:
        response = self.restore(backup, **request)
        self.assertEqual(code, response.status_int, response.text)
        (error,) = response.json.values()
        for word in words:
            self.assertIn(word, error['message'])
        self.assert_nothing_left()

    def test_what_is_not_the_id_of_a_backup(self) -> None:
        for wrong in ('nightly', 7, ['x'], {}, '', False):
            self.refuse(400, 'must be the ID of a backup', backup=wrong)

    def test_backup_that_does_not_exist(self) -> None:
        self.refuse(404, 'cannot be found', backup=self.unknown_id())
        gone = self.add_backup()
        gone.update(deleted=True)
        self.refuse(404, gone.id, backup=gone)

    def test_backup_of_another_project(self) -> None:
        """Not even that it exists is told."""
        self.refuse(404, 'cannot be found',
                    backup=self.add_backup(tenant_id='other'))

    def test_backup_that_is_not_complete(self) -> None:
        for state in ('NEW', 'BUILDING', 'FAILED', 'DELETE_FAILED'):
            self.refuse(400, f'is {state}', 'database backup list',
                        backup=self.add_backup(state=state))

    def test_backup_of_a_single_instance(self) -> None:
        single = self.add_instance(cluster_id=None)
        self.refuse(400, 'single instance', '--backup', 'dump',
                    backup=self.add_backup(instance_id=single.id))

    def test_chain_with_a_link_that_is_gone(self) -> None:
        full = self.add_backup()
        last = self.add_backup(self.add_backup(full))
        full.update(deleted=True)
        self.refuse(400, full.id, 'was deleted', 'earlier backup',
                    backup=last)
        full.update(deleted=False, state='FAILED')
        self.refuse(400, full.id, 'FAILED', 'earlier backup', backup=last)

    def test_links_that_do_not_belong_together(self) -> None:
        last = self.add_backup(self.add_backup(), stored={'from_lsn': 7})
        self.refuse(400, 'do not belong together', backup=last)

    def test_object_that_is_missing(self) -> None:
        last = self.add_backup(self.add_backup(stored=False))
        self.refuse(400, 'is missing in the object store',
                    'earlier backup', backup=last)

    def test_object_that_is_no_backup_of_this_package(self) -> None:
        row = self.add_backup(stored=False)
        self.swift.put(row.location, {'x-object-meta-other': '1'})
        self.refuse(400, 'not a backup of a cluster by this package',
                    backup=row)

    def test_other_datastore(self) -> None:
        self.add_datastore('pxc', '8.0')
        self.refuse(400, 'by the datastore mariadb', 'names pxc',
                    backup=self.add_backup(),
                    datastore={'type': 'pxc', 'version': '8.0'})

    def test_other_series(self) -> None:
        self.add_datastore('mariadb', '11.4')
        self.refuse(400, '10.11.9-MariaDB', 'version 11.4',
                    'cluster of version 10.11', backup=self.add_backup(),
                    datastore={'type': 'mariadb', 'version': '11.4'})

    def test_volumes_that_are_too_small(self) -> None:
        large = self.add_backup(stored={'data_bytes': 3 * GIB})
        self.refuse(400, 'request has 1 GB', 'at least 5 GB', backup=large)

    def test_store_that_does_not_answer(self) -> None:
        row = self.add_backup()
        self.swift.failure = requests.ConnectionError('no route')
        self.refuse(500, 'Swift', backup=row)
        self.swift.failure = swift_exceptions.ClientException(
            'forbidden', http_status=403)
        self.refuse(401, 'Swift account not accessible', backup=row)

    def test_other_extended_properties_are_refused(self) -> None:
        response = self.create(extended_properties={'backups': 'x'})
        self.assertEqual(400, response.status_int)
        self.assertIn('extended_properties.backups', response.text)


class AcceptedTest(restore_case.RestoreTestCase):

    def test_other_minor_version(self) -> None:
        self.restored(self.add_backup(
            stored={'server_version': '10.11.4-MariaDB-log'}))

    def test_cluster_that_still_exists(self) -> None:
        self.source.update(deleted=False)
        self.member.update(deleted=False)
        self.restored(self.add_backup())


class SingleInstanceTest(restore_case.RestoreTestCase):

    def create_single(self, backup_id: str, project: str = base.PROJECT
                      ) -> Any:
        return self.request('POST', '/instances', {'instance': {
            'name': 'single', 'flavorRef': '1', 'volume': {'size': 1},
            'datastore': {'type': 'mariadb', 'version': '10.11'},
            'restorePoint': {'backupRef': backup_id}}}, project)

    def test_from_a_backup_of_a_member_is_refused(self) -> None:
        row = self.add_backup()
        answer = self.create_single(row.id)
        self.assertEqual(400, answer.status_int, answer.text)
        for words in ('of a member of a cluster',
                      f'database cluster restore {row.id}', 'dump'):
            self.assertIn(words, answer.json['badRequest']['message'])

    def test_other_backups_are_left_to_trove(self) -> None:
        single = self.add_instance(cluster_id=None)
        for row, project in (
                (self.add_backup(instance_id=single.id,
                                 state='FAILED'), base.PROJECT),
                (self.add_backup(), 'other')):
            answer = self.create_single(row.id, project)
            self.assertNotIn('of a member of a cluster', answer.text)
            self.assertNotEqual(200, answer.status_int)
        answer = self.create_single(self.unknown_id())
        self.assertEqual(404, answer.status_int, answer.text)
