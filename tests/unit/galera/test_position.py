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

import itertools
import json

import testtools

from tests.unit.galera import samples
from trove_pxc.galera import errors
from trove_pxc.galera import position
from trove_pxc.galera.view import NIL_UUID

UUID = samples.UUID
OTHER = samples.OTHER_UUID


def grastate(uuid=UUID, seqno='-1', safe='0'):
    return (f'# GALERA saved state\nversion: 2.1\nuuid:    {uuid}\n'
            f'seqno:   {seqno}\nsafe_to_bootstrap: {safe}\n')


def recovered(uuid=UUID, seqno=27):
    return f'... WSREP: Recovered position: {uuid}:{seqno}\n'


# (text, uuid, seqno, safe_to_bootstrap)
GRASTATES = (
    (samples.GRASTATE, UUID, -1, False),
    (grastate(seqno='31', safe='1'), UUID, 31, True),
    (grastate(uuid=NIL_UUID), None, -1, False),
    (grastate(uuid=UUID.upper()), UUID, -1, False),
    (f'version: 2.1\nuuid: {UUID}\nseqno: 5\n', UUID, 5, None),
    (f'uuid: {UUID}\nseqno: 5\ncert_index:\n', UUID, 5, None),
    (f'uuid: {UUID}\r\nseqno: 5\r\nsafe_to_bootstrap: 1\r\n', UUID, 5,
     True),
    ('', None, -1, None),
    ('# GALERA saved state\n', None, -1, None),
    (f'# uuid: {UUID}\n', None, -1, None),
    (grastate(seqno='-5'), UUID, -1, False),
    (grastate(seqno='0'), UUID, 0, False),
    (grastate(safe='2'), UUID, -1, False),
    ('uuid\nseqno\nsafe_to_bootstrap\n', None, -1, None),
)

# (log of --wsrep-recover, position)
LOGS = (
    (samples.RECOVERED, (UUID, 27)),
    (recovered(), (UUID, 27)),
    (recovered(seqno=0), (UUID, 0)),
    (recovered(seqno=1) + recovered(seqno=9), (UUID, 9)),
    (recovered(OTHER, 12) + recovered(seqno=9), (UUID, 9)),
    (recovered(NIL_UUID, -1), None),
    (recovered(NIL_UUID, 2), None),
    (recovered(UUID, -1), None),
    (f'2026-11-23T11:55:13.1Z 0 [Note] [MY-000000] [WSREP] Recovered '
     f'position: {UUID.upper()}:3\n', (UUID, 3)),
    (f'WSREP: Recovered position {UUID}:4', (UUID, 4)),
    ('recovered pages: 0% 12% 100% (0.0 seconds)\n', None),
    ('WSREP: Recovered position: ', None),
    ('', None),
)

# (grastate, log, uuid, seqno)
COMBINED = (
    (grastate(seqno='31', safe='1'), None, UUID, 31),
    (grastate(seqno='31'), recovered(seqno=31), UUID, 31),
    (grastate(seqno='31'), recovered(seqno=29), UUID, 31),
    (grastate(seqno='0'), None, UUID, 0),
    (grastate(seqno='0'), recovered(OTHER, 29), UUID, 0),
    (grastate(), recovered(seqno=29), UUID, 29),
    (grastate(), None, UUID, -1),
    (grastate(), recovered(NIL_UUID, -1), UUID, -1),
    (grastate(NIL_UUID), recovered(seqno=29), UUID, 29),
    (grastate(), recovered(OTHER, 99), UUID, -1),
    (grastate(OTHER), recovered(UUID, 99), OTHER, -1),
    (None, recovered(seqno=29), UUID, 29),
    # killed during an IST that began from 31
    (grastate(seqno='31'), recovered(seqno=32), UUID, 32),
    (grastate(seqno='0'), recovered(seqno=29), UUID, 29),
    (grastate(seqno='31'), recovered(seqno=31), UUID, 31),
    (grastate(NIL_UUID, '7'), recovered(seqno=9), None, -1),
    (None, None, None, -1),
    ('', None, None, -1),
    (grastate(NIL_UUID, '7'), None, None, -1),
    (grastate(NIL_UUID), recovered(NIL_UUID, 2), None, -1),
)


class GrastateTest(testtools.TestCase):

    def test_texts(self):
        for text, uuid, seqno, safe in GRASTATES:
            self.assertEqual((uuid, seqno, safe),
                             position.parse_grastate(text), text)

    def test_a_text_cut_short_tells_less_never_otherwise(self):
        whole = grastate(seqno='31', safe='1')
        for end in range(len(whole)):
            cut = position.parse_grastate(whole[:end])
            self.assertIn(cut.uuid, (None, UUID))
            self.assertIn(cut.seqno, (-1, 31))
            self.assertIsNone(cut.safe_to_bootstrap)

    def test_what_galera_never_writes_is_refused(self):
        for text in (grastate(uuid='not-a-uuid'), grastate(seqno='many'),
                     grastate(uuid='')):
            error = self.assertRaises(errors.UnreadablePosition,
                                      position.parse_grastate, text)
            self.assertIn('Check the file', str(error))


class RecoveredTest(testtools.TestCase):

    def test_logs(self):
        for log, told in LOGS:
            self.assertEqual(told, position.parse_recovered(log), log)


class TransferTest(testtools.TestCase):

    def nothing_changed(self, text, database=True, folder=False):
        return position.transfer_changed_nothing(text, database, folder)

    def test_data_with_a_history_beside_no_new_data(self):
        for seqno in ('31', '-1'):
            self.assertTrue(self.nothing_changed(grastate(seqno=seqno)))

    def test_not_if_any_of_it_speaks_against_it(self):
        for text in (None, '', grastate(NIL_UUID, '-1'),
                     grastate(NIL_UUID, '31')):
            self.assertFalse(self.nothing_changed(text), text)
        for database, folder in ((False, False), (True, True),
                                 (False, True)):
            self.assertFalse(self.nothing_changed(
                grastate(), database, folder))

    def test_a_text_cut_short_proves_nothing_less(self):
        """The line of the uuid is complete, or missing."""
        whole = grastate(seqno='31')
        told = [self.nothing_changed(whole[:end])
                for end in range(len(whole))]
        self.assertEqual(sorted(told), told)

    def test_what_galera_never_writes_is_refused(self):
        self.assertRaises(errors.UnreadablePosition, self.nothing_changed,
                          grastate(uuid='not-a-uuid'))


class CombineTest(testtools.TestCase):

    def test_table(self):
        for text, log, uuid, seqno in COMBINED:
            found = position.combine(text, log, False, False)
            self.assertEqual((uuid, seqno), (found.uuid, found.seqno),
                             (text, log))
            self.assertEqual(text is not None, found.grastate_present)

    def test_known_means_both_uuid_and_seqno(self):
        for text, log, uuid, seqno in COMBINED:
            found = position.combine(text, log, False, False)
            self.assertEqual(uuid is not None and seqno >= 0, found.known)

    def test_a_start_may_make_a_component_by_a_last_view_or_an_order(self):
        for gvwstate, ordered in itertools.product((True, False), repeat=2):
            found = samples.place(31, gvwstate=gvwstate, ordered=ordered)
            self.assertIs(gvwstate or ordered, found.may_come_up_primary)

    def test_marks_are_kept(self):
        for sst, gvwstate in itertools.product((True, False), repeat=2):
            found = position.combine(samples.GRASTATE, None, sst, gvwstate)
            self.assertEqual((sst, gvwstate),
                             (found.sst_in_progress, found.view_present))

    def test_empty_means_that_nothing_at_all_is_there(self):
        self.assertTrue(position.combine(None, None, False, False).is_empty)
        self.assertTrue(position.combine(
            None, recovered(NIL_UUID, -1), False, False).is_empty)
        for found in (position.combine('', None, False, False),
                      position.combine(None, recovered(), False, False),
                      position.combine(None, None, True, False),
                      position.combine(None, None, False, True),
                      samples.place(0, None, safe=None, grastate=False),
                      samples.place(5, None, safe=None, grastate=False),
                      samples.place(-1, None, safe=None, grastate=False,
                                    evicted=True)):
            self.assertFalse(found.is_empty, found)

    def test_it_survives_json(self):
        for text, log, _, _ in COMBINED:
            found = position.combine(text, log, True, False)
            wire = json.loads(json.dumps(found.to_dict()))
            self.assertEqual(found, position.Position.from_dict(wire))

    def test_an_older_guest_tells_nothing_of_what_it_saw(self):
        new = samples.place(31, seen=30, ordered=True)
        old = {key: value for key, value in new.to_dict().items()
               if key not in ('seen_uuid', 'seen_seqno', 'ordered')}
        self.assertEqual(samples.place(31), position.Position.from_dict(old))

    def test_an_eviction_has_the_name_that_older_releases_send(self):
        found = samples.place(31, evicted=True)
        self.assertIs(True, found.to_dict()['cast_out'])
        self.assertNotIn('evicted', found.to_dict())
        self.assertTrue(
            position.Position.from_dict(found.to_dict()).evicted)
