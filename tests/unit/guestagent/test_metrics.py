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

"""The metrics of a member over HTTP."""

import contextlib
import pathlib
import re
import shutil
import socket
import subprocess
import textwrap
from typing import Any
from urllib import error
from urllib import request

import mock
from oslo_config import fixture as config_fixture
import testtools
from trove.common import cfg

from tests.unit.galera import samples
from tests.unit.galera import test_metrics
from tests.unit.guestagent import fakes
from tests.unit import specs
from trove_pxc.galera import view
from trove_pxc.guestagent import metrics
from trove_pxc.guestagent import restart_policy
from trove_pxc.guestagent import status

PAGE = (pathlib.Path(__file__).resolve().parents[3]
        / 'doc/source/user/metrics.rst')
RULES = re.compile(r'\.\. code-block:: yaml\n\n((?:   .*\n|\n)+)')
METRIC = re.compile(r'\b(?:trove_pxc|mysql_global_status)_\w+')
NOBODY = ('127.0.0.1', 0)
WHO = (('cluster', 'c'), ('instance', 'instance-1'), ('member', 'c-1'))


class EndpointTest(testtools.TestCase):

    def setUp(self) -> None:
        super().setUp()
        self.config = self.useFixture(config_fixture.Config(cfg.CONF))
        self.status = specs.spec(status.MemberStatus)
        self.member = mock.create_autospec(
            restart_policy.MemberService, instance=True)
        self.member.facts = fakes.facts()
        self.endpoint = metrics.Endpoint(
            self.status, self.member, 'mariadb')
        self.looked(samples.report(
            node=view.NodeView.from_status(test_metrics.BUSY),
            data_bytes=123456789))

    def looked(self, report: view.MemberReport | None,
               age: float = 1.5) -> None:
        self.status.last_look.return_value = report and (report, age)

    def serve(self) -> int:
        """Start the endpoint; return its port."""
        with socket.create_server(NOBODY) as free:
            port = int(free.getsockname()[1])
        self.config.config(group='mariadb', metrics_port=port)
        self.endpoint.keep_on()
        return port

    def read(self) -> dict[Any, float]:
        found = test_metrics.read(self.endpoint.text())
        return {name if not labels else (name, *labels): value
                for (name, labels), value in found.items()}

    def get(self, port: int, path: str = '/metrics') -> Any:
        return request.build_opener(request.ProxyHandler({})).open(
            f'http://127.0.0.1:{port}{path}', timeout=10)

    def state(self) -> list[str]:
        return [key[1][1] for key, value in self.read().items()
                if key[0] == 'trove_pxc_server_state' and value]

    def test_a_member_that_serves(self) -> None:
        found = self.read()
        self.assertEqual(1, found['trove_pxc_member_info', *WHO])
        self.assertEqual(1, found['trove_pxc_member_serves'])
        self.assertEqual(0, found['trove_pxc_sst_receiving'])
        self.assertEqual(0, found['trove_pxc_sst_giving'])
        self.assertEqual(123456789, found['trove_pxc_data_bytes'])
        self.assertEqual(1.5, found['trove_pxc_look_age_seconds'])
        self.assertEqual(
            3, found['mysql_global_status_wsrep_cluster_size'])
        self.assertEqual(['running'], self.state())

    def test_a_donor_gives_and_serves(self) -> None:
        self.looked(samples.primary(local_state='Donor/Desynced'))
        self.assertEqual(1, self.read()['trove_pxc_sst_giving'])
        self.assertEqual(1, self.read()['trove_pxc_member_serves'])

    def test_a_joiner_receives(self) -> None:
        self.looked(samples.report('starting', receiving=True))
        found = self.read()
        self.assertEqual(1, found['trove_pxc_sst_receiving'])
        self.assertEqual(0, found['trove_pxc_member_serves'])
        self.assertEqual(['starting'], self.state())
        self.assertEqual([], [key for key in found
                              if str(key).startswith('mysql_')])

    def test_a_server_that_crashed(self) -> None:
        self.looked(samples.report('crashed', restarts=4))
        self.assertEqual(['crashed'], self.state())
        self.assertEqual(4, self.read()['trove_pxc_server_restarts'])

    def test_when_the_certificate_ends(self) -> None:
        name = 'trove_pxc_certificate_ends_timestamp_seconds'
        self.assertNotIn(name, self.read())
        self.looked(samples.report(
            'crashed', certificate_ends='2036-01-01T00:00:00+00:00'))
        self.assertEqual(2082758400, self.read()[name])

    def test_who_was_not_looked_at_and_is_not_known(self) -> None:
        self.looked(None)
        self.member.facts = None
        self.assertEqual({}, self.read())
        self.member.facts = fakes.facts()
        self.assertEqual({('trove_pxc_member_info', *WHO): 1}, self.read())

    def test_nothing_is_secret(self) -> None:
        self.looked(samples.report('crashed', error='Access denied: s3cret'))
        self.assertNotIn('s3cret', self.endpoint.text())

    @staticmethod
    def rules() -> str:
        """The example of alerts in the documentation."""
        found = RULES.search(PAGE.read_text())
        assert found
        return textwrap.dedent(found[1])

    def test_the_alerts_ask_for_what_is_told(self) -> None:
        self.looked(samples.report(
            node=view.NodeView.from_status(test_metrics.BUSY), restarts=1,
            certificate_ends='2036-01-01T00:00:00+00:00'))
        asked = set(METRIC.findall(self.rules()))
        self.assertLess(7, len(asked))
        self.assertEqual(
            set(), asked - set(METRIC.findall(self.endpoint.text())))

    def test_prometheus_has_nothing_to_say(self) -> None:
        program = shutil.which('promtool')
        if program is None:
            self.skipTest("promtool, of Debian's prometheus, is not there")
        said = []
        for words, text in (
                (('metrics',), self.endpoint.text()),
                (('rules', '/dev/stdin'), self.rules())):
            done = subprocess.run(
                [program, 'check', *words], input=text, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            said.append((done.returncode, done.stdout.splitlines()))
        (_, metrics_said), (code, rules_said) = said
        # A name of mysqld_exporter.
        self.assertEqual(
            ['mysql_global_status_wsrep_flow_control_paused_ns metric names '
             'should not contain abbreviated units'], metrics_said)
        self.assertEqual(0, code, rules_said)

    def test_off_by_default(self) -> None:
        with mock.patch.object(metrics, '_Server', autospec=True) as server:
            self.endpoint.keep_on()
        server.assert_not_called()

    def test_no_request_means_no_work(self) -> None:
        """The server of socketserver wakes twice a second by default."""
        self.config.config(group='mariadb', metrics_port=9104)
        with mock.patch.object(metrics, '_Server', autospec=True) as server:
            self.endpoint.keep_on()
            self.endpoint._thread.join(10)
        server.return_value.serve_forever.assert_called_once_with(
            poll_interval=3600)

    def test_over_http_and_once(self) -> None:
        port = self.serve()
        self.endpoint.keep_on()
        with self.get(port) as response:
            self.assertEqual('text/plain; version=0.0.4; charset=utf-8',
                             response.headers['Content-Type'])
            self.assertEqual('trove-pxc', response.headers['Server'].strip())
            self.assertEqual(self.endpoint.text(), response.read().decode())

    def test_nothing_else_is_served(self) -> None:
        port = self.serve()
        for path in ('/', '/metrics/', '/etc/passwd', '/metrics/../x'):
            failure = self.assertRaises(error.HTTPError, self.get, port, path)
            self.assertEqual(404, failure.code, path)
        with socket.create_connection(('127.0.0.1', port), 10) as link:
            link.sendall(b'DELETE /metrics HTTP/1.0\r\n\r\n')
            self.assertIn(b' 501 ', link.recv(100))

    def test_who_says_nothing_keeps_others_waiting_for_a_moment(
            self) -> None:
        port = self.serve()
        with contextlib.ExitStack() as links:
            for _ in range(2):
                links.enter_context(
                    socket.create_connection(('127.0.0.1', port), 10))
            with self.get(port) as response:
                self.assertEqual(200, response.status)

    def test_only_where_it_is_wanted(self) -> None:
        port = self.serve()
        self.assertRaises(OSError, socket.create_connection,
                          ('127.0.0.2', port), 2)

    def test_a_port_that_is_taken_is_told_once_and_tried_again(self) -> None:
        taken = socket.create_server(NOBODY)
        port = int(taken.getsockname()[1])
        self.config.config(group='mariadb', metrics_port=port)
        with mock.patch.object(metrics, 'LOG', autospec=True) as log:
            self.endpoint.keep_on()
            self.endpoint.keep_on()
        self.assertEqual(1, log.error.call_count)
        taken.close()
        self.endpoint.keep_on()
        with self.get(port) as response:
            self.assertEqual(200, response.status)
