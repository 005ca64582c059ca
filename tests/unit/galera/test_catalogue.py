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

import string

import testtools

from trove_pxc.galera import catalogue

ALL = {(one.manager, *one.version): one for one in catalogue.DIALECTS}

# The differences, a row for each series:
# (applier threads, default SST, formation SST, SST needs an account, strict
# mode, traffic encryption, ALTER USER, redo log, provider's folder)
ROWS = {
    ('pxc', 5, 6): (
        'wsrep_slave_threads', 'xtrabackup-v2', 'rsync', True, None, None,
        False, 'innodb_log_file_size', 'galera3'),
    ('pxc', 5, 7): (
        'wsrep_slave_threads', 'xtrabackup-v2', 'rsync', True,
        'pxc_strict_mode', 'pxc_encrypt_cluster_traffic', True,
        'innodb_log_file_size', 'galera3'),
    ('pxc', 8, 0): (
        'wsrep_applier_threads', 'xtrabackup-v2', 'xtrabackup-v2', False,
        'pxc_strict_mode', 'pxc_encrypt_cluster_traffic', True,
        'innodb_log_file_size', 'galera4'),
    ('pxc', 8, 4): (
        'wsrep_applier_threads', 'xtrabackup-v2', 'xtrabackup-v2', False,
        'pxc_strict_mode', 'pxc_encrypt_cluster_traffic', True,
        'innodb_redo_log_capacity', 'galera4'),
    **{('mariadb', *version): (
        'wsrep_slave_threads', 'mariabackup', 'rsync', True, None, None,
        True, 'innodb_log_file_size', 'galera')
       for version in ((10, 6), (10, 11), (11, 4), (11, 8))},
}

GRANTS = {
    ('pxc', 5, 6): {'RELOAD', 'LOCK TABLES', 'REPLICATION CLIENT'},
    ('pxc', 5, 7): {'RELOAD', 'LOCK TABLES', 'REPLICATION CLIENT',
                    'PROCESS'},
    ('pxc', 8, 0): set(),
    ('pxc', 8, 4): set(),
    ('mariadb', 10, 11): {'RELOAD', 'PROCESS', 'LOCK TABLES',
                          'BINLOG MONITOR'},
}

FIELDS = {'server', 'basedir', 'data_dir', 'defaults_file', 'sql_file'}


def fields(text):
    return {name for _, name, _, _ in string.Formatter().parse(text)
            if name}


class CatalogueTest(testtools.TestCase):

    def test_it_has_the_series_that_it_is_to_have(self):
        self.assertEqual(set(ROWS), set(ALL))

    def test_rows(self):
        for key, row in ROWS.items():
            one = ALL[key]
            self.assertEqual(row, (
                one.applier_threads_variable, one.default_sst_method,
                one.formation_sst_method, bool(one.sst_auth_methods),
                one.strict_mode_variable, one.traffic_encryption_variable,
                one.knows_alter_user, one.redo_log[0],
                one.provider_paths[0].split('/')[-2]), one.name)

    def test_grants(self):
        for key, grants in GRANTS.items():
            self.assertEqual(grants, set(ALL[key].sst_user_grants), key)

    def test_an_account_is_granted_what_it_needs_or_is_not_there(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(bool(one.sst_auth_methods),
                             bool(one.sst_user_grants))
            self.assertIn(one.sst_auth_section, ('mysqld', 'xtrabackup'))

    def test_sst_methods_are_of_their_own(self):
        for one in catalogue.DIALECTS:
            self.assertIn(one.default_sst_method, one.sst_methods)
            self.assertIn(one.formation_sst_method, one.sst_methods)
            self.assertLessEqual(set(one.sst_auth_methods),
                                 set(one.sst_methods))

    def test_formation_needs_no_account_where_a_copy_of_files_exists(self):
        for one in catalogue.DIALECTS:
            if 'rsync' in one.sst_methods:
                self.assertEqual('rsync', one.formation_sst_method)
                self.assertNotIn('rsync', one.sst_auth_methods)

    def test_every_method_has_its_programs(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(
                (*one.sst_methods, *one.sst_methods_with_tls),
                tuple(dict(one.sst_programs)), one.name)

    def test_what_the_default_method_needs_beside_its_script(self):
        backup = 'mariadb-backup|mariabackup'
        xtrabackup = 'innobackupex|xtrabackup'
        eight = {'socat', 'which', 'ps', 'mysql', 'mysqladmin'}
        tls = {'openssl', 'diff'}
        for key, plain, encrypted in (
                (('pxc', 5, 6), {xtrabackup, 'socat', 'which'}, set()),
                (('pxc', 5, 7), {xtrabackup, 'socat', 'which'}, tls),
                (('pxc', 8, 0), eight, tls),
                (('pxc', 8, 4), eight, tls),
                (('mariadb', 10, 6), {backup, 'socat'}, set()),
                (('mariadb', 11, 8), {backup, 'socat'}, set())):
            one = ALL[key]
            programs = {method: set(needs) for method, needs
                        in one.sst_programs}
            script = {f'wsrep_sst_{one.default_sst_method}'}
            self.assertEqual(plain | script,
                             programs[one.default_sst_method], key)
            self.assertEqual(
                plain | encrypted | script,
                programs[f'{one.default_sst_method}+tls'], key)

    def test_what_eight_four_has_removed(self):
        """wsrep_slave_threads is deprecated there since 8.0.26-16."""
        self.assertEqual(
            {'default_authentication_plugin', 'skip_ssl',
             'innodb_parallel_dblwr_encrypt'},
            ALL['pxc', 8, 4].removed_options
            - ALL['pxc', 8, 0].removed_options)

    def test_the_best_method_can_be_encrypted(self):
        for one in catalogue.DIALECTS:
            self.assertTrue(one.can_encrypt(one.default_sst_method))
            for method in one.sst_methods_with_tls:
                self.assertIn(method.removesuffix('+tls'), one.sst_methods)

    def test_rsync_is_encrypted_by_mariadb_alone(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(one.is_mariadb, one.can_encrypt('rsync'))

    def test_encryption_is_the_servers_or_the_scripts(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(one.traffic_encryption_variable is None,
                             bool(one.sst_encryption), one.name)

    def test_initialise_commands(self):
        for one in catalogue.DIALECTS:
            used = set().union(*map(fields, one.initialise_command))
            self.assertLessEqual(used, FIELDS, one.name)
            self.assertLessEqual({'data_dir', 'defaults_file'}, used)
            self.assertTrue(one.initialise_command[1].startswith(
                '--defaults-file='), one.name)

    def test_who_takes_the_first_statements_while_initialising(self):
        without = {key for key, one in ALL.items() if '{sql_file}' not in
                   ''.join(one.initialise_command)}
        self.assertEqual({('pxc', 5, 6), ('mariadb', 10, 6)}, without)

    def test_bootstrap_mode_needs_the_grant_tables_flushed_first(self):
        for one in catalogue.DIALECTS:
            if one.initial_cleaning:
                self.assertEqual('FLUSH PRIVILEGES',
                                 one.initial_cleaning[0])
                self.assertEqual('FLUSH PRIVILEGES',
                                 one.initial_cleaning[-1])

    def test_no_series_sets_what_it_has_removed(self):
        for one in catalogue.DIALECTS:
            wanted = {name for name, _ in one.settings}
            wanted |= {one.applier_threads_variable, one.redo_log[0]}
            self.assertEqual(set(), wanted & one.removed_options, one.name)

    def test_what_was_prepared_is_never_committed(self):
        for one in catalogue.DIALECTS:
            self.assertEqual('ROLLBACK', one.prepared, one.name)

    def test_who_must_be_told_to_log_the_position(self):
        for key, one in ALL.items():
            self.assertEqual(
                ('--log-error-verbosity=3',) if key in (
                    ('pxc', 5, 7), ('pxc', 8, 0), ('pxc', 8, 4)) else (),
                one.recover_options, one.name)

    def test_too_old_ones_have_a_reason(self):
        for one in catalogue.DIALECTS:
            self.assertEqual(one.minimum_safe_version is None,
                             not one.minimum_reason, one.name)
            if one.minimum_safe_version is not None:
                self.assertEqual(one.version,
                                 one.minimum_safe_version[:2])
