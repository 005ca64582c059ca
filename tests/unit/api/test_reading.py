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

"""What is shown of a member that answers, and of one that does not."""

import dataclasses
import threading
import types
from typing import Any

import fixtures
import mock
import testtools
from trove.cluster.tasks import ClusterTasks
from trove.common import cfg
from trove.common import exception
from trove.instance import service_status
from trove.instance.tasks import InstanceTasks

from trove_pxc.api import reading
from trove_pxc import conf
from trove_pxc.galera import diagnosis
from trove_pxc.galera import roles
from trove_pxc.galera import view
from trove_pxc import waiting

Statuses = service_status.ServiceStatuses


def member(status: Any = Statuses.HEALTHY) -> Any:
    return types.SimpleNamespace(
        id='id-1', name='c-1', status='ACTIVE', operating_status='HEALTHY',
        datastore_status=types.SimpleNamespace(status=status),
        get_visible_ip_addresses=lambda: [{'address': '10.0.0.5'}])


def report(server: view.ServerState = view.ServerState.RUNNING,
           state: str = '4', error: str = '') -> view.MemberReport:
    return view.MemberReport(
        server=server, data_bytes=0, started=True, exit_code=None,
        error=error, view=None if server is not view.ServerState.RUNNING
        else view.NodeView.from_status({
            'wsrep_cluster_status': 'Primary', 'wsrep_local_state': state,
            'wsrep_cluster_size': '3', 'wsrep_ready': 'ON'}))


class AnswerTest(testtools.TestCase):

    def test_every_role_has_a_word(self) -> None:
        self.assertEqual(set(roles.Role), set(reading._POSITIONS))

    def test_positions(self) -> None:
        for state, position in (('4', 'member'), ('2', 'donor'),
                                ('1', 'joiner'), ('3', 'joiner')):
            shown = reading.Answer(member(), report(state=state)).to_dict()
            self.assertEqual(position, shown['role'])
        self.assertEqual('Joined', shown['state'])

    def test_a_crash_is_told_with_its_reason(self) -> None:
        shown = reading.Answer(member(), report(
            view.ServerState.CRASHED, error='disk full')).to_dict()
        self.assertEqual(('crashed', 'disk full', True), (
            shown['role'], shown['detail'], shown['reachable']))
        self.assertNotIn('state', shown)

    def test_what_is_not_on_the_disk_yet(self) -> None:
        found = dataclasses.replace(report(), unsynced=True)
        shown = reading.Answer(member(), found).to_dict()
        self.assertEqual('member', shown['role'])
        self.assertIn('loss of power', shown['detail'])
        shown = reading.Answer(member(), dataclasses.replace(
            found, error='disk full')).to_dict()
        self.assertEqual('disk full', shown['detail'])

    def test_silence(self) -> None:
        shown = reading.Answer(member(), None, 'no answer').to_dict()
        self.assertEqual(
            {'id': 'id-1', 'name': 'c-1', 'role': 'unreachable',
             'status': 'ACTIVE', 'operating_status': 'HEALTHY',
             'reachable': False, 'ip': ['10.0.0.5'], 'detail': 'no answer'},
            shown)


class GoneTest(testtools.TestCase):

    def test_a_server_that_is_gone_is_told_and_nobody_asked(self) -> None:
        conf.register(cfg.CONF)
        lost = member()
        lost.server_gone, lost.server_id = True, 'server-1'
        self.useFixture(fixtures.MockPatchObject(
            reading.known.handles, 'of_cluster', return_value='c'))
        cluster = types.SimpleNamespace(
            name='c', members=[lost] * 3, ds_version=types.SimpleNamespace(
                manager='mariadb'))
        (answer,) = reading._answers(cluster, [lost])
        shown = answer.to_dict()
        self.assertEqual('unreachable', shown['role'])
        self.assertIn('its server server-1 is gone: it was deleted in Nova',
                      shown['detail'])
        self.assertIn('"openstack database cluster shrink c id-1"',
                      shown['detail'])
        self.assertTrue(reading._known_as_lost(lost))


class QuestionTest(testtools.TestCase):

    def answer(self, guest: Any) -> reading.Answer:
        question = reading._Question(member(), guest, 3)
        question.put()
        question.put_again()
        return question.wait()

    def test_an_answer(self) -> None:
        guest = mock.Mock()
        guest.member_report.return_value = report()
        found = self.answer(guest)
        self.assertEqual(('', report()), (found.silence, found.report))
        guest.member_report.assert_called_once_with(3)

    def test_the_broker_may_hand_a_message_to_who_is_gone(self) -> None:
        """The call is repeated once, and the first answer is used."""
        lost = threading.Event()
        self.addCleanup(lost.set)
        asked: list[float] = []

        def member_report(seconds: float) -> view.MemberReport:
            asked.append(seconds)
            if len(asked) == 1:
                lost.wait(20)
                raise exception.GuestTimeout()
            return report()
        found = self.answer(mock.Mock(member_report=member_report))
        self.assertEqual(('', report()), (found.silence, found.report))
        self.assertEqual([3, 2], asked)

    def test_no_answer_to_either(self) -> None:
        asked = threading.Barrier(2)

        def member_report(seconds: float) -> view.MemberReport:
            asked.wait(20)
            raise exception.GuestTimeout()
        guest = mock.Mock()
        guest.member_report.side_effect = member_report
        question = reading._Question(member(), guest, 3)
        question._at_once = waiting.Deadline(0.1)
        question.put()
        question.put_again()
        self.assertIn('within 3 s', question.wait().silence)
        self.assertEqual(2, guest.member_report.call_count)

    def test_no_answer_and_a_bad_one_are_told_apart(self) -> None:
        guest = mock.Mock()
        guest.member_report.side_effect = exception.GuestTimeout()
        self.assertIn('within 3 s', self.answer(guest).silence)
        guest.member_report.side_effect = exception.GuestError(
            original_message='no socket')
        self.assertIn('no socket', self.answer(guest).silence)

    def test_a_guest_that_was_never_ready_is_not_asked(self) -> None:
        found = self.answer(None)
        self.assertEqual('new', found.to_dict()['role'])
        self.assertFalse(found.reachable)


class ClusterTest(testtools.TestCase):
    """Roles and health from the answers of all members."""

    def setUp(self) -> None:
        super().setUp()
        self.members = [member() for _ in range(3)]
        for number, one in enumerate(self.members):
            one.id, one.name = f'id-{number}', f'c-{number}'
            one.db_info = types.SimpleNamespace(
                task_status=InstanceTasks.NONE, server_status='ACTIVE')
            one.server_gone = False
            one.datastore_status.is_uptodate = lambda: True
        self.cluster = types.SimpleNamespace(
            members=self.members, db_info=types.SimpleNamespace(
                task_status=ClusterTasks.NONE))
        self.reports: list[Any] = [report()] * 3
        self.patch(reading, '_answers', lambda _, asked: [
            reading.Answer(one, self.reports[self.members.index(one)])
            for one in asked])
        self.patch(reading.known, 'ever_complete', lambda ids: True)

    def patch(self, where: Any, name: str, value: Any) -> None:
        self.useFixture(fixtures.MonkeyPatch(
            f'{where.__name__}.{name}', value))

    def roles(self) -> list[str]:
        listed = [answer.role for answer in reading.ask(self.cluster)]
        shown = reading.positions(self.cluster)
        self.assertEqual(listed, list(shown.values()))
        return listed

    def test_a_donor_without_a_joiner_is_locked(self) -> None:
        self.reports[1] = dataclasses.replace(report(state='2'),
                                              giving=False)
        self.assertEqual(['member', 'locked', 'member'], self.roles())
        self.reports[2] = report(view.ServerState.STARTING)
        self.assertEqual(['member', 'donor', 'starting'], self.roles())

    def test_one_that_did_not_come_in(self) -> None:
        self.members[2].db_info.task_status = InstanceTasks.GROWING_ERROR
        self.assertEqual(['member', 'member', 'failed'], self.roles())

    def test_one_whose_server_is_gone(self) -> None:
        self.members[2].server_gone = True
        self.reports[2] = None
        self.assertEqual(['member', 'member', 'gone'], self.roles())

    def test_one_that_is_known_to_be_lost_is_not_asked(self) -> None:
        self.members[0].db_info.server_status = 'SHUTOFF'
        self.assertEqual('unreachable',
                         reading.positions(self.cluster)['id-0'])

    def test_the_diagnosis_is_of_ids(self) -> None:
        self.patch(reading.known, 'of_cluster', lambda _: diagnosis.Known(
            dict.fromkeys(('id-0', 'id-1', 'id-2'), 'c')))
        found = reading.diagnose(self.cluster, reading.ask(self.cluster))
        self.assertIs(diagnosis.ClusterState.HEALTHY, found.state)
