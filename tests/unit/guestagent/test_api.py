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

"""The RPC client of a member's guest, with a fake client of oslo.messaging."""

import contextlib
import logging
from typing import Any

import fixtures
import mock
import oslo_messaging as messaging
from oslo_messaging._drivers import common
from oslo_messaging.rpc import client as rpc_client
from oslo_messaging.rpc import dispatcher
import testtools
from trove.common import cfg
from trove.common import context
from trove.common import exception
from trove.datastore import models as datastore_models
from trove.guestagent import api as trove_api
from trove.instance import models as instance_models

from trove_pxc.galera import backups
from trove_pxc.galera import position
from trove_pxc.galera import secret
from trove_pxc.galera import view
from trove_pxc.guestagent import api

from tests.unit.galera import samples
from tests.unit.galera import test_backups
from tests.unit.guestagent import fakes

CONF = cfg.CONF


class GuestAPITest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.log = self.useFixture(fixtures.FakeLogger(
            level=logging.DEBUG))
        self.client = mock.create_autospec(
            messaging.RPCClient, instance=True)
        self.row = mock.Mock(datastore_version_id='v', cluster_id='c')
        self.context = mock.create_autospec(
            messaging.RPCClient, instance=True)
        self.client.prepare.return_value = self.context
        for target, name, found in (
                (trove_api.API, 'get_client', self.client),
                (instance_models.DBInstance, 'find_by', self.row),
                (datastore_models.DatastoreVersion, 'load_by_uuid',
                 mock.Mock(manager='mariadb'))):
            patch = mock.patch.object(target, name, autospec=True)
            patch.start().return_value = found
            self.addCleanup(patch.stop)
        self.api = api.GaleraGuestAPI(context.TroveContext(), 'guest-1')

    def answers(self, answer: Any) -> None:
        self.context.call.side_effect = None
        self.context.call.return_value = answer

    def asked(self) -> tuple[str, dict[str, Any]]:
        called = self.context.call.call_args
        return called.args[1], called.kwargs

    def test_settings_and_secrets_go_over_the_wire(self) -> None:
        for identity in (None, fakes.certificate()):
            self.api.configure_member(fakes.facts(), fakes.secrets(),
                                      identity)
            self.assertEqual(('configure_member', {
                'facts': fakes.facts().to_dict(),
                'secrets': fakes.secrets().to_dict(),
                'identity': identity and identity.to_dict()}), self.asked())

    def test_a_report_is_typed(self) -> None:
        report = view.MemberReport(
            view.ServerState.RUNNING,
            view.NodeView.from_status(samples.SYNCED), 5, True, None, '')
        self.answers(report.to_dict())
        self.assertEqual(report, self.api.member_report())

    def test_a_report_that_is_awaited_takes_longer(self) -> None:
        report = view.MemberReport(
            view.ServerState.STARTING, None, 5, True, None, '')
        self.answers(report.to_dict())
        self.assertEqual(report, self.api.awaited_report(1.5))
        self.assertEqual(('member_report', {'patience': 1.5}), self.asked())
        self.assertEqual(15 + 1.5,
                         self.client.prepare.call_args.kwargs['timeout'])

    def test_an_older_agent_reports_at_once(self) -> None:
        """The dispatcher and the serialisation are those of oslo.messaging."""
        report = view.MemberReport(
            view.ServerState.STARTING, None, 5, True, None, '')

        class OlderAgent:
            target = messaging.Target(version='1.0')

            def member_report(self, context: Any) -> dict[str, Any]:
                return report.to_dict()

        served = dispatcher.RPCDispatcher(
            [OlderAgent()], messaging.NoOpSerializer())

        def call(context: Any, method: str, **arguments: Any) -> Any:
            try:
                return served.dispatch(mock.Mock(
                    client_timeout=0, ctxt={}, message={
                        'method': method, 'args': arguments}))
            except TypeError as failure:
                raise common.deserialize_remote_exception(
                    common.serialize_remote_exception(
                        (type(failure), failure, failure.__traceback__)),
                    [exception.__name__]) from failure

        self.context.call.side_effect = call
        self.assertEqual(report, self.api.awaited_report(1.5))

    def test_an_error_of_a_report_that_is_awaited(self) -> None:
        self.context.call.side_effect = messaging.MessagingTimeout()
        self.assertRaises(exception.GuestTimeout, self.api.awaited_report, 1)
        self.context.call.side_effect = rpc_client.RemoteError(
            'TypeError', 'of something else')
        self.assertRaises(exception.GuestError, self.api.awaited_report, 1)

    def test_a_position_is_typed(self) -> None:
        found = position.Position(samples.UUID, 5, None, False, True, False)
        self.answers(found.to_dict())
        self.assertEqual(found, self.api.member_position())

    def test_the_settings_are_typed(self) -> None:
        self.answers(fakes.membership().to_dict())
        self.assertEqual(fakes.membership(), self.api.member_context())
        self.answers(None)
        self.assertIsNone(self.api.member_context())

    def test_variables(self) -> None:
        self.answers({'wsrep_on': 'ON'})
        self.assertEqual({'wsrep_on': 'ON'},
                         self.api.member_variables({'b': 1, 'a': 2}.keys()))
        self.assertEqual(('member_variables', {'names': ['a', 'b']}),
                         self.asked())

    def test_the_other_calls(self) -> None:
        self.answers(True)
        for call, asked in (
                (self.api.bootstrap_member, ('bootstrap_member', {})),
                (self.api.join_member, ('join_member', {'forming': True})),
                (lambda: self.api.join_member(forming=False),
                 ('join_member', {'forming': False})),
                (self.api.start_member, ('start_member', {})),
                (lambda: self.api.write_probe('t'),
                 ('write_probe', {'token': 't'})),
                (lambda: self.api.read_probe('t'),
                 ('read_probe', {'token': 't'})),
                (self.api.drop_probe, ('drop_probe', {})),
                (self.api.cluster_complete, ('cluster_complete', {}))):
            call()
            self.assertEqual(asked, self.asked())

    def test_orders_and_progress_of_backups(self) -> None:
        order = backups.Order('b-1', test_backups.STORE)
        restore = backups.Restoring('r-1', test_backups.STORE, ('a',))
        for call, asked in (
                (lambda: self.api.start_backup(order),
                 ('start_backup', {'order': order.to_dict()})),
                (lambda: self.api.start_restore(restore),
                 ('start_restore', {'order': restore.to_dict()})),
                (lambda: self.api.renew_backup_token(
                    'b-1', secret.Secret('gAAAA-new')),
                 ('renew_backup_token', {'backup_id': 'b-1',
                                         'token': 'gAAAA-new'})),
                (lambda: self.api.cancel_backup('b-1'),
                 ('cancel_backup', {'backup_id': 'b-1'})),
                (self.api.bootstrap_restored, ('bootstrap_restored', {}))):
            self.answers(None)
            call()
            self.assertEqual(asked, self.asked())
        self.assertNotIn('gAAAA', self.log.output)
        progress = backups.Progress('b-1', backups.State.COMPLETE,
                                    result=test_backups.RESULT)
        self.answers(progress.to_dict())
        self.assertEqual(progress, self.api.backup_progress('b-1'))
        self.assertEqual(('backup_progress', {'backup_id': 'b-1'}),
                         self.asked())

    def test_looks_are_short_and_acts_are_longer(self) -> None:
        self.answers(None)
        self.api.member_context()
        self.assertEqual(CONF.mariadb.member_call_timeout,
                         self.client.prepare.call_args.kwargs['timeout'])
        self.api.bootstrap_member()
        self.assertEqual(CONF.mariadb.member_start_timeout,
                         self.client.prepare.call_args.kwargs['timeout'])

    def test_no_secret_is_logged(self) -> None:
        self.answers({'facts': fakes.facts().to_dict(),
                      'secrets': fakes.secrets().to_dict()})
        self.api.configure_member(fakes.facts(), fakes.secrets())
        self.api.member_context()
        self.answers('root-Pass-2')
        self.api.get_root_password()
        self.assertIn('member_context', self.log.output)
        for password in fakes.PASSWORDS:
            self.assertNotIn(password, self.log.output)

    def test_silence_is_a_guest_timeout(self) -> None:
        self.context.call.side_effect = messaging.MessagingTimeout
        self.assertRaises(exception.GuestTimeout, self.api.member_report)

    def test_a_guest_s_failure_is_a_guest_error_with_its_words(self) -> None:
        self.context.call.side_effect = rpc_client.RemoteError(
            'BootstrapRefused', 'it holds data')
        failure = self.assertRaises(exception.GuestError,
                                    self.api.bootstrap_member)
        self.assertIn('it holds data', str(failure))

    def test_a_broker_s_failure_is_a_guest_error(self) -> None:
        self.context.call.side_effect = messaging.MessageDeliveryFailure(
            'no broker')
        self.assertRaises(exception.GuestError, self.api.member_report)

    def changes(self) -> Any:
        """All changes of users and databases, with their arguments."""
        users = [{'_name': 'joe', '_password': fakes.PASSWORDS[0]}]
        return (
            (self.api.create_user, {'users': users}),
            (self.api.delete_user, {'user': {'_name': 'joe'}}),
            (self.api.update_attributes,
             {'username': 'joe', 'hostname': '%', 'user_attrs': {}}),
            (self.api.change_passwords, {'users': users}),
            (self.api.create_database, {'databases': []}),
            (self.api.delete_database, {'database': {'_name': 'shop'}}),
            (self.api.grant_access,
             {'username': 'joe', 'hostname': '%', 'databases': ['shop']}),
            (self.api.revoke_access,
             {'username': 'joe', 'hostname': '%', 'database': 'shop'}))

    def test_a_member_answers_when_its_users_are_changed(self) -> None:
        self.answers(None)
        for change, arguments in self.changes():
            change(*arguments.values())
            self.assertEqual((change.__name__, arguments), self.asked())
            self.assertEqual(CONF.agent_call_high_timeout,
                             self.client.prepare.call_args.kwargs['timeout'])
        self.context.cast.assert_not_called()

    def test_a_single_instance_is_told_as_trove_tells_it(self) -> None:
        self.row.cluster_id = None
        for change, arguments in self.changes():
            change(*arguments.values())
        self.assertEqual(
            [change.__name__ for change, _ in self.changes()[:6]],
            [call.args[1] for call in self.context.cast.call_args_list])

    def test_what_a_server_refuses_is_an_error_of_trove_s(self) -> None:
        for told, answered in (
                ('RequestRefused', exception.BadRequest),
                ('UserExists', exception.UserAlreadyExists),
                ('UserUnknown', exception.UserNotFound),
                ('DatabaseExists', exception.DatabaseAlreadyExists),
                ('DatabaseUnknown', exception.DatabaseNotFound),
                ('ServerUnavailable', exception.UnprocessableEntity)):
            self.context.call.side_effect = rpc_client.RemoteError(
                told, '100 %s of it', ['Traceback (most recent call last)'])
            for change, arguments in self.changes():
                failure = self.assertRaises(answered, change,
                                            *arguments.values())
                self.assertIs(answered, type(failure))
                self.assertEqual('100 %s of it', str(failure))

    def test_an_error_that_was_made_again_has_no_traceback(self) -> None:
        """oslo.messaging adds it to the text of errors that it recreates."""
        for made in (KeyError('geheim'), exception.BadRequest('100 %% of it'),
                     exception.UserNotFound(uuid='joe')):
            with contextlib.suppress(Exception):
                raise made
            sent = common.serialize_remote_exception(
                (type(made), made, made.__traceback__))
            again = common.deserialize_remote_exception(
                sent, [exception.__name__])
            self.assertIn('Traceback', str(again))
            self.context.call.side_effect = again
            failure = self.assertRaises(exception.GuestError,
                                        self.api.list_users)
            self.assertIn(str(made), str(failure))
            self.assertNotIn('Traceback', str(failure))
