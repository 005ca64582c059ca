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

"""The waits of the script of a joiner, which the start program shortens."""

from tests.unit.guestagent import starting


class JoinerSleepTest(starting.StartTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.command('#!/bin/sh\necho "$*" >> "$FAKE/sleeps"\n'
                     'exec /bin/sleep 0.05\n', 'sleep')
        script = self.fake / 'wsrep_sst_rsync'
        script.write_text('sleep 1\nsleep 0.5\nsleep 11\necho "$2" done\n')
        self.transfers(f'rm -f "$FAKE/sleeps"\n'
                       f'bash {script} --role $role --address a > /dev/null\n'
                       'cp "$FAKE/sleeps" "$FAKE/by-script"')

    def sleeps(self, role: str = 'joiner') -> list[str]:
        """The seconds for which the script of the server sleeps.

        The start program sleeps at the same time, for 0.5 or 1 s.
        """
        path = self.fake / 'transfer'
        path.write_text(f'role={role}\n{path.read_text()}')
        self.started()
        return [seconds for seconds in
                (self.fake / 'by-script').read_text().split()
                if seconds != '0.5']

    def test_the_script_of_a_joiner_of_a_new_cluster_looks_often(self) -> None:
        self.order('form')
        self.assertEqual(['0.1', '0.1', '11'], self.sleeps())

    def test_the_script_of_a_donor_does_not(self) -> None:
        self.order('form')
        self.assertEqual(['1', '11'], self.sleeps('donor'))

    def test_nor_that_of_another_join(self) -> None:
        self.assertEqual(['1', '11'], self.sleeps())

    def test_nor_where_the_fault_is_not(self) -> None:
        self.set('WORKAROUNDS', '')
        self.order('form')
        self.assertEqual(['1', '11'], self.sleeps())
