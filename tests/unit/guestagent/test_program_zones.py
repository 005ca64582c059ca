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

"""The start program loads the time zones of the database image."""

import shutil

from trove_pxc.galera import serverlog

from tests.unit.guestagent import starting

#: the output of the servers' programs: a statement has several lines
TZINFO = '''#!/bin/sh
[ -d "$1" ] || exit 1
ls "$1" > "$FAKE/zones"
cat "$1/Europe/Berlin" > "$FAKE/zone"
echo 'TRUNCATE TABLE time_zone;'
for number in $(seq 200); do
    echo "INSERT INTO time_zone_name (Name, Time_zone_id) VALUES"
    echo " ('Zone/$number', $number)"
    echo ";"
done
echo "INSERT INTO t VALUES"
echo " ('Local time zone must be set--see zic manual page')"
echo ";"
echo "Warning: Unable to load '$1/leapseconds' as time zone." >&2
'''
#: a server that refuses the zones, for example with other tables
PICKY = '''#!/bin/sh
echo "$*" >> "$FAKE/tries"
for word; do case $word in
--extra-file=*) sql=${word#*=} ;;
--datadir=*) data=${word#*=} ;;
esac; done
mkdir "$data/mysql"
if grep -q time_zone "$sql"; then
    echo "[ERROR] 1146  Table 'mysql.time_zone' doesn't exist near 'pw-1'"
    echo "[ERROR] CREATE USER u IDENTIFIED BY 'pw-2'"
    exit 1
fi
cat "$sql" > "$FAKE/accounts"
'''


class ZonesTest(starting.StartTestCase):

    def setUp(self) -> None:
        super().setUp()
        for name in ('Europe', 'posix', 'right'):
            self.folder(f'zoneinfo/{name}')
        (self.root / 'zoneinfo/Europe/Berlin').write_text('TZif')
        (self.root / 'zoneinfo/UTC').touch()
        self.command(TZINFO, 'mariadb-tzinfo-to-sql')
        self.order('bootstrap')

    def lines(self) -> list[str]:
        """The statements with which the database was initialised."""
        return (self.fake / 'accounts').read_text().splitlines()

    def test_accounts_come_first_and_zones_in_one_transaction(self) -> None:
        self.started()
        found = self.lines()
        self.assertEqual(
            ['CREATE USER u;', 'USE mysql;', 'SET autocommit = 0;',
             'TRUNCATE TABLE time_zone;'], found[:4])
        self.assertEqual(['COMMIT;', 'SET autocommit = 1;'], found[-2:])

    def test_a_statement_is_a_line(self) -> None:
        self.started()
        zones = self.lines()[4:-2]
        self.assertEqual(201, len(zones))
        for zone in zones:
            self.assertRegex(zone, r'^INSERT INTO .*;$')

    def test_each_zone_is_loaded_once(self) -> None:
        self.started()
        self.assertEqual(['Europe', 'UTC'],
                         (self.fake / 'zones').read_text().split())
        self.assertEqual('TZif', (self.fake / 'zone').read_text())

    def test_an_abbreviation_that_is_too_long_for_its_column(self) -> None:
        self.started()
        self.assertIn("INSERT INTO t VALUES  ('FCTY') ;", self.lines())

    def test_no_password_is_left_for_the_server(self) -> None:
        self.started()
        self.assertEqual('', (self.fake / 'orders-left').read_text())

    def test_nobody_else_reads_the_passwords(self) -> None:
        self.command('#!/bin/sh\nls -l "$ORDERS" > "$FAKE/modes"\n'
                     + starting.INSTALL, 'mariadb-install-db')
        self.started()
        self.assertRegex((self.fake / 'modes').read_text(),
                         r'-rw------- .* initialise-all\.sql\n')

    def test_an_older_name_of_the_program(self) -> None:
        (self.programs / 'mariadb-tzinfo-to-sql').rename(
            self.programs / 'mysql_tzinfo_to_sql')
        self.started()
        self.assertIn('USE mysql;', self.lines())

    def test_an_image_without_zones(self) -> None:
        shutil.rmtree(self.root / 'zoneinfo')
        done = self.start()
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(['CREATE USER u;'], self.lines())
        self.assertIn('the image has no time zones in', done.stderr)

    def test_a_server_that_does_not_take_them(self) -> None:
        self.command(PICKY, 'mariadb-install-db')
        done = self.start()
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(['CREATE USER u;'], self.lines())
        self.assertEqual(
            2, len((self.fake / 'tries').read_text().splitlines()))
        self.assertIn("trying without: 1146  Table 'mysql.time_zone' doesn't",
                      done.stderr)
        for password in ('pw-1', 'pw-2'):
            self.assertNotIn(password, done.stderr)
        self.assertNotIn('[ERROR]', done.stderr)

    def test_a_server_that_takes_nothing(self) -> None:
        """The reason is that of the attempt without time zones."""
        (self.fake / 'broken').touch()
        words = self.refused()
        self.assertIn('ERROR: 1064', serverlog.telling_line(words))
        self.assertNotIn('secret-1', words)
        self.assertEqual([], list(self.pending.glob('*.sql')))
