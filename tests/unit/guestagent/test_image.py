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

"""The checks of a database image."""

import dataclasses

import testtools

from trove_pxc import exceptions
from trove_pxc.galera import dialect
from trove_pxc.galera import errors
from trove_pxc.guestagent import image

from tests.unit.guestagent import fakes

PXC = dialect.for_version('pxc', '5.6')
SERVER = '/usr/local/mysql/bin/mysqld  Ver 5.6.21-70.1-log for Linux\n'
BACKUP = 'SST method xtrabackup-v2: lacks\n'
NO_BACKUP = ('SST method xtrabackup-v2: lacks innobackupex|xtrabackup '
             'socat which\n')
RSYNC = 'SST method rsync: lacks\n'
NO_RSYNC = 'SST method rsync: lacks lsof\n'


class UsableTest(testtools.TestCase):

    def usable(self, said: str) -> tuple[str, ...]:
        return image.usable_sst_methods(PXC, 'pxc:5.6', said)

    def test_methods(self) -> None:
        for said, usable in ((BACKUP + RSYNC, ('xtrabackup-v2', 'rsync')),
                             (NO_BACKUP + RSYNC, ('rsync',)),
                             (BACKUP + NO_RSYNC, ('xtrabackup-v2',))):
            self.assertEqual(usable, self.usable(SERVER + said))

    def test_an_image_that_can_give_no_data_is_refused(self) -> None:
        failure = self.assertRaises(exceptions.ImageUnusable, self.usable,
                                    SERVER + NO_BACKUP + NO_RSYNC)
        for words in ('pxc:5.6', 'lsof for the SST method rsync', 'which',
                      'Provide an image'):
            self.assertIn(words, str(failure))

    def test_another_server_is_refused(self) -> None:
        failure = self.assertRaises(
            exceptions.ImageUnusable, self.usable, fakes.SAID)
        self.assertIn('holds version 10.11.19', str(failure))
        self.assertIn('Percona XtraDB Cluster 5.6', str(failure))


class WithMethodTest(testtools.TestCase):

    def method(self, wanted: str | None,
               in_image: tuple[str, ...] | None) -> str | None:
        facts = dataclasses.replace(fakes.facts(), sst_method=wanted)
        return image.with_sst_method(PXC, facts, in_image).sst_method

    def test_the_best_stays_unsaid(self) -> None:
        self.assertIsNone(self.method(None, ('xtrabackup-v2', 'rsync')))
        self.assertIsNone(self.method(None, None))

    def test_what_the_image_has_is_taken(self) -> None:
        self.assertEqual('rsync', self.method(None, ('rsync',)))

    def test_what_is_wanted_is_taken(self) -> None:
        self.assertEqual('rsync', self.method(
            'rsync', ('xtrabackup-v2', 'rsync')))

    def test_what_is_wanted_and_not_there_is_refused(self) -> None:
        failure = self.assertRaises(
            errors.UnsupportedVersion, self.method, 'xtrabackup-v2',
            ('rsync',))
        self.assertIn('lacks the programs', str(failure))
        self.assertIn('it has them for rsync', str(failure))

    def test_encrypted_comes_before_the_best(self) -> None:
        mariadb = dialect.for_version('mariadb', '10.11')
        for in_image, method in (
                (('mariabackup', 'rsync', 'rsync+tls'), 'rsync'),
                (('mariabackup', 'rsync', 'mariabackup+tls', 'rsync+tls'),
                 None),
                (('mariabackup', 'rsync'), None)):
            self.assertEqual(method, image.with_sst_method(
                mariadb, fakes.facts(), in_image,
                encrypted=True).sst_method, in_image)

    def test_a_method_in_clear_text_is_better_than_none(self) -> None:
        self.assertEqual('rsync', image.with_sst_method(
            PXC, fakes.facts(), ('rsync',), encrypted=True).sst_method)
