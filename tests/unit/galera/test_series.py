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

"""The rules of a Dialect, for any series."""

import dataclasses

import testtools

from trove_pxc.galera import errors
from trove_pxc.galera import series

#: A series that does not exist, so that no fact is from the catalogue.
SERIES = series.Dialect(
    name='Server 9.1', manager='mariadb', version=(9, 1),
    server_commands=('serverd',), initialise_command=('install',),
    initial_cleaning=(), needs_basedir=False, provider_paths=(),
    applier_threads_variable='threads', redo_log=('redo', 1),
    splits_buffer_pool=False, sst_methods=('copy', 'backup', 'dump'),
    default_sst_method='backup', formation_sst_method='copy',
    sst_programs=(('copy', ('cp',)), ('copy+tls', ('cp', 'tunnel')),
                  ('backup', ('bk',)), ('dump', ('dp',))),
    sst_folders=(), sst_auth_methods=('backup',), sst_auth_section='mysqld',
    sst_user_grants=(), strict_mode_variable=None,
    traffic_encryption_variable=None, sst_options=(), sst_encryption=(),
    knows_alter_user=True, collation='utf8mb4_general_ci',
    time_zone_commands=('zones',), grant_makes_accounts=True, longest_user=32,
    longest_host=60, prepared='', recover_options=(), settings=(),
    removed_options=frozenset(),
    minimum_safe_version=(9, 1, 5), minimum_reason='it loses writes')


class FactsTest(testtools.TestCase):

    def test_the_kind_is_that_of_its_manager(self) -> None:
        self.assertTrue(SERIES.is_mariadb)
        self.assertFalse(dataclasses.replace(
            SERIES, manager='pxc').is_mariadb)

    def test_methods_with_encryption(self) -> None:
        self.assertEqual(('copy+tls',), SERIES.sst_methods_with_tls)
        self.assertTrue(SERIES.can_encrypt('copy'))
        self.assertFalse(SERIES.can_encrypt('backup'))

    def test_an_image_without_the_programs_cannot_encrypt(self) -> None:
        self.assertFalse(SERIES.can_encrypt('copy', {'copy', 'backup'}))
        self.assertFalse(SERIES.can_encrypt('copy', ()))
        self.assertTrue(SERIES.can_encrypt('copy', {'copy', 'copy+tls'}))


class SstMethodTest(testtools.TestCase):

    def test_the_default_unless_another_is_wanted(self) -> None:
        for wanted in (None, ''):
            self.assertEqual('backup', SERIES.sst_method(wanted))
        self.assertEqual('dump', SERIES.sst_method('dump'))

    def test_the_best_that_the_image_has(self) -> None:
        self.assertEqual('copy', SERIES.sst_method(None, {'dump', 'copy'}))
        self.assertEqual('dump', SERIES.sst_method(None, {'dump'}))
        self.assertEqual('backup', SERIES.sst_method(
            None, {'dump', 'copy', 'backup'}))

    def test_encryption_comes_before_the_default(self) -> None:
        self.assertEqual('copy', SERIES.sst_method(None, encrypted=True))
        self.assertEqual('copy', SERIES.sst_method(
            None, {'backup', 'copy', 'copy+tls'}, encrypted=True))

    def test_the_default_is_first_of_those_that_encrypt_alike(self) -> None:
        self.assertEqual('backup', SERIES.sst_method(
            None, {'backup', 'copy', 'dump'}, encrypted=True))

    def test_what_is_wanted_comes_before_encryption(self) -> None:
        self.assertEqual('dump', SERIES.sst_method('dump', encrypted=True))

    def test_what_is_wanted_comes_before_the_best_of_the_image(self) -> None:
        self.assertEqual('dump', SERIES.sst_method(
            'dump', {'dump', 'copy', 'backup'}))

    def refusal(self, *arguments: object) -> str:
        return str(self.assertRaises(
            errors.UnsupportedVersion, SERIES.sst_method, *arguments))

    def test_one_that_the_series_lacks(self) -> None:
        self.assertEqual(
            "Server 9.1 has no SST method 'rsync'. Set sst_method to one of "
            'copy, backup, dump, or omit it.', self.refusal('rsync'))
        self.assertIn('has no SST method', self.refusal('rsync', {'copy'}))

    def test_one_that_the_image_lacks(self) -> None:
        self.assertEqual(
            "The database image lacks the programs that the SST method "
            "'copy' needs; it has them for backup, dump. Provide an image "
            'with them, or change sst_method.',
            self.refusal('copy', {'dump', 'backup'}))
        self.assertIn('it has them for none', self.refusal('copy', ()))

    def test_those_of_the_image_are_named_in_order(self) -> None:
        methods = [f'method-{number}' for number in range(10)]
        error = self.assertRaises(
            errors.UnsupportedVersion, dataclasses.replace(
                SERIES, sst_methods=('copy', *methods)).sst_method,
            'copy', methods)
        self.assertIn(f'for {", ".join(methods)}. Provide an', str(error))

    def test_an_image_without_any(self) -> None:
        self.assertIn('Server 9.1 has no SST method None',
                      self.refusal(None, ()))


class RefusalTest(testtools.TestCase):

    def test_the_server_of_the_series(self) -> None:
        for said in ('serverd  Ver 9.1.5-log', '9.1.6', '9.1'):
            self.assertIsNone(SERIES.refusal(said))

    def test_no_version(self) -> None:
        self.assertEqual(
            "The server reports 'no server', which has no version number; "
            'Server 9.1 was expected. Check the database image of this '
            'datastore version.', SERIES.refusal(' no server\n'))

    def test_another_series(self) -> None:
        for said, number in (('9.2.5', '9.2.5'), ('8.1', '8.1')):
            self.assertEqual(
                f'The database image holds version {number}, but the '
                'datastore version needs Server 9.1. Register the image '
                'under its own version, or correct docker_image.',
                SERIES.refusal(said))

    def test_too_old(self) -> None:
        self.assertEqual(
            'Server 9.1 older than 9.1.5 is refused, and this is 9.1.4: it '
            'loses writes. Use a newer database image.',
            SERIES.refusal('Ver 9.1.4'))

    def test_no_minimum(self) -> None:
        self.assertIsNone(dataclasses.replace(
            SERIES, minimum_safe_version=None).too_old((9, 1, 0)))


class ParseVersionTest(testtools.TestCase):

    def test_texts(self) -> None:
        for text, version in (
                ('10.11.19-MariaDB', (10, 11, 19)), ('8.0', (8, 0)),
                ('/opt/9.9.9/bin/d  Ver 5.6.21-70.1', (5, 6, 21)),
                ('a warning of 1.2.3\nd  Ver 5.6.21', (5, 6, 21)),
                ('Ver 1.2.3 Ver 4.5.6', (4, 5, 6)),
                ('Server 5.6.21', (5, 6, 21)),
                ('80', None), ('', None), ('latest', None)):
            self.assertEqual(version, series.parse_version(text), text)

    def test_it_is_written_as_it_was_read(self) -> None:
        self.assertEqual('10.11.19', series.dotted((10, 11, 19)))
