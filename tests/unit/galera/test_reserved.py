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

from trove_pxc.galera import reserved
from trove_pxc.galera import settings


class ReservedTest(testtools.TestCase):

    def test_databases_of_the_server(self):
        for name in ('mysql', 'sys', 'performance_schema',
                     'information_schema', 'lost+found', 'trove_pxc_probe',
                     '#mysql50#lost+found', '#mysql50#.rocksdb'):
            for written in (name, name.upper(), name.title(), name + '  '):
                self.assertTrue(reserved.is_reserved_database(written),
                                written)

    def test_databases_of_users(self):
        for name in ('app', 'mysql2', 'my_sql', 'system', 'lost', 'a', '%',
                     'sys\tx', ' mysql', 'datenbank-ä'):
            self.assertFalse(reserved.is_reserved_database(name), name)

    def test_accounts_of_the_server_and_of_trove(self):
        for name in ('root', settings.ADMIN_USER, settings.SST_USER,
                     'mysql', 'mysql.sys', 'mysql.session',
                     'mysql.infoschema', 'mysql.pxc.internal.session',
                     'mysql.pxc.sst.user', 'mariadb.sys', 'PUBLIC',
                     'percona.telemetry', ''):
            for written in (name, name.upper(), name.title(), name + ' '):
                self.assertTrue(reserved.is_reserved_user(written), written)

    def test_accounts_of_users(self):
        for name in ('app', 'rooted', 'mysqluser', 'büser', "o'neill",
                     'os_admin2', ' root'):
            self.assertFalse(reserved.is_reserved_user(name), name)
