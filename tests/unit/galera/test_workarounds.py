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

import importlib
import pathlib

import testtools

from trove_pxc.galera import catalogue
from trove_pxc.galera import serverlog
from trove_pxc.galera.serverlog import Event
from trove_pxc.galera import workarounds

from tests.unit.galera import logs

ALWAYS = ('prepared-transactions', 'unsynced-transfer')
GALERA_4 = ('stalled-state-exchange', 'commit-after-vote', *ALWAYS)
MARIADB = (*GALERA_4, 'slow-joiner-script')
ON = {
    'Percona XtraDB Cluster 5.6': ('hang-after-shutdown', *ALWAYS),
    'Percona XtraDB Cluster 5.7': ALWAYS,
    'Percona XtraDB Cluster 8.0': GALERA_4,
    'Percona XtraDB Cluster 8.4': GALERA_4,
    'MariaDB 10.6': MARIADB,
    'MariaDB 10.11': MARIADB,
    'MariaDB 11.4': MARIADB,
    'MariaDB 11.8': MARIADB,
}
LINES = {
    Event.VOTED_OUT: logs.VOTES,
    Event.LEFT: (logs.LEFT, logs.LEFT_8),
    Event.COMPONENT: (logs.COMPONENT,),
    Event.SILENT: (logs.NO_EXCHANGE, logs.NO_EXCHANGE_8),
    Event.SHUT_DOWN: (logs.SHUT_DOWN, logs.SHUT_DOWN_8),
}
TOP = pathlib.Path(__file__).parents[3]


class WorkaroundsTest(testtools.TestCase):

    def test_in_which_series_each_is_on(self) -> None:
        self.assertEqual(ON, {series.name: workarounds.names_for(series)
                              for series in catalogue.DIALECTS})

    def test_real_lines_show_the_events(self) -> None:
        self.assertEqual(set(LINES), {
            event for known in workarounds.WORKAROUNDS
            for event in known.shown_by})
        for event, lines in LINES.items():
            for line in lines:
                self.assertIs(event, serverlog.event(line), line)

    def test_prepared_transactions_are_the_dialects_own(self) -> None:
        for series in catalogue.DIALECTS:
            self.assertEqual(
                bool(series.prepared),
                'prepared-transactions' in workarounds.names_for(series))

    def test_the_test_of_each_is_there(self) -> None:
        for known in workarounds.WORKAROUNDS:
            module, _, name = known.test.partition('.')
            self.assertTrue(hasattr(importlib.import_module(
                f'tests.unit.guestagent.{module}'), name), known.test)

    def test_the_start_program_knows_each(self) -> None:
        folder = TOP / 'trove_pxc/guestagent/start'
        text = ''.join(file.read_text() for file in folder.glob('*.sh'))
        for known in workarounds.WORKAROUNDS:
            self.assertIn(known.name, text)

    def test_each_is_documented(self) -> None:
        text = (TOP / 'doc/source/user/versions.rst').read_text()
        for known in workarounds.WORKAROUNDS:
            self.assertIn(f'``{known.name}``', text)

    def test_each_says_what_is_known(self) -> None:
        names = [known.name for known in workarounds.WORKAROUNDS]
        self.assertEqual(len(names), len(set(names)))
        for known in workarounds.WORKAROUNDS:
            for text in (known.fault, known.action, known.elsewhere,
                         known.upstream, *(one.how for one in known.seen)):
                self.assertTrue(text.strip(), known.name)
