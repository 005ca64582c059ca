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

import testtools

from trove_pxc.galera import dialect
from trove_pxc.galera import errors

# (manager, version of the datastore, name of the dialect)
FOUND = (
    ('mariadb', '10.6', 'MariaDB 10.6'),
    ('mariadb', '10.11', 'MariaDB 10.11'),
    ('mariadb', '10.11.18', 'MariaDB 10.11'),
    ('mariadb', '10.11.19-MariaDB-0+deb12u1', 'MariaDB 10.11'),
    ('mariadb', '11.4', 'MariaDB 11.4'),
    ('mariadb', '11.8', 'MariaDB 11.8'),
    ('mariadb', '11.8.8', 'MariaDB 11.8'),
    ('pxc', '5.6', 'Percona XtraDB Cluster 5.6'),
    ('pxc', '5.6.21-70.1', 'Percona XtraDB Cluster 5.6'),
    ('pxc', '5.7.44', 'Percona XtraDB Cluster 5.7'),
    ('pxc', '8.0', 'Percona XtraDB Cluster 8.0'),
    ('pxc', '8.0.43-34', 'Percona XtraDB Cluster 8.0'),
    ('pxc', '8.4.10', 'Percona XtraDB Cluster 8.4'),
)

# (manager, version, words of the refusal)
REFUSED = (
    ('mariadb', '10.4', ("'10.4'", '10.6, 10.11, 11.4, 11.8')),
    ('mariadb', '10.1', ("'10.1'",)),
    ('mariadb', '10.11.17', ('10.11.18', 'CVE-2026-44168', 'newer')),
    ('mariadb', '10.6.26', ('10.6.27',)),
    ('mariadb', '11.4.11', ('11.4.12',)),
    ('mariadb', '11.8.7', ('11.8.8',)),
    ('mariadb', 'latest', ("'latest'",)),
    ('mariadb', '', ("''",)),
    ('mariadb', '5.6', ("'5.6'",)),
    ('pxc', '10.11', ('5.6, 5.7, 8.0, 8.4',)),
    ('pxc', '5.5', ("'5.5'",)),
    ('pxc', '8.0.25', ('8.0.26', 'wsrep_applier_threads')),
    ('pxc', '80', ("'80'",)),
    ('mysql', '8.0', ("'mysql'", 'pxc or mariadb')),
)

# (dialect, version of the server, words of the refusal or None)
SERVERS = (
    (('mariadb', '10.11'),
     'mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu', None),
    (('mariadb', '10.11'), '10.11.18-MariaDB-log', None),
    (('mariadb', '10.11'), '10.11.11-MariaDB', '10.11.18'),
    (('mariadb', '10.11'), '11.4.12-MariaDB', 'holds version 11.4.12'),
    (('mariadb', '10.11'), 'no such program', 'has no version number'),
    (('pxc', '5.6'), 'mysqld  Ver 5.6.21-70.1-56 for Linux on x86_64', None),
    (('pxc', '5.6'), 'mysqld  Ver 5.7.44', 'holds version 5.7.44'),
    (('pxc', '8.0'), '/usr/sbin/mysqld  Ver 8.0.43-34.1 for Linux', None),
    (('pxc', '8.4'), '8.4.10-10.1', None),
    (('pxc', '5.6'), '/opt/pxc-9.9.9/bin/mysqld  Ver 5.6.21-70.1', None),
    (('pxc', '5.6'), 'mysqld: a warning of 1.2.3\n'
     '/opt/pxc/bin/mysqld  Ver 5.6.21', None),
)


class ForVersionTest(testtools.TestCase):

    def test_found(self):
        for manager, version, name in FOUND:
            self.assertEqual(
                name, dialect.for_version(manager, version).name)

    def test_refused_with_a_sentence(self):
        for manager, version, words in REFUSED:
            error = self.assertRaises(
                errors.UnsupportedVersion, dialect.for_version, manager,
                version)
            for word in words:
                self.assertIn(word, str(error))

    def test_the_refusal_is_a_value_error(self):
        self.assertTrue(issubclass(errors.UnsupportedVersion, ValueError))


class RefusalTest(testtools.TestCase):

    def test_servers(self):
        for wanted, said, words in SERVERS:
            refusal = dialect.for_version(*wanted).refusal(said)
            if words is None:
                self.assertIsNone(refusal, said)
            else:
                self.assertIn(words, refusal)


class SstMethodTest(testtools.TestCase):

    def test_default_and_wanted(self):
        mariadb = dialect.for_version('mariadb', '10.11')
        self.assertEqual('mariabackup', mariadb.sst_method(None))
        self.assertEqual('mariabackup', mariadb.sst_method(''))
        self.assertEqual('rsync', mariadb.sst_method('rsync'))

    def test_one_that_it_lacks_is_refused_by_name(self):
        for wanted, method in ((('mariadb', '10.11'), 'xtrabackup-v2'),
                               (('pxc', '8.0'), 'rsync'),
                               (('pxc', '8.0'), 'skip'),
                               (('pxc', '5.6'), 'mariabackup')):
            error = self.assertRaises(
                errors.UnsupportedVersion,
                dialect.for_version(*wanted).sst_method, method)
            self.assertIn(method, str(error))
            self.assertIn('sst_method', str(error))
