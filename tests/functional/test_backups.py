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

"""Backups of clusters: requests, and what the taskmanager does."""

import re
from typing import Any

from swiftclient import exceptions as swift_exceptions
from trove.backup import models as backup_models
from trove.common import cfg
from trove.quota import models as quota_models
import webob

from tests.functional import base
from tests.functional import swift
from trove_pxc.galera import backups
from trove_pxc.galera import view
from trove_pxc.taskmanager import backing
from trove_pxc import waiting

CONF = cfg.CONF


class BackupTestCase(base.TroveTest):
    """A cluster of three, and an object store."""

    def setUp(self) -> None:
        super().setUp()
        self.override('remote_swift_client', 'tests.functional.swift.client')
        for name, value in (('backup_poll_interval', 0.1),
                            ('operation_lease', 6),
                            ('operation_start_timeout', 20)):
            self.override(name, value, 'mariadb')
        self.swift = swift.Swift()
        swift.use(self.swift)
        self.addCleanup(self._end_all)
        self.start_taskmanager()
        self.cluster_id = str(self.create().json['cluster']['id'])
        self.wait_for_task(self.cluster_id)
        self.member = self.instance_rows(self.cluster_id)[1]

    def _end_all(self) -> None:
        """Make threads that a test left find that their backup is over."""
        for row in backup_models.DBBackup.find_all(deleted=False).all():
            row.update(deleted=True)

    def habit(self, name: str = 'products-3', **habits: Any) -> None:
        self.galera.habits[name] = habits

    def ask(self, **wanted: Any) -> webob.Response:
        """Request a backup of the cluster."""
        return self.request('POST', f'/clusters/{self.cluster_id}/backups',
                            {'backup': {'name': 'nightly', **wanted}})

    def ask_member(self, member: Any, **wanted: Any) -> webob.Response:
        """Request it as Trove's own command does."""
        return self.request('POST', '/backups', {'backup': {
            'name': 'nightly', 'instance': member.id, **wanted}})

    def asked(self, **wanted: Any) -> str:
        """The id of a backup that was accepted."""
        response = self.ask(**wanted)
        self.assertEqual(202, response.status_int, response.text)
        return str(response.json['backup']['id'])

    def made(self, **wanted: Any) -> str:
        """The id of a complete backup."""
        backup_id = self.asked(**wanted)
        self.wait_state(backup_id, 'COMPLETED')
        return backup_id

    def shown(self, backup_id: str) -> Any:
        return self.request('GET', f'/backups/{backup_id}').json['backup']

    def wait_state(self, backup_id: str, state: str) -> Any:
        def probe() -> Any:
            shown = self.shown(backup_id)
            if shown['status'] != state:
                raise waiting.NotYet(str(shown))
            return shown
        return waiting.until(f'{state} of the backup', probe, 300, 0.1)

    def wait_description(self, backup_id: str, words: str) -> None:
        def probe() -> None:
            if words not in (self.shown(backup_id)['description'] or ''):
                raise waiting.NotYet(str(self.shown(backup_id)))
        waiting.until(words, probe, 60, 0.1)

    def wait_row(self, backup_id: str, **values: Any) -> None:
        def probe() -> None:
            row = backup_models.DBBackup.get_by(id=backup_id)
            seen = {name: getattr(row, name) for name in values}
            if seen != values:
                raise waiting.NotYet(str(seen))
        waiting.until(str(values), probe, 120, 0.1)

    def in_use(self) -> int:
        return sum(int(row.in_use) for row in quota_models.QuotaUsage.find_all(
            tenant_id=base.PROJECT, resource='backups').all())

    def assert_failed(self, backup_id: str, *words: str) -> None:
        """It failed with these words, and left nothing behind."""
        text = self.wait_state(backup_id, 'FAILED')['description']
        for one in words:
            self.assertIn(one, text)
        self.wait_row(backup_id, location=None)
        self.assertEqual({}, self.swift.objects)


class MakingTest(BackupTestCase):

    def test_the_cluster_chooses_a_member(self) -> None:
        response = self.ask(description='before the sale')
        self.assertEqual(202, response.status_int, response.text)
        self.assertEqual('NEW', response.json['backup']['status'])
        backup_id = response.json['backup']['id']
        shown = self.wait_state(backup_id, 'COMPLETED')
        self.wait_notified('dbaas.backup_create.end')
        self.assertEqual('backup products-3', self.galera.events[-1])
        self.assertEqual(
            f'{swift.URL}/{CONF.backup_swift_container}/{backup_id}.xbstream',
            shown['locationRef'])
        self.assertEqual(1.0, shown['size'])
        self.assertEqual(
            'before the sale [complete: cluster products, member products-3, '
            '10.11.9-MariaDB, 1.0 GiB of data, 256.0 MiB stored, position '
            'u-1:7, GTID 0-1-7]', shown['description'])
        row = backup_models.DBBackup.get_by(id=backup_id)
        self.assertEqual('0123456789abcdef', row.checksum)
        order = self.galera.named('products-3').making
        assert order is not None
        self.assertEqual(
            {'name': 'nightly', 'cluster': 'products',
             'cluster-id': self.cluster_id, 'member': 'products-3',
             'member-id': row.instance_id, 'members': '3'}, order.metadata)
        self.assertEqual(1, self.in_use())

    def test_a_member_as_with_troves_own_command(self) -> None:
        self.request('POST', '/backup_strategies', {'backup_strategy': {
            'instance_id': self.member.id, 'swift_container': 'mine'}})
        response = self.ask_member(self.member)
        self.assertEqual(202, response.status_int, response.text)
        shown = self.wait_state(response.json['backup']['id'], 'COMPLETED')
        self.assertIn('/mine/', shown['locationRef'])
        self.assertEqual(self.member.id, shown['instance_id'])
        listed = self.request('GET', f'/backups?instance_id={self.member.id}')
        self.assertEqual([shown], listed.json['backups'])

    def test_the_container_of_the_request(self) -> None:
        shown = self.shown(self.made(swift_container='box'))
        self.assertIn('/box/', shown['locationRef'])

    def test_incremental_goes_to_the_member_of_its_parent(self) -> None:
        full = self.made(instance=self.member.id)
        second = self.made(incremental=1)
        third = self.made(parent_id=second)
        self.assertEqual(
            [(third, second), (second, full), (full, None)],
            [(one['id'], one['parent_id']) for one in self.request(
                'GET', f'/clusters/{self.cluster_id}/backups'
            ).json['backups']])
        order = self.galera.named('products-2').making
        assert order is not None and order.parent is not None
        self.assertEqual((second, 200, 'lineage-products-2'), (
            order.parent.id, order.parent.to_lsn, order.parent.lineage))

    def test_incremental_without_a_full_one_is_full(self) -> None:
        self.assertIsNone(
            self.shown(self.made(incremental=1))['parent_id'])

    def test_progress_is_shown(self) -> None:
        self.habit(backup_waits=True)
        backup_id = self.asked(description='mine')
        self.wait_description(backup_id, 'mine [progress: copy the data, '
                              '0.5 of 1.0 GiB, ')
        health = self.request(
            'GET', f'/clusters/{self.cluster_id}/health').json['health']
        self.assertIn(f'nightly ({backup_id}): progress: copy the data',
                      health['backup'])
        members = self.request('GET', f'/clusters/{self.cluster_id}/members')
        self.assertEqual(
            [('ACTIVE', 'member'), ('ACTIVE', 'member'),
             ('BACKUP', 'backup')],
            [(one['status'], one['role'])
             for one in members.json['members']])
        self.galera.habits.clear()
        shown = self.wait_state(backup_id, 'COMPLETED')
        self.assertTrue(shown['description'].startswith('mine [complete: '))

    def test_expired_token_is_replaced(self) -> None:
        self.habit(refused_tokens=('token-1', 'token-2'))
        self.made()
        self.assertIn('renew products-3', self.galera.events)

    def test_expired_token_of_the_user_ends_it(self) -> None:
        self.habit(refused_tokens=('token-1',))
        self.swift.fixed = True
        self.assert_failed(
            self.asked(), 'cannot store the backup: the object store refuses '
            'the token', 'remote_swift_client')

    def test_operations_of_the_cluster_go_on(self) -> None:
        """A restart of the member ends the backup, with a reason."""
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.wait_for_event('backup products-3')
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                {'restart': {}})
        self.assertEqual(202, response.status_int, response.text)
        self.assert_failed(backup_id, 'the backup was cancelled')
        self.wait_for_task(self.cluster_id)
        self.assertEqual(
            ['ACTIVE'] * 3, [one['status'] for one in self.show(
                self.cluster_id)['instances']])


class RefusalsTest(BackupTestCase):

    def assert_refused(self, response: webob.Response, status: int,
                       *words: str) -> None:
        self.assertEqual(status, response.status_int, response.text)
        for one in words:
            self.assertIn(one, response.text)
        self.assertEqual(0, self.in_use() - len(
            backup_models.DBBackup.find_all(deleted=False).all()))

    def test_the_last_member_is_refused(self) -> None:
        for name in ('products-1', 'products-3'):
            self.galera.named(name).server = view.ServerState.STOPPED
        self.assert_refused(self.ask(), 422, 'Only products-2 is Synced',
                            'health show')
        self.assert_refused(self.ask_member(self.member), 422,
                            'Only products-2 is Synced')

    def test_a_member_that_is_not_synced_is_refused(self) -> None:
        self.galera.named('products-2').server = view.ServerState.STOPPED
        self.assert_refused(self.ask(instance=self.member.id), 422,
                            'products-2 cannot be backed up, because it')

    def test_a_parent_that_cannot_be_extended(self) -> None:
        full = self.made(instance=self.member.id)
        first, _, third = self.instance_rows(self.cluster_id)
        self.assert_refused(
            self.ask(parent_id=full, instance=first.id), 400,
            'was made on another member', 'make a full backup')
        self.galera.named('products-2').server = view.ServerState.STOPPED
        self.assert_refused(
            self.ask(parent_id=full), 422, 'products-2 must make this '
            f'backup, because its parent {full} was made there')
        self.assert_refused(
            self.ask(parent_id=third.id), 400,
            'is not a complete backup of this cluster')

    def test_one_at_a_time(self) -> None:
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.assert_refused(self.ask(), 422, f'nightly ({backup_id})',
                            'database backup delete')

    def test_invalid_requests(self) -> None:
        url = f'/clusters/{self.cluster_id}/backups'
        for body, words in (
                ({'backup': {}}, "'name' is a required"),
                ({'backup': {'name': 'b', 'restore_from': {}}},
                 'Additional properties'),
                ({'backup': {'name': 'b', 'instance': self.cluster_id}},
                 'is not a member of cluster products'),
                (None, 'must be a JSON object'),
                ({'backup': {'name': 'b', 'swift_container': 'a;b'}}, '')):
            self.assert_refused(self.request('POST', url, body), 400, words)

    def test_readers_and_other_projects(self) -> None:
        backup_id = self.made()
        url = f'/clusters/{self.cluster_id}/backups'
        body = {'backup': {'name': 'b'}}
        for method, path, content in (
                ('POST', url, body), ('POST', '/backups', {'backup': {
                    'name': 'b', 'instance': self.member.id}}),
                ('DELETE', f'/backups/{backup_id}', None)):
            response = self.request(method, path, content, role='reader')
            self.assertEqual(403, response.status_int, response.text)
            response = self.request(method, path, content, project='other')
            self.assertEqual(404, response.status_int, response.text)
        response = self.request('GET', url, project='other')
        self.assertEqual(404, response.status_int, response.text)

    def test_without_quota(self) -> None:
        quota_models.Quota.create(tenant_id=base.PROJECT,
                                  resource='backups', hard_limit=0)
        self.assert_refused(self.ask(), 413)

    def test_without_an_object_store(self) -> None:
        self.swift.failure = swift_exceptions.ClientException('x')
        response = self.ask()
        self.assertGreaterEqual(response.status_int, 400, response.text)
        self.assertEqual(0, self.in_use())


class FailuresTest(BackupTestCase):

    def test_failure_of_the_guest(self) -> None:
        self.habit(backup_fails=(backups.Step.STORE, 'it has no space',
                                 'Free space.'))
        self.assert_failed(
            self.asked(description='mine'), 'mine [failed: cannot store the '
            'backup: it has no space. Next: Free space.]')
        self.wait_notified('dbaas.backup_create.error')

    def test_refusal_of_the_guest(self) -> None:
        self.habit(refuses_backup='another backup runs')
        self.assert_failed(self.asked(), 'cannot check the member',
                           'another backup runs')

    def test_agent_that_was_restarted(self) -> None:
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.wait_description(backup_id, 'progress')
        self.habit(forgets_backup=True)
        self.assert_failed(backup_id, 'products-3 was restarted')

    def test_guest_that_does_not_answer(self) -> None:
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.wait_description(backup_id, 'progress')
        self.galera.named('products-3').die()
        self.assert_failed(backup_id, 'has not answered for 60 s')

    def test_parent_that_is_missing_in_the_store(self) -> None:
        full = self.made()
        self.swift.objects.clear()
        self.assert_failed(self.asked(parent_id=full),
                           'its object is missing', 'Make a full backup')

    def test_manifest_that_is_missing_at_the_end(self) -> None:
        """The guest reports success, but the store does not have it."""
        self.habit(loses_manifest=True)
        self.assert_failed(self.asked(), 'cannot store the backup',
                           'its object is missing', 'Make the backup again')

    def test_store_that_is_gone_when_it_fails(self) -> None:
        """What is left is deleted when the store answers again."""
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.wait_description(backup_id, 'progress')
        self.swift.failure = swift_exceptions.ClientException(
            'x', http_status=503)
        self.habit(forgets_backup=True)
        self.wait_state(backup_id, 'FAILED')
        self.assertEqual(1, len(self.swift.objects))
        self.swift.failure = None
        self.rpc_manager.clean_backups(None)
        self.assert_failed(backup_id, 'was restarted')

    def test_deletion_of_the_cluster(self) -> None:
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.wait_for_event('backup products-3')
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.assert_failed(backup_id, 'its cluster is being deleted')

    def test_removal_of_the_member(self) -> None:
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.wait_for_event('backup products-3')
        row = self.instance_rows(self.cluster_id)[2]
        self.override('min_cluster_member_count', 2, 'mariadb')
        response = self.request('POST', f'/clusters/{self.cluster_id}',
                                {'shrink': [{'id': row.id}]})
        self.assertEqual(202, response.status_int, response.text)
        self.wait_state(backup_id, 'FAILED')
        self.wait_for_task(self.cluster_id)
        self.assert_failed(backup_id, 'Next: ')


class DeletionTest(BackupTestCase):

    def delete(self, backup_id: str) -> webob.Response:
        return self.request('DELETE', f'/backups/{backup_id}')

    def test_objects_and_quota_are_gone(self) -> None:
        backup_id = self.made()
        self.assertEqual(202, self.delete(backup_id).status_int)
        self.wait_row(backup_id, location=None, datastore_version_id=None)
        self.wait_notified('dbaas.backup_delete.end')
        self.assertEqual({}, self.swift.objects)
        self.assertEqual(0, self.in_use())
        self.assertEqual(404, self.delete(backup_id).status_int)

    def test_of_a_deleted_cluster(self) -> None:
        backup_id = self.made()
        self.request('DELETE', f'/clusters/{self.cluster_id}')
        self.wait_deleted(self.cluster_id)
        self.assertEqual('COMPLETED', self.shown(backup_id)['status'])
        self.assertEqual(202, self.delete(backup_id).status_int)
        self.wait_row(backup_id, location=None)
        self.assertEqual({}, self.swift.objects)

    def test_a_chain_is_not_broken(self) -> None:
        full = self.made()
        part = self.made(incremental=1)
        response = self.delete(full)
        self.assertEqual(400, response.status_int, response.text)
        self.assertIn(f'build on it: nightly ({part})', response.text)
        self.assertEqual(202, self.delete(part).status_int)
        self.assertEqual(202, self.delete(full).status_int)
        self.wait_row(full, location=None)

    def test_of_one_that_runs(self) -> None:
        self.habit(backup_waits=True)
        backup_id = self.asked()
        self.wait_for_event('backup products-3')
        self.assertEqual(202, self.delete(backup_id).status_int)
        self.wait_row(backup_id, location=None)
        self.assertIn('cancel products-3', self.galera.events)
        self.assertEqual({}, self.swift.objects)
        self.assertEqual(0, self.in_use())
        self.galera.habits.clear()
        self.made()

    def test_while_the_store_is_gone(self) -> None:
        backup_id = self.made()
        self.swift.failure = swift_exceptions.ClientException('x')
        self.assertEqual(202, self.delete(backup_id).status_int)
        self.wait_notified('dbaas.backup_delete.error')
        self.assertEqual(1, len(re.findall(
            backup_id, ' '.join(name for _, name in self.swift.objects
                                if name.endswith('.xbstream')))))
        self.swift.failure = None
        self.rpc_manager.clean_backups(None)
        self.wait_row(backup_id, location=None)
        self.assertEqual({}, self.swift.objects)


class TakenUpTest(BackupTestCase):
    """The taskmanager dies; another one goes on."""

    def test_one_that_runs(self) -> None:
        self.habit(backup_waits=True)
        row = self.instance_rows(self.cluster_id)[2]
        backup_id = self._begun(row)
        guest = self.galera.named('products-3')
        guest.start_backup(None, backups.Order(
            backup_id, backups.Store(
                swift.URL, backing.secret.Secret('token-0'), 'box')).to_dict())
        with self._supervised():
            self.wait_description(backup_id, 'progress')
            self.galera.habits.clear()
            self.wait_state(backup_id, 'COMPLETED')
        self.assertEqual(1, self.galera.events.count('backup products-3'))

    def test_one_that_the_guest_was_not_told(self) -> None:
        backup_id = self._begun(self.instance_rows(self.cluster_id)[2])
        with self._supervised():
            self.wait_state(backup_id, 'COMPLETED')
        self.assertEqual(1, self.galera.events.count('backup products-3'))

    def test_one_whose_request_was_lost(self) -> None:
        self.stop_taskmanager()
        backup_id = self.asked()
        base.rpc.cleanup()
        base.rpc.init(CONF)
        self.galera_listens_again()
        self.start_taskmanager()
        with self._supervised():
            self.wait_state(backup_id, 'COMPLETED')

    def galera_listens_again(self) -> None:
        for guest in self.galera.guests.values():
            guest.listen()

    def _begun(self, member: Any) -> str:
        """One that a taskmanager has begun, before it died."""
        row = backing.rows.new_row(self.context(), member, 'nightly', None,
                                   'box', None)
        assert backing.rows.Held.take(row.id) is not None
        return str(row.id)

    def _supervised(self) -> waiting.Regularly:
        return waiting.Regularly(
            0.2, lambda: self.rpc_manager.resume_backups(None))
