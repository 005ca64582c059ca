# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""Candidates as words of a command line, and as statements of a server."""

import testtools

from tests.benchmarks import candidates

RENDERED = {'wsrep_slave_threads': '16', 'innodb_flush_method': 'O_DIRECT',
            'evs.send_window': '4', 'evs.user_send_window': '2'}


class CandidateTest(testtools.TestCase):

    def test_comparison_is_all_its_candidates(self) -> None:
        self.assertEqual(
            ['wsrep_slave_threads=2', 'wsrep_slave_threads=4',
             'wsrep_slave_threads=8', 'wsrep_slave_threads=16', 'rendered'],
            [each.name for each in candidates.of_words(
                ['appliers', 'rendered'])])

    def test_every_comparison_is_valid(self) -> None:
        for name, texts in candidates.COMPARISONS.items():
            found = candidates.of_words([name])
            self.assertEqual(len(texts), len(found))
            self.assertEqual({tuple(found[0].settings)},
                             {tuple(each.settings) for each in found}, name)

    def test_comparison_in_one_line(self) -> None:
        self.assertEqual(
            'evs.send_window,evs.user_send_window: 4,2 16,8 512,256',
            candidates.in_short('windows'))

    def test_several_settings(self) -> None:
        both = candidates.Candidate.parse(
            'innodb_io_capacity=200,gcs.fc_limit=64')
        self.assertEqual({'innodb_io_capacity': '200', 'gcs.fc_limit': '64'},
                         both.settings)

    def test_invalid_words(self) -> None:
        for words, reason in (
                (['aplliers', 'rendered'], 'aplliers is no setting'),
                (['x=', 'rendered'], 'x= is no setting'),
                (["x='1'", 'rendered'], 'is no setting'),
                (['x=1;y=2', 'rendered'], 'is no setting'),
                (['x=1\n[mysqld]', 'rendered'], 'is no setting'),
                (['x=1,x=2', 'rendered'], 'has x twice'),
                (['x=1', 'x=1'], 'x=1 is given twice'),
                (['x=1'], 'x=1 alone cannot be compared')):
            error = self.assertRaises(
                ValueError, candidates.of_words, words)
            self.assertIn(reason, str(error))

    def test_nothing_of_the_candidate_before_stays(self) -> None:
        threads, windows = candidates.of_words([
            'wsrep_slave_threads=2', 'evs.send_window=512'])
        names = candidates.names([threads, windows])
        self.assertEqual(
            {'wsrep_slave_threads': '2', 'evs.send_window': '4'},
            threads.completed(names, RENDERED).settings)
        self.assertEqual(
            {'wsrep_slave_threads': '16', 'evs.send_window': '512'},
            windows.completed(names, RENDERED).settings)

    def test_order_alternates(self) -> None:
        found = candidates.of_words(['hash-index'])
        self.assertEqual(found, candidates.turns(found, 1))
        self.assertEqual(found[::-1], candidates.turns(found, 2))


class StatementsTest(testtools.TestCase):

    def statements(self, text: str, *read_only: str) -> list[str]:
        return candidates.statements(
            candidates.Candidate.parse(text).settings, read_only)

    def test_values(self) -> None:
        for value, literal in (
                ('16', '16'), ('48M', '50331648'), ('0.5', '0.5'),
                ('OFF', "'OFF'"), ('O_DIRECT', "'O_DIRECT'")):
            self.assertEqual([f'SET GLOBAL x = {literal}'],
                             self.statements(f'x={value}'))

    def test_options_of_galera(self) -> None:
        self.assertEqual(
            ["SET GLOBAL wsrep_provider_options = 'gcs.fc_limit=64'"],
            self.statements('gcs.fc_limit=64'))

    def test_windows_in_an_order_that_galera_accepts(self) -> None:
        """The own window never exceeds the common one."""
        self.assertEqual(
            [f"SET GLOBAL wsrep_provider_options = '{option}'" for option in (
                'evs.user_send_window=1', 'evs.send_window=4',
                'evs.user_send_window=2')],
            self.statements('evs.user_send_window=2,evs.send_window=4'))

    def test_restart_changes_what_is_read_only(self) -> None:
        text = 'innodb_flush_method=fsync,innodb_io_capacity=200'
        settings = candidates.Candidate.parse(text).settings
        read_only = ['innodb_flush_method', 'port']
        self.assertEqual(['SET GLOBAL innodb_io_capacity = 200'],
                         self.statements(text, *read_only))
        self.assertEqual({'innodb_flush_method': 'fsync'},
                         candidates.fixed(settings, read_only))

    def test_option_file_keeps_the_other_options_of_galera(self) -> None:
        settings = candidates.Candidate.parse(
            'innodb_io_capacity=200,gcs.fc_limit=64').settings
        self.assertEqual(
            '[mysqld]\ninnodb_io_capacity = 200\n'
            'wsrep_provider_options = "gcache.size=512M; gcs.fc_limit=64"\n',
            candidates.file_text(settings, 'gcache.size=512M'))
        self.assertNotIn('provider', candidates.file_text(
            {'innodb_io_capacity': '200'}, 'gcache.size=512M'))

    def test_options_that_galera_shows(self) -> None:
        self.assertEqual(
            {'base_dir': '/var/lib/mysql', 'gcs.fc_limit': '16',
             'socket.ssl_cipher': ''},
            candidates.provider('base_dir = /var/lib/mysql; gcs.fc_limit = '
                                '16; socket.ssl_cipher = ; '))

    def test_values_that_mean_the_same(self) -> None:
        settings = {'a': '48M', 'b': 'OFF', 'c': '1.0', 'd': 'O_DIRECT'}
        self.assertEqual({}, candidates.differing(settings, {
            'a': '50331648', 'b': '0', 'c': '1', 'd': 'o_direct'}))
        self.assertEqual(
            {'a': '50331649', 'd': 'none'},
            candidates.differing(settings, {
                'a': '50331649', 'b': 'OFF', 'c': '1.0'}))
