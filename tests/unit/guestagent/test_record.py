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

"""The record of the member that a guest is."""

from trove_pxc.guestagent import record

from tests.unit.guestagent import fakes


class RecordTest(fakes.GuestTestCase):

    def setUp(self) -> None:
        super().setUp()
        self.path = f'{self.root}/record.json'
        self.full = record.MemberRecord(
            record.Stage.CONFIGURED, fakes.VERSION,
            fakes.membership())

    def store(self) -> record.RecordStore:
        return record.RecordStore(self.files, self.path)

    def test_there_is_none_at_first(self) -> None:
        self.assertIsNone(self.store().read())

    def test_another_agent_reads_what_was_written(self) -> None:
        for known in (self.full, record.MemberRecord(
                record.Stage.PREPARING, fakes.VERSION)):
            self.store().write(known)
            self.assertEqual(known, self.store().read())

    def test_it_is_looked_for_once(self) -> None:
        store = self.store()
        self.assertIsNone(store.read())
        self.store().write(self.full)
        self.assertIsNone(store.read())
        store.write(self.full)
        self.assertEqual(self.full, store.read())

    def test_the_file_is_private(self) -> None:
        self.store().write(self.full)
        self.assertEqual(0o600, self.mode(self.path))

    def test_passwords_are_masked_wherever_they_stand(self) -> None:
        line = 'Running: wsrep_sst --auth os_sst:{2} {0}{1}'.format(
            *fakes.PASSWORDS)
        self.assertEqual('Running: wsrep_sst --auth os_sst:*** ******',
                         self.full.mask(line))

    def test_its_repr_tells_no_password(self) -> None:
        for password in fakes.PASSWORDS:
            self.assertNotIn(password, repr(self.full))

    def test_started_is_the_last_stage(self) -> None:
        self.assertFalse(self.full.started)
        self.assertTrue(self.full.at(record.Stage.STARTED).started)
