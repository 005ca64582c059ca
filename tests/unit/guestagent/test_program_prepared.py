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

"""The start program and a server that was killed during a commit."""

from trove_pxc.galera import serverlog
from trove_pxc.guestagent import program

from tests.unit.guestagent import starting
from tests.unit.guestagent.starting import UUID

# It fails while a transaction is prepared. With the option to roll back it
# continues like PXC 5.6.21 (measured), or ends like MariaDB 10.0.25 ("Please
# restart mysqld without --tc-heuristic-recover", Can't init tc log).
SERVER = '''#!/bin/sh
log=/dev/stderr
for word; do case $word in --log-error=*) log=${word#*=} ;; esac; done
exec 2>> "$log"
case "$*" in
*--wsrep-recover*)
    echo "$*" >> "$FAKE/recoveries"
    [ ! -e "$FAKE/corrupt" ] || { echo "[ERROR] corrupt" >&2; exit 1; }
    case "$*" in *--tc-heuristic-recover=ROLLBACK*)
        rm -f "$FAKE/prepared"
        [ ! -e "$FAKE/ends" ] || {
            echo "[Note] Please restart mysqld without" \\
                "--tc-heuristic-recover" >&2
            echo "[ERROR] Can't init tc log" >&2
            echo "[ERROR] Aborting" >&2
            exit 1; } ;;
    esac
    [ ! -e "$FAKE/prepared" ] || {
        echo "2026-11-27 20:14:05 41 [ERROR] Found 1 prepared" \\
            "transactions! It means that $(cat "$FAKE/prepared") was not" \\
            "shut down properly last time and critical recovery" \\
            "information (last binlog or tc.log file) was manually deleted" \\
            "after a crash. You have to start mysqld with" \\
            "--tc-heuristic-recover switch to commit or rollback pending" \\
            "transactions." >&2
        echo "2026-11-27 20:14:05 41 [ERROR] Aborting" >&2
        exit 1; }
    echo "[Note] WSREP: Recovered position: $(cat "$FAKE/position")" >&2
    ;;
*) for word; do echo "$word"; done > "$FAKE/started" ;;
esac
'''


class PreparedTest(starting.StartTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.command(SERVER, 'mariadbd')
        self.database()
        self.config = self.folder('config')
        (self.config / 'my.cnf').write_text('[mysqld]\nport = 3306\n')
        (self.config / 'conf.d').mkdir()
        self.set('DEFAULTS_FILE', f'{self.config}/my.cnf')
        self.set('INCLUDE_DIR', f'{self.config}/conf.d')

    def killed(self, *marks: str, told_as: str = 'mysqld') -> None:
        (self.fake / 'prepared').write_text(told_as)
        for mark in marks:
            (self.fake / mark).touch()

    def recoveries(self) -> list[str]:
        """The value of --tc-heuristic-recover in each recovery."""
        lines = (self.fake / 'recoveries').read_text().splitlines()
        return [line.partition('--tc-heuristic-recover=')[2].partition(' ')[0]
                for line in lines]

    def test_a_start_rolls_back_and_starts_from_the_position(self) -> None:
        for told_as in ('mysqld', 'server'):    # in MySQL, in MariaDB
            self.killed(told_as=told_as)
            done = self.start()
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(['', 'ROLLBACK'], self.recoveries())
            self.assertIn(f'--wsrep_start_position={UUID}:7',
                          (self.fake / 'started').read_text().splitlines())
            (self.fake / 'recoveries').unlink()

    def test_one_that_ends_after_it_is_asked_once_more(self) -> None:
        self.killed('ends')
        done = self.start()
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(['', 'ROLLBACK', ''], self.recoveries())
        self.assertTrue((self.fake / 'started').exists())

    def test_recover_does_the_same(self) -> None:
        for marks in ((), ('ends',)):
            self.killed(*marks)
            done = self.start('recover')
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertIn(f'Recovered position: {UUID}:7', done.stdout)
            self.assertNotIn('[ERROR]', done.stdout)
        self.assertFalse((self.fake / 'started').exists())

    def test_the_order_to_continue_does_the_same(self) -> None:
        self.killed()
        (self.data / 'grastate.dat').write_text(
            f'uuid: {UUID}\nseqno: -1\nsafe_to_bootstrap: 0\n')
        self.order(program.continuing(UUID, 7))
        done = self.start()
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('--wsrep-new-cluster',
                      (self.fake / 'started').read_text())

    def test_it_rolls_back_once(self) -> None:
        self.killed()
        self.start()
        self.start()
        self.assertEqual(['', 'ROLLBACK', ''], self.recoveries())

    def test_nothing_is_rolled_back_for_another_reason(self) -> None:
        self.killed('corrupt')
        words = self.refused()
        self.assertEqual([''], self.recoveries())
        self.assertIn('the data is unchanged', words)
        self.assertTrue((self.fake / 'prepared').exists())

    def test_nothing_is_rolled_back_that_a_binary_log_decides(self) -> None:
        for name in ('my.cnf', 'conf.d/20-001-group.cnf'):
            for line in ('log_bin = binlog', 'log-bin', 'loose-log_bin=x'):
                path = self.config / name
                before = path.read_text() if path.exists() else ''
                path.write_text(f'[mysqld]\n{line}\n')
                self.killed()
                self.assertIn('Found 1 prepared transactions',
                              serverlog.telling_line(self.refused()))
                self.assertEqual({''}, set(self.recoveries()), line)
                path.write_text(before)

    def test_what_only_looks_like_a_binary_log(self) -> None:
        for line in ('skip_log_bin', 'log_bin_trust_function_creators = 1',
                     '# log_bin'):
            (self.config / 'my.cnf').write_text(f'[mysqld]\n{line}\n')
            self.killed()
            self.assertEqual(0, self.start('recover').returncode, line)

    def test_nothing_is_rolled_back_where_the_dialect_says_so(self) -> None:
        self.set('PREPARED', '')
        self.killed()
        self.refused()
        self.assertEqual([''], self.recoveries())

    def test_a_recovery_that_fails_after_it_is_told(self) -> None:
        self.command(SERVER.replace('rm -f "$FAKE/prepared"', 'exit 1'),
                     'mariadbd')
        self.killed()
        words = self.refused()
        self.assertEqual(['', 'ROLLBACK', ''], self.recoveries())
        self.assertIn('Found 1 prepared transactions',
                      serverlog.telling_line(words))

    def test_recovery_gets_the_dialect_s_options(self) -> None:
        self.set('RECOVER_OPTIONS', '"--log-error-verbosity=3 --x"')
        self.start('recover')
        self.assertIn(' --log-error-verbosity=3 --x ',
                      (self.fake / 'recoveries').read_text())
