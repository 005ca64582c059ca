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

"""The notifications of each operation, as documented in the user guide."""

import dataclasses
import inspect
import pathlib
import re
from typing import Any

import fixtures
from oslo_messaging.notify import _impl_test as sent
from trove.common import notification

from tests.functional import base
from tests.functional import test_grow
from trove_pxc import exceptions
from trove_pxc import notifications
from trove_pxc.taskmanager import tasks

GUIDE = (pathlib.Path(__file__).parents[2]
         / 'doc/source/user/metrics.rst')
OF_ALL = {'tenant_id', 'request_id', 'client_ip', 'server_ip',
          'server_type'}
#: Used by Trove to pass a notification to the process that ends it.
OF_TROVE = {'notification_classname'}
OF_END = {'cluster_grow': {'instance_ids'}}


def documented() -> dict[str, set[str]]:
    """The payload keys of each event at its start, by event name."""
    rows = re.findall(r'   \* - ``dbaas\.(\w+)``\n     - (.*)\n',
                      GUIDE.read_text())
    return {event: set(re.findall(r'``(\w+)``', keys))
            for event, keys in rows}


class Told(base.TroveTest):
    """The notifications of one cluster."""

    cluster_id: str

    def told(self, event: str, form: str) -> Any:
        (payload,) = self.notified(f'dbaas.{event}.{form}')
        return payload

    def check(self, event: str, form: str) -> Any:
        """It was sent once, with the documented keys, for this cluster."""
        self.wait_notified(f'dbaas.{event}.{form}')
        payload = self.told(event, form)
        keys = documented()[event]
        if event == 'cluster_recover':
            keys = keys - {'instance_id'}
        if form != 'start':
            keys = keys | {'cluster_id'} | OF_END.get(event, set())
        if form == 'error':
            keys = keys | {'message', 'exception'}
        self.assertEqual(OF_ALL | keys, set(payload) - OF_TROVE,
                         f'{event}.{form}')
        if 'cluster_id' in keys:
            self.assertEqual(self.cluster_id, payload['cluster_id'])
        return payload


class FailedCreateTest(Told):

    def test_failed_create_is_notified_with_the_reason(self) -> None:
        self.start_taskmanager()
        self.galera.habits['products-2'] = {'crashes': True}
        self.cluster_id = self.create().json['cluster']['id']
        payload = self.check('cluster_create', 'error')
        self.assertIn('disk is 100% full', payload['message'])
        self.assertEqual([], self.notified('dbaas.cluster_create.end'))


class NotificationsTest(test_grow.GrowthTest, Told):
    """Each test begins with a cluster of three, whose create was notified."""

    def events(self) -> set[str]:
        """The events of clusters, with their form."""
        return {message['event_type'].removeprefix('dbaas.')
                for _, message, _, _ in sent.NOTIFICATIONS
                if message['event_type'].startswith('dbaas.cluster')}

    def act_once(self, event: str) -> None:
        """Do what this event notifies of."""
        wanted = {
            'cluster_grow': {'grow': [test_grow.node()]},
            'cluster_restart': {'restart': {}},
            'cluster_resize_flavor': {'resize': {'flavorRef': '2'}},
            'cluster_resize_volume': {'resize': {'volume': {'size': 2}}},
            'cluster_recover': {'recover': {}},
            'cluster_rotate_certificates': {'rotate_certificates': {}},
        }
        if event == 'cluster_shrink':
            self.shrink(self.instance_rows(self.cluster_id)[-1].name)
        elif event == 'cluster_delete':
            self.request('DELETE', f'/clusters/{self.cluster_id}')
        else:
            self.accept(wanted[event])

    def test_successful_operations_are_notified(self) -> None:
        for event in documented():
            if event != 'cluster_create':
                self.act_once(event)
            for form in ('start', 'end'):
                self.check(event, form)
        self.assertEqual(
            {f'{event}.{form}' for event in documented()
             for form in ('start', 'end')}, self.events())

    def test_each_member_is_notified_as_an_instance(self) -> None:
        names = [payload['name'] for payload
                 in self.notified('dbaas.instance_create.start')]
        self.assertEqual(['products-1', 'products-2', 'products-3'], names)
        self.act_once('cluster_grow')
        *_, new = self.notified('dbaas.instance_create.start')
        self.assertEqual(('products-4', self.cluster_id),
                         (new['name'], new['cluster_id']))
        self.assertEqual(['instance_create'] * 4, [
            self.galera.named(f'products-{number}').prepared_for
            for number in range(1, 5)])

    def test_payload_values_are_correct(self) -> None:
        ids = [row.id for row in self.instance_rows(self.cluster_id)]
        self.assertEqual(
            ('products', 'mariadb', '10.11'), tuple(
                self.check('cluster_create', 'start')[key]
                for key in ('name', 'datastore', 'datastore_version')))
        self.act_once('cluster_grow')
        (new,) = self.check('cluster_grow', 'end')['instance_ids']
        self.assertEqual(self.named('products-4').id, new)
        self.act_once('cluster_shrink')
        self.assertEqual(
            [new], self.check('cluster_shrink', 'start')['instance_ids'])
        self.act_once('cluster_resize_volume')
        resized = self.check('cluster_resize_volume', 'end')
        self.assertEqual((2, ids), (resized['new_size'],
                                    resized['instance_ids']))

    def break_step(self, operation: str) -> None:
        """Make the operation fail as soon as it runs its steps."""
        def fail(*_: Any) -> None:
            raise exceptions.MemberFailed('products-1', ids[0], 'it is broken')
        ids = [row.id for row in self.instance_rows(self.cluster_id)]
        module, _, name = operation.partition('.')
        operations = getattr(tasks, module)
        self.useFixture(fixtures.MockPatchObject(
            operations, name, dataclasses.replace(
                getattr(operations, name), run=fail)))

    def test_failed_operations_are_notified(self) -> None:
        for event, broken in (
                ('cluster_recover', 'recover.OPERATION'),
                ('cluster_restart', 'restart.OPERATION'),
                ('cluster_rotate_certificates', 'rotate.OPERATION'),
                ('cluster_resize_flavor', 'resize.FLAVOR'),
                ('cluster_resize_volume', 'resize.VOLUME'),
                ('cluster_shrink', 'shrink.OPERATION'),
                ('cluster_grow', 'grow.OPERATION'),
                ('cluster_delete', 'delete.OPERATION')):
            self.break_step(broken)
            if event == 'cluster_shrink':
                self.override('min_cluster_member_count', 2, 'mariadb')
            self.act_once(event)
            payload = self.check(event, 'error')
            self.assertIn('it is broken', payload['message'])
            self.assertIn('Next: ', payload['message'])
            self.assertIn('MemberFailed', ''.join(payload['exception']))
            self.assertEqual([], self.notified(f'dbaas.{event}.end'))

    def test_forced_member_is_in_the_notification(self) -> None:
        forced = self.member(2)
        self.accept({'recover': {'force': forced}})
        self.wait_notified('dbaas.cluster_recover.end')
        self.assertEqual(
            forced, self.told('cluster_recover', 'start')['instance_id'])
        self.assertIn('instance_id', documented()['cluster_recover'])

    def test_every_notification_is_documented(self) -> None:
        ours = {
            kind.event_type(None)  # type: ignore[arg-type]
            for _, kind in inspect.getmembers(notifications, inspect.isclass)
            if issubclass(kind, notification.DBaaSAPINotification)}
        self.assertEqual(set(), ours - documented().keys())
