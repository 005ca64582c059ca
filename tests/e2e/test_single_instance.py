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

"""A single MariaDB instance works as in Trove without this plugin."""

from lab import waiting
from tests.e2e import case
from tests.e2e import laboratory

NAME = 'single'


class TestSingleInstance(case.TestCase):

    def test_instance_can_be_created_used_and_deleted(self):
        created = laboratory.openstack_json(
            'database', 'instance', 'create', NAME,
            '--flavor', laboratory.FLAVOR, '--size', '1',
            '--nic', f'net-id={laboratory.NETWORK}',
            '--datastore', laboratory.DATASTORE,
            '--datastore-version', laboratory.VERSION,
            '--databases', 'shop', '--users', 'keeper:a-pass-word')
        instance_id = created['id']
        self.addCleanup(self.make_sure, instance_id)
        laboratory.wait_instance(instance_id)

        listed = laboratory.openstack_json(
            'database', 'db', 'list', instance_id)
        self.assertIn({'Name': 'shop'}, listed)
        self.assertEqual(
            'OFF', laboratory.sql(NAME, 'SELECT @@wsrep_on')[0][0].replace(
                '0', 'OFF'))
        laboratory.sql(NAME, 'CREATE TABLE shop.t (n INT PRIMARY KEY)')
        laboratory.sql(NAME, 'INSERT INTO shop.t VALUES (42)')

        laboratory.openstack('database', 'instance', 'restart', instance_id)
        self.wait_row()
        laboratory.wait_instance(instance_id)

        laboratory.openstack('database', 'instance', 'delete', instance_id)
        laboratory.wait_gone(f'/instances/{instance_id}')

    def wait_row(self):
        def there():
            with laboratory.not_yet(NAME):
                return laboratory.sql(NAME, 'SELECT n FROM shop.t')

        self.assertEqual(
            [['42']], waiting.until('the row', there, 90, 0.5))

    def make_sure(self, instance_id):
        """Delete what a failed test has left, for later tests."""
        listed = laboratory.openstack_json('database', 'instance', 'list')
        if instance_id in [row['ID'] for row in listed]:
            laboratory.openstack(
                'database', 'instance', 'force', 'delete', instance_id)
            laboratory.wait_gone(f'/instances/{instance_id}', 60)
