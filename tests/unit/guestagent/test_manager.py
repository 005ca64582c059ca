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

"""The guest managers, as Trove's agent loads them."""

import ast
import inspect
import logging
import traceback
from typing import Any

import docker
import mock
from oslo_utils import importutils
import testtools
from trove.common import cfg
from trove.common import context as trove_context
from trove.common import notification
from trove.conductor import api as conductor_api
from trove.guestagent.datastore import manager as trove_manager
from trove.guestagent.datastore.mariadb import manager as trove_mariadb
from trove.guestagent.datastore.mariadb import service as mariadb_service
from trove.guestagent.datastore.mysql_common import manager as trove_common

from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import position
from trove_pxc.galera import secret
from trove_pxc.galera import view
from trove_pxc.guestagent import accounts
from trove_pxc.guestagent import app
from trove_pxc.guestagent.backup import member as members
from trove_pxc.guestagent import manager
from trove_pxc.guestagent import metrics
from trove_pxc.guestagent import record
from trove_pxc.guestagent import reporter
from trove_pxc import masking

from tests.unit.galera import test_backups
from tests.unit.guestagent import fakes
from tests.unit import specs

CONTEXT = trove_context.TroveContext()
REPORT = view.MemberReport(view.ServerState.STOPPED, None, 1, True, 0, '')
PASSWORD = "geheim', 'x"
POSITION = position.Position(None, -1, None, False, False, False)


class ManagerTestCase(testtools.TestCase):

    path = 'trove_pxc.guestagent.manager.MariaDBManager'
    group = 'mariadb'

    def setUp(self) -> None:
        super().setUp()
        cfg.CONF.set_override('datastore_manager', self.group)
        self.addCleanup(cfg.CONF.clear_override, 'datastore_manager')
        self.engine = fakes.Engine()
        self.member = specs.spec(members.BackupMember)
        self.member.is_member = True
        self.member.stage = record.Stage.PREPARED
        self.member.report.return_value = REPORT
        self.patch(docker, 'from_env', self.engine.client)
        self.patch(app.MemberApp, 'bind', self.member)
        self.conductor = self.patch(conductor_api, 'API').return_value
        self.conductor.client = mock.Mock()
        self.reporter = self.patch(reporter, 'Reporter').return_value
        self.manager = importutils.import_object(self.path)
        self.manager.beginning.join(10)

    def patch(self, target: Any, name: str, found: Any = mock.DEFAULT
              ) -> Any:
        patch = mock.patch.object(target, name, autospec=True)
        made = patch.start()
        self.addCleanup(patch.stop)
        if found is not mock.DEFAULT:
            made.return_value = found
        return made

    def prepare(self, cluster_config: Any) -> None:
        self.manager.prepare(
            CONTEXT, packages=[], databases=None, memory_mb=512, users=None,
            device_path='/dev/vdb', mount_point='/var/lib/mysql',
            config_contents='[mysqld]', overrides={'a': 1},
            cluster_config=cluster_config, ds_version='10.11')

    def told(self) -> list[str]:
        return [call.args[1]['service_status'] for call
                in self.conductor.heartbeat.call_args_list]


class MariaDBManagerTest(ManagerTestCase):

    def test_it_keeps_secrets_out_of_the_log_from_its_start(self) -> None:
        """Before the agent logs its options and before it takes a call."""
        self.addCleanup(logging.setLogRecordFactory,
                        logging.getLogRecordFactory())
        logging.setLogRecordFactory(logging.LogRecord)
        importutils.import_object(self.path).beginning.join(10)
        self.assertIs(masking.MaskedRecord, logging.getLogRecordFactory())

    def test_it_is_trove_s_manager(self) -> None:
        self.assertIsInstance(self.manager, trove_mariadb.Manager)
        self.assertEqual('mariadb', self.manager.manager)
        self.assertIs(self.member, self.manager.status.member)

    def test_every_tick_of_the_agent_sees_to_it(self) -> None:
        spacing = self.manager._periodic_spacing['report_member']
        self.assertEqual(1, spacing)
        for mocked in (self.reporter.keep_on, self.member.resume):
            mocked.reset_mock()
        self.manager.report_member(CONTEXT)
        self.reporter.keep_on.assert_called_once_with()
        self.member.resume.assert_called_once_with()

    def test_metrics_are_kept_on_where_they_are_wanted(self) -> None:
        keep_on = self.patch(metrics.Endpoint, 'keep_on')
        self.manager.report_member(CONTEXT)
        keep_on.assert_called_once_with(self.manager.metrics)

    def test_a_member_that_cannot_be_started_is_reported(self) -> None:
        self.reporter.keep_on.reset_mock()
        self.member.resume.side_effect = exceptions.ServerStartFailed('no')
        self.assertRaises(exceptions.ServerStartFailed,
                          self.manager.report_member, CONTEXT)
        self.reporter.keep_on.assert_called_once_with()

    def test_a_new_agent_starts_and_reports_at_once(self) -> None:
        self.member.refresh.assert_called_once_with()
        self.member.resume.assert_called_once_with()
        self.reporter.keep_on.assert_called_once_with()

    def test_what_is_reported_is_the_member_s_status(self) -> None:
        status, wait, group = reporter.Reporter.call_args.args
        self.assertEqual((self.member.wait, self.group), (wait, group))
        status.report_member()
        self.assertEqual(['instance ready'], self.told())

    def test_a_member_is_prepared_by_its_service(self) -> None:
        with mock.patch.object(trove_manager, 'EndNotification',
                               autospec=True), \
                mock.patch.object(self.manager.status, 'begin_install',
                                  autospec=True):
            self.prepare({'id': 'c'})
        self.member.prepare.assert_called_once_with(
            '10.11', '[mysqld]', {'a': 1})
        self.assertEqual('instance ready', self.told()[-1])

    def test_what_an_agent_before_it_has_not_finished(self) -> None:
        self.member.fail.assert_not_called()
        self.member.stage = record.Stage.PREPARING
        after = importutils.import_object(self.path)
        after.beginning.join(10)
        ((reason,), _) = self.member.fail.call_args
        self.assertIn('stopped while it prepared the member', reason)
        status, *_ = reporter.Reporter.call_args.args
        status.report_member()
        self.assertEqual(['failed to spawn'], self.told())

    def test_the_record_comes_before_everything(self) -> None:
        """The agent may die at any later moment."""
        class Died(BaseException):
            """A kill."""

        def begin(version: str) -> None:
            self.assertEqual('10.11', version)
            self.assertEqual('building',
                             self.manager.status.status.description)
            raise Died
        self.member.begin.side_effect = begin
        with mock.patch.object(trove_manager, 'EndNotification',
                               autospec=True), \
                mock.patch.object(self.manager.status, 'begin_install',
                                  autospec=True) as trove_s:
            self.assertRaises(Died, self.prepare, {'id': 'c'})
        trove_s.assert_not_called()
        self.assertEqual([], self.told())

    def test_a_single_instance_leaves_no_record(self) -> None:
        with mock.patch.object(trove_common.MySqlManager, 'prepare',
                               autospec=True):
            self.prepare(None)
        self.member.begin.assert_not_called()

    def test_a_preparation_that_fails_tells_why(self) -> None:
        failure = exceptions.ImageUnusable('no such image')
        self.member.prepare.side_effect = failure
        with mock.patch.object(trove_manager, 'EndNotification',
                               autospec=True) as end, \
                mock.patch.object(self.manager.status, 'begin_install',
                                  autospec=True):
            end.return_value.__exit__.return_value = False
            self.assertRaises(exceptions.ImageUnusable, self.prepare,
                              {'id': 'c'})
        self.member.fail.assert_called_once_with('no such image')
        self.assertEqual('failed to spawn', self.told()[-1])

    def test_a_single_instance_is_prepared_by_trove(self) -> None:
        with mock.patch.object(trove_common.MySqlManager, 'do_prepare',
                               autospec=True) as prepare:
            self.manager.do_prepare(
                CONTEXT, [], None, 512, None, '/dev/vdb', '/var/lib/mysql',
                None, '[mysqld]', None, None, None, None,
                ds_version='10.11')
        prepare.assert_called_once()
        self.member.prepare.assert_not_called()

    def test_settings_arrive_typed(self) -> None:
        self.manager.configure_member(
            CONTEXT, facts=fakes.facts().to_dict(),
            secrets=fakes.secrets().to_dict(),
            identity=fakes.certificate().to_dict())
        self.member.configure.assert_called_once_with(
            fakes.facts(), fakes.secrets(), fakes.certificate())

    def test_answers_are_plain(self) -> None:
        self.member.position.return_value = POSITION
        self.assertEqual(REPORT.to_dict(),
                         self.manager.member_report(CONTEXT))
        self.assertEqual(POSITION.to_dict(),
                         self.manager.member_position(CONTEXT))

    def test_a_report_may_wait_for_the_server(self) -> None:
        self.manager.member_report(CONTEXT)
        self.member.wait_synced.assert_called_once_with(0.0)
        self.manager.member_report(CONTEXT, patience=1.5)
        self.assertEqual(
            ['wait_synced', 'report'],
            [call[0] for call in self.member.method_calls[-2:]])

    def test_orders_reach_the_service(self) -> None:
        self.manager.bootstrap_member(CONTEXT)
        self.member.bootstrap.assert_called_once_with()
        self.manager.join_member(CONTEXT)
        self.member.join.assert_called_once_with(True)
        self.manager.start_member(CONTEXT)
        self.member.start.assert_called_once_with()
        for name in ('write_probe', 'read_probe'):
            getattr(self.manager, name)(CONTEXT, token='t')
            getattr(self.member, name).assert_called_once_with('t')
        self.manager.drop_probe(CONTEXT)
        self.member.drop_probe.assert_called_once_with()
        self.assertIs(self.member.context.return_value,
                      self.manager.member_context(CONTEXT))
        self.assertIs(self.member.variables.return_value,
                      self.manager.member_variables(CONTEXT, ['a']))
        self.member.variables.assert_called_once_with(['a'])

    def test_backups_reach_the_service(self) -> None:
        order = backups.Order('b-1', test_backups.STORE)
        self.manager.start_backup(CONTEXT, order.to_dict())
        self.member.start_backup.assert_called_once_with(order)
        restore = backups.Restoring('r-1', test_backups.STORE, ('a',))
        self.manager.start_restore(CONTEXT, restore.to_dict())
        self.member.start_restore.assert_called_once_with(restore)
        self.member.backup_progress.return_value = backups.unknown('b-1')
        self.assertEqual(backups.unknown('b-1').to_dict(),
                         self.manager.backup_progress(CONTEXT, 'b-1'))
        self.manager.renew_backup_token(CONTEXT, 'b-1', 'token-2')
        self.member.renew_backup_token.assert_called_once_with(
            'b-1', secret.Secret('token-2'))
        self.manager.cancel_backup(CONTEXT, 'b-1')
        self.member.cancel_backup.assert_called_once_with('b-1')
        self.manager.bootstrap_restored(CONTEXT)
        self.member.bootstrap_restored.assert_called_once_with()

    def test_what_an_earlier_agent_left_is_ended(self) -> None:
        self.member.end_left_backup.assert_called_once_with()
        self.manager.report_member(CONTEXT)
        self.member.look_after_backups.assert_called_once_with()

    def test_a_complete_cluster_is_reported_at_once(self) -> None:
        with mock.patch.object(self.manager.status, 'set_ready',
                               autospec=True):
            self.manager.cluster_complete(CONTEXT)
        self.member.complete.assert_called_once_with()
        self.assertEqual('shutdown', self.told()[-1])

    def test_a_member_s_status_is_not_that_of_a_select(self) -> None:
        self.assertEqual('shutdown',
                         self.manager.get_service_status().description)


class AccountsTest(ManagerTestCase):
    """Users and databases: MemberAdmin for a member, else Trove's admin."""

    def setUp(self) -> None:
        super().setUp()
        self.admin = specs.spec(accounts.MemberAdmin)
        self.member.accounts.return_value = self.admin
        self.ending = self.patch(notification, 'EndNotification')
        self.ending.return_value.__exit__.return_value = False

    def of(self, server_type: str) -> Any:
        """The context of a call by the API, or of a cast by Trove."""
        context = trove_context.TroveContext()
        context.notification = mock.create_autospec(
            notification.DBaaSAPINotification, instance=True)
        context.notification.server_type = server_type
        return context

    def changes(self) -> Any:
        users = [{'_name': 'joe', '_password': PASSWORD}]
        return (('create_user', 'create_users', (users,)),
                ('delete_user', 'delete_user', ({'_name': 'joe'},)),
                ('update_attributes', 'update_attributes',
                 ('joe', '%', {'password': PASSWORD})),
                ('change_passwords', 'change_passwords', (users,)),
                ('create_database', 'create_databases', ([],)),
                ('delete_database', 'delete_database', ({'_name': 'x'},)))

    def others(self) -> Any:
        return (('list_users', 'list_users', (2, 'm', True)),
                ('get_user', 'get_user', ('joe', '%')),
                ('list_access', 'list_access', ('joe', '%')),
                ('grant_access', 'grant_access', ('joe', '%', ['shop'])),
                ('revoke_access', 'revoke_access', ('joe', '%', 'shop')),
                ('list_databases', 'list_databases', (2, 'm', True)),
                ('enable_root_with_password', 'enable_root', (PASSWORD,)),
                ('disable_root', 'disable_root', ()),
                ('is_root_enabled', 'is_root_enabled', ()))

    def test_a_member_s_reach_its_own_admin(self) -> None:
        for method, asked, values in (*self.changes(), *self.others()):
            getattr(self.manager, method)(self.of('api'), *values)
            getattr(self.admin, asked).assert_called_with(*values)
        self.manager.enable_root(CONTEXT)
        self.admin.enable_root.assert_called_with()
        self.ending.assert_not_called()

    def test_nothing_of_trove_s_admin_is_reached_past_it(self) -> None:
        """Each method of Trove's manager that uses an admin."""
        asked = {node.attr for node in ast.walk(ast.parse(inspect.getsource(
            trove_manager))) if isinstance(node, ast.Attribute)
            and ast.unparse(node.value) == 'self.adm'}
        self.assertEqual(set(), {
            method for method in asked
            if not hasattr(accounts.MemberAdmin, method)})

    def test_a_single_instance_s_reach_trove_s(self) -> None:
        self.member.is_member = False
        for method, asked, values in self.changes():
            with mock.patch.object(mariadb_service.MariaDBAdmin,
                                   asked, autospec=True) as made:
                getattr(self.manager, method)(self.of('guest'), *values)
            made.assert_called_once_with(mock.ANY, *values)
        self.assertEqual(6, self.ending.call_count)

    def test_who_is_not_waited_for_tells_of_the_end(self) -> None:
        """For example if the API is older than this guest."""
        for method, _, values in self.changes():
            context = self.of('guest')
            getattr(self.manager, method)(context, *values)
            self.ending.assert_called_with(context)

    def test_what_is_raised_tells_no_password(self) -> None:
        """Also unexpected errors: oslo.messaging logs and sends them."""
        for method, asked, values in (
                *(self.changes()[index] for index in (0, 2, 3)),
                self.others()[6]):
            try:
                raise KeyError(PASSWORD)
            except KeyError as cause:
                failure = ValueError('strange')
                failure.__cause__ = cause
            getattr(self.admin, asked).side_effect = failure
            try:
                getattr(self.manager, method)(self.of('api'), *values)
            except Exception as told:
                text = ''.join(traceback.format_exception(told))
            self.assertIn('ValueError: strange', text)
            self.assertNotIn('geheim', text)

    def test_certificates_of_clients_are_not_a_member_s(self) -> None:
        for ask in (self.manager.ssl_show, self.manager.ssl_action):
            failure = self.assertRaises(exceptions.RequestRefused, ask,
                                        CONTEXT)
            self.assertIn('cannot be managed', str(failure))

    def test_what_tells_none_is_raised_as_it_is(self) -> None:
        refusal = exceptions.RequestRefused('no such collation')
        self.admin.create_users.side_effect = refusal
        self.assertIs(refusal, self.assertRaises(
            exceptions.RequestRefused, self.manager.create_user,
            self.of('api'), [{'_password': PASSWORD}]))


class PxcManagerTest(ManagerTestCase):

    path = 'trove_pxc.guestagent.manager.PxcManager'
    group = 'pxc'

    def test_a_single_instance_is_refused(self) -> None:
        failure = self.assertRaises(
            exceptions.SingleInstanceRefused, self.manager.do_prepare,
            CONTEXT, [], None, 512, None, '/dev/vdb', '/var/lib/mysql',
            None, '[mysqld]', None, None, None, None)
        self.assertIn('cluster of three', str(failure))

    def test_it_is_a_galera_manager_of_pxc(self) -> None:
        self.assertIsInstance(self.manager, manager.GaleraManager)
        self.assertEqual('pxc', self.manager.manager)
