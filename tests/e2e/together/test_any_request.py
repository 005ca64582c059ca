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

"""Whatever is asked of a cluster, the API has an answer and no harm is done.

Five hundred requests and more, made by hypothesis: the same ones in every
run; "tox -e e2e-long" makes four times as many. ``LAB_FUZZ_SEED`` gives
others; a failure shows the request and the number. The cloud takes no more
servers while they run, so that a cluster that is created in earnest fails at
once and boots nothing.
"""

import contextlib
import http.client
import json
import os
from urllib import parse

from hypothesis import strategies as st

from lab.cloud import seed
from lab import home as lab_home
from lab import netns
from lab import waiting
from tests.e2e import laboratory
from tests.e2e import leftovers
from tests.e2e import strategies
from tests.e2e.together import cluster
from tests import member_requests

MEMBERS = cluster.MEMBERS
SEED = int(os.environ.get('LAB_FUZZ_SEED', '20261125'))
AT_LEAST = 2000
PATIENCE = 60


def is_utf8(body):
    try:
        return body.decode() is not None
    except UnicodeDecodeError:
        return False


class Cloud:
    """The lab's cloud, in which servers can be forbidden."""

    def __init__(self, home):
        self.home = home

    def limit_servers(self, number):
        with netns.entered(netns.path(self.home.controller)):
            link = http.client.HTTPConnection(
                '127.0.0.1', lab_home.CLOUD_PORT, timeout=PATIENCE)
            with contextlib.closing(link):
                link.request('PUT', '/lab/limits',
                             json.dumps({'instances': number}))
                if link.getresponse().status != 200:
                    raise AssertionError('the cloud takes no limit')


class Api:
    """Sends requests as they are, and remembers what was made by them.

    :ivar counts: how many answers had each code
    :ivar made: the paths of clusters and instances that are to be removed
    """

    def __init__(self, home):
        self._url = parse.urlsplit(home.api_url)
        self._link = None
        self.counts = {}
        self.made = []

    def send(self, call):
        """The code and text of the answer."""
        code, text = self._ask(call)
        self.counts[code] = self.counts.get(code, 0) + 1
        if code == 200 and call.method == 'POST':
            (kind, shown), = json.loads(text).items()
            if kind in ('cluster', 'instance'):
                self.made.append(f'/{kind}s/{shown["id"]}')
                self._settle(self.made[-1])
        if code == 202 and call.path in self.made:
            self._settle(call.path)
        return code, text

    def _settle(self, path):
        """Wait until nothing more is done to it."""
        def settled():
            code, text = self._ask(strategies.Call('GET', path))
            shown = {} if code == 404 else json.loads(text)
            for one in shown.values():
                if one.get('task', {'name': 'NONE'})['name'] != 'NONE':
                    raise waiting.NotYet(text[:300])
            return True

        waiting.until(f'{path} to be left alone', settled, PATIENCE, 0.1)

    def quotas(self):
        """What the project uses and has reserved."""
        code, text = self._ask(strategies.Call(
            'GET', f'/mgmt/quotas/{lab_home.PROJECT}'), 'admin')
        if code != 200:
            raise AssertionError(text)
        return {one['resource']: (one['in_use'], one['reserved'])
                for one in json.loads(text)['quotas']}

    def _ask(self, call, project=lab_home.PROJECT):
        if self._link is None:
            self._link = http.client.HTTPConnection(
                self._url.hostname, self._url.port, timeout=PATIENCE)
        headers = {'Content-Type': call.kind} if call.kind else {}
        try:
            self._link.request(
                call.method, f'/v1.0/{project}{call.path}',
                call.body or None, headers)
            answer = self._link.getresponse()
            text = answer.read().decode(errors='replace')
        except (OSError, http.client.HTTPException):
            self._link.close()
            self._link = None
            raise
        if answer.will_close:
            self._link.close()
            self._link = None
        return answer.status, text


class TestAnyRequest(cluster.TestCase):
    #: of so many requests one is sent
    part = 4
    #: what they are answered with, among others
    codes = (200, 202, 400, 404)

    def setUp(self):
        super().setUp()
        self.before = leftovers.snapshot(self.home)
        self.api = Api(self.home)
        self.addCleanup(leftovers.wait_unchanged, self.home, self.before, 60)
        self.cluster = laboratory.wait_ready(self.cluster_id)
        self.member_ids = [one['id'] for one in self.cluster['instances']]
        self.addCleanup(laboratory.sql, MEMBERS[0], 'DROP TABLE mysql.kept')
        laboratory.sql(MEMBERS[0], 'CREATE TABLE mysql.kept (n INT KEY)')
        laboratory.sql(MEMBERS[1], 'INSERT INTO mysql.kept VALUES (42)')
        self.addCleanup(Cloud(self.home).limit_servers,
                        seed.LIMITS['instances'])
        self.addCleanup(self.remove_made)
        Cloud(self.home).limit_servers(len(self.member_ids))
        self.used = self.api.quotas()

    def test_any_request(self):
        failures = []
        for name, number, calls in self.kinds():
            try:
                self.send_all(number // self.part, calls)
            except Exception as failure:
                failures.append(f'{name}, LAB_FUZZ_SEED={SEED}: {failure!r}'
                                f' {getattr(failure, "__notes__", "")}')
        self.assertEqual([], failures)
        self.assertGreaterEqual(sum(self.api.counts.values()),
                                AT_LEAST // self.part, self.api.counts)
        for code in self.codes:
            self.assertIn(code, self.api.counts)
        self.remove_made()
        self.assertEqual(self.used, self.api.quotas())
        self.check_cluster()

    def kinds(self):
        """The name of each kind, how many, and what they are."""
        known = st.just(self.cluster_id)
        other = strategies.ids.map(strategies.quoted)
        cluster = st.one_of(known, known, other).map('/clusters/{}'.format)
        # What concerns other instances has Trove's answer, a 500 at times.
        member = st.sampled_from(self.member_ids).map(
            '/instances/{}'.format)
        yield 'create', 500, strategies.calls(
            'POST', st.just('/clusters'), st.one_of(
                strategies.spoilt(self.good()), strategies.values,
                strategies.spoilt({'cluster': {}})))
        yield 'create in earnest', 25, strategies.calls(
            'POST', st.just('/clusters'), st.just(self.good()))
        yield 'list', 200, strategies.bare('GET', strategies.queries().map(
            '/clusters?{}'.format))
        yield 'show', 250, strategies.bare('GET', st.builds(
            '{}{}'.format, cluster, st.sampled_from((
                '', '', '/members', '/health', '/root', '/instances',
                f'/instances/{self.member_ids[0]}', '/x', '.json', '/'))))
        yield 'actions', 450, strategies.calls(
            'POST', cluster, self.actions())
        yield 'actions of those that failed', 150, self.on_made()
        yield 'delete', 60, strategies.bare('DELETE', other.map(
            '/clusters/{}'.format))
        yield 'other methods', 60, st.sampled_from(
            ('PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE')).flatmap(
                lambda method: strategies.calls(
                    method, cluster, strategies.values))
        yield 'instances', 150, st.one_of(
            st.just(strategies.Call('POST', '/instances', strategies.encoded({
                'instance': {'name': 'r',
                             'replica_of': self.member_ids[0]}}))),
            strategies.calls('PUT', member, self.updates()),
            strategies.bare('GET', member))
        yield 'users and databases', 250, self.accounts(member)
        yield 'one member', 200, member_requests.others(
            f'/instances/{self.member_ids[1]}', self.member_ids[1])

    def good(self):
        """The body of a create that is as it should be."""
        return {'cluster': {
            'name': 'more', 'locality': 'affinity',
            'datastore': {'type': laboratory.DATASTORE,
                          'version': laboratory.VERSION},
            'extended_properties': {'instance_names': ['a', None, None]},
            'configuration': None,
            'instances': [{
                'flavorRef': laboratory.FLAVOR, 'volume': {'size': 1},
                'nics': [{'network_id': laboratory.NETWORK}],
                'availability_zone': 'nova', 'modules': [], 'name': None,
                'region_name': 'RegionOne',
            } for _ in range(3)]}}

    def actions(self):
        """None of them is right for a cluster that works."""
        unknown = '00000000-0000-4000-8000-000000000000'
        good = ({'restart': {'instance': unknown}},
                {'resize': {'instance': unknown, 'flavorRef': '1'}},
                {'resize': {'flavorRef': laboratory.FLAVOR}},
                {'resize': {'volume': {'size': 1}}},
                {'grow': [{'flavorRef': '4711', 'volume': {'size': 1}}] * 2},
                {'shrink': [{'id': unknown}]},
                {'rotate_certificates': {'instance': unknown}},
                {'recover': {'dry_run': True, 'bootstrap': unknown}},
                {'upgrade': {'datastore_version': '10.11'}},
                {'configuration_attach': {'configuration_id': unknown}},
                {'configuration_detach': {}}, {'add_shard': {}},
                {'reset-status': {}}, {'reset-status': {'force_delete': 1}})
        return st.one_of(
            st.sampled_from(good), strategies.values,
            st.dictionaries(strategies.texts, strategies.values, max_size=2),
            st.sampled_from(good).flatmap(strategies.spoilt)).filter(
                lambda body: not self.is_right(body))

    def is_right(self, body):
        """Whether the cluster that works would really do it."""
        if not isinstance(body, dict):
            return False
        resize, grow = body.get('resize'), body.get('grow')
        return (any(action in body and body[action] in (None, {})
                    for action in ('restart', 'rotate_certificates'))
                or isinstance(grow, list) and '4711' not in str(grow)
                or isinstance(resize, dict) and 'instance' not in resize)

    def updates(self):
        """What would harm a member, or is not understood."""
        good = ({'instance': {'access': {'is_public': True}}},
                {'instance': {'datastore_version': '10.11'}},
                {'instance': {'replica_of': ''}},
                {'instance': {'configuration': None}})
        return st.one_of(strategies.values, st.sampled_from(good),
                         st.sampled_from(good).flatmap(strategies.spoilt))

    def accounts(self, member):
        """Through the cluster's members."""
        names = st.one_of(
            st.just('joe'), strategies.texts.map(strategies.quoted))
        user = {'name': 'joe', 'password': 'a-Pass-1', 'host': '%',
                'databases': [{'name': 'shop'}]}
        users = {'users': [user]}
        databases = {'databases': [{'name': 'shop', 'collate': '',
                                    'character_set': 'utf8'}]}

        def place(form):
            return st.builds(form.format, member, names)
        return st.one_of(
            strategies.bare('GET', st.builds('{}/{}?{}'.format, member,
                                             st.sampled_from(
                                                 ('users', 'databases')),
                                             strategies.queries())),
            strategies.calls('POST', place('{}/users'),
                             strategies.spoilt(users)),
            strategies.calls('PUT', place('{}/users'),
                             strategies.spoilt(users)),
            strategies.calls('PUT', place('{}/users/{}'),
                             strategies.spoilt({'user': user})),
            strategies.calls('PUT', place('{}/users/{}/databases'),
                             strategies.spoilt(databases)),
            strategies.calls('POST', place('{}/databases'),
                             strategies.spoilt(databases)),
            strategies.bare('GET', place('{}/users/{}')),
            strategies.bare('GET', place('{}/users/{}/databases')),
            strategies.bare('DELETE', place('{}/users/{}')),
            strategies.bare('DELETE', place('{}/databases/{}')),
            strategies.bare('DELETE', place('{}/users/joe/databases/{}')))

    def on_made(self):
        """Everything, for the clusters that were made and have failed."""
        made = [path for path in self.api.made
                if path.startswith('/clusters')]
        path = st.sampled_from(made) if made else st.just('/clusters/none')
        right = st.sampled_from((
            {'restart': {}}, {'restart': None}, {'rotate_certificates': {}},
            {'resize': {'flavorRef': '3'}},
            {'resize': {'volume': {'size': 3}}}, {'reset-status': {}}))
        look = st.builds('{}{}'.format, path, st.sampled_from(
            ('', '/members', '/health', '/root')))
        return st.one_of(
            strategies.calls('POST', path, st.one_of(right, self.actions())),
            strategies.bare('GET', look), strategies.bare('DELETE', path))

    def send_all(self, number, calls):
        def check(call):
            code, text = self.api.send(call)
            if code >= 500 and not self.is_excused(call):
                raise AssertionError(f'{code} to {call!r}: {text}')

        strategies.send_each(calls, number, SEED, check)

    @staticmethod
    def is_excused(call):
        """What Trove itself answers with a code of that kind, and why."""
        # Trove's filters read the body before any route is looked for:
        # ContextMiddleware every form (request.params),
        # AuthorizationMiddleware all of it as UTF-8, for its log.
        return call.kind.startswith('multipart/') or not is_utf8(call.body)

    def remove_made(self):
        """Delete what was created in earnest, as its owner would."""
        for path in self.api.made:
            self.api.send(strategies.Call('DELETE', path))
        while self.api.made:
            laboratory.wait_gone(self.api.made.pop(), 120)

    def check_cluster(self):
        """The cluster works as before: its members, its data, its task."""
        cluster = laboratory.wait_ready(self.cluster_id, 60)
        for key in ('name', 'task', 'ip'):
            self.assertEqual(self.cluster[key], cluster[key])
        self.assertEqual(
            [(one['id'], one['name'], one['flavor'], one['volume'])
             for one in self.cluster['instances']],
            [(one['id'], one['name'], one['flavor'], one['volume'])
             for one in cluster['instances']])
        members = [one['name'] for one in cluster['instances']]
        laboratory.wait_agreement(members)
        for name in members:
            self.assertEqual([['42']], laboratory.sql(
                name, 'SELECT n FROM mysql.kept'))
