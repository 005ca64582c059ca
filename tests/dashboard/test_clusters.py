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
"""The operations of the dashboard for clusters: "tox -e dashboard".

A real Horizon with trove-dashboard, in a lab with Keystone, and a headless
Chromium. If DASHBOARD_SHOTS is a folder, it stores screenshots there.
"""

import contextlib
import os
from pathlib import Path

import testtools

from lab import identity
from lab.images import build
from lab import report
from lab import waiting
from tests.dashboard import browser as browsers
from tests.dashboard import horizon
from tests.e2e import laboratory

NAME = 'products'
CLUSTERS = '/project/database_clusters/'
FORM = {'flavor': laboratory.FLAVOR, 'volume': '1',
        'network': laboratory.NETWORK}


def launch(datastore):
    """The fields of the form for new clusters, without name and number.

    The panel writes a datastore and its version in hexadecimal digits.
    """
    chosen = f'{datastore} - {laboratory.VERSION}'.encode().hex()
    return {'datastore': chosen, chosen: laboratory.FLAVOR,
            'network': laboratory.NETWORK, 'volume': '1', 'num_shards': '1',
            'num_instances_vertica': '3'}


LAUNCH = launch(laboratory.DATASTORE)


class TestClusters(testtools.TestCase):

    def setUp(self):
        super().setUp()
        self.home = laboratory.home()
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.stack.enter_context(horizon.Horizon(self.home))
        self.addCleanup(self.make_sure)

    def make_sure(self):
        """Delete the clusters of a failed run."""
        for row in laboratory.openstack_json('database', 'cluster', 'list'):
            laboratory.delete_cluster(row['ID'], timeout=60)

    @contextlib.contextmanager
    def logged_in(self, who):
        """A browser in which this user has logged in."""
        with browsers.Browser(self.home.controller,
                              horizon.ADDRESS) as browser:
            browser.go('/auth/login/')
            password = self.home.secret(identity.account(who).secret)
            browser.post('/auth/login/', username=who, password=password,
                         domain='Default', auth_type='credentials',
                         region='default')
            self.assertNotIn('/auth/login', browser.run('location.href'))
            yield browser

    def shoot(self, browser, name):
        folder = os.environ.get('DASHBOARD_SHOTS')
        if folder:
            browser.shoot(Path(folder) / f'{name}.png')

    def settled(self, browser, *words):
        """Wait until no cluster has a task, and these words are shown."""
        def none():
            browser.go(CLUSTERS)
            table = browser.text('table')
            if not all(word in table for word in ('None', *words)):
                raise waiting.NotYet(table)
            return True

        waiting.until('the cluster in the panel', none,
                      laboratory.READY_TIMEOUT, 2)

    def act(self, browser, path, action, of):
        """Press a button of a table."""
        browser.post(CLUSTERS + path, action=f'{action}__{of}' if of
                     else action)
        return browser.text('.alert')

    def test_cluster_can_be_managed_in_the_dashboard(self):
        with self.logged_in('demo') as browser:
            browser.go(f'{CLUSTERS}launch')
            self.assertIn('db.small', browser.text('option'))
            browser.post(f'{CLUSTERS}launch', name='small',
                         num_instances='2', **LAUNCH)
            self.assertIn('must be at least 3', browser.text('.alert'))
            browser.post(f'{CLUSTERS}launch', name=NAME, num_instances='3',
                         **LAUNCH)
            self.assertIn(f'Launched cluster "{NAME}"',
                          browser.text('.alert'))
            self.settled(browser, '3 instances')
            self.shoot(browser, 'dashboard-clusters')
            cluster = self.find()
            self.check_shown(browser, cluster)
        with self.logged_in('demo-reader') as browser:
            self.check_reader(browser, cluster)
        with self.logged_in('other') as browser:
            browser.go(CLUSTERS)
            self.assertNotIn(NAME, browser.text('body'))
            browser.go(f'{CLUSTERS}{cluster}/')
            self.assertNotIn(NAME, browser.text('body'))
        with self.logged_in('demo') as browser:
            self.grow_and_shrink(browser, cluster)
            self.assertIn('Scheduled deletion', self.act(
                browser, '', 'clusters__delete', cluster))
        laboratory.wait_gone(f'/clusters/{cluster}', 60)

    def test_datastore_with_the_name_pxc_is_supported(self):
        """The options of the panel depend on that name only.

        No image of Percona is available here, so the servers are MariaDB's;
        the panel does not check which image a name stands for.
        """
        laboratory.lab(
            'datastore', 'add', '--manager', 'mariadb', '--datastore', 'pxc',
            '--version', laboratory.VERSION, '--image',
            str(build.ensure_database_image(self.home, report.Report())))
        with self.logged_in('demo') as browser:
            browser.go(f'{CLUSTERS}launch')
            self.assertIn(f'pxc - {laboratory.VERSION}',
                          browser.text('option'))
            browser.post(f'{CLUSTERS}launch', name=NAME, num_instances='3',
                         **launch('pxc'))
            self.assertIn(f'Launched cluster "{NAME}"',
                          browser.text('.alert'))
            self.settled(browser, '3 instances', 'pxc')
            cluster = self.find()
            self.check_shown(browser, cluster)
            self.grow_and_shrink(browser, cluster)
            self.assertIn('Scheduled deletion', self.act(
                browser, '', 'clusters__delete', cluster))
        laboratory.wait_gone(f'/clusters/{cluster}', 60)

    def find(self):
        (row,) = laboratory.openstack_json('database', 'cluster', 'list')
        return row['ID']

    def members(self):
        cluster = laboratory.wait_ready(self.find())
        return [(one['id'], one['name'], one['ip'][0])
                for one in cluster['instances']]

    def check_shown(self, browser, cluster):
        browser.go(f'{CLUSTERS}{cluster}/')
        text = browser.text('body')
        for _, name, address in self.members():
            self.assertIn(f'{name} member {address} db.small', text)
        self.assertIn(f'mysql -h {self.members()[0][2]}', text)
        browser.run("[...document.querySelectorAll('.nav-tabs a')].find("
                    "one => one.textContent.trim() == 'Instances').click()")
        waiting.until('the tab', lambda: browser.run(
            "document.querySelector('#instances').offsetParent !== null"),
            30)
        self.shoot(browser, 'dashboard-members')

    def check_reader(self, browser, cluster):
        """A reader sees the cluster, and why it may not be changed."""
        self.settled(browser, NAME)
        self.assertIn('Unable to delete', self.act(
            browser, '', 'clusters__delete', cluster))
        member = self.members()[0][0]
        self.assertIn("Policy doesn't allow galera:shrink", self.act(
            browser, f'{cluster}/cluster_shrink_details',
            'shrink_cluster_table__cluster_shrink_action', member))
        browser.post(f'{CLUSTERS}launch', name='more', num_instances='3',
                     **LAUNCH)
        self.assertIn("Policy doesn't allow galera:create",
                      browser.text('.alert'))
        self.assertEqual(cluster, self.find())
        self.assertEqual(3, len(self.members()))

    def grow_and_shrink(self, browser, cluster):
        for kind, answer in (
                ('arbiter', "'arbiter' is not one of ['member']"),
                ('', 'Scheduled growing')):
            browser.go(f'{CLUSTERS}{cluster}/cluster_grow_details')
            browser.post(f'{CLUSTERS}{cluster}/add_instance',
                         cluster_id=cluster, name='fourth', type=kind,
                         related_to='', **FORM)
            self.assertIn(answer, self.act(
                browser, f'{cluster}/cluster_grow_details',
                'cluster_grow_instances_table__grow_cluster_action', ''))
        self.settled(browser, '4 instances')
        *_, (member, name, _) = self.members()
        self.assertEqual('fourth', name)
        self.assertIn('Removed instances', self.act(
            browser, f'{cluster}/cluster_shrink_details',
            'shrink_cluster_table__cluster_shrink_action', member))
        self.settled(browser, '3 instances')
