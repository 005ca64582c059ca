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

"""The metrics of a status, read by Prometheus' own parser."""

from prometheus_client import parser
import testtools

from tests.unit.galera import samples
from trove_pxc.galera import metrics
from trove_pxc.galera import view

# From a server of 10.11.19 under load.
BUSY = {
    **samples.SYNCED,
    'wsrep_flow_control_paused': '0.172054',
    'wsrep_flow_control_paused_ns': '4471203004',
    'wsrep_local_recv_queue': '12',
    'wsrep_local_recv_queue_avg': '0.0454545',
    'wsrep_local_cert_failures': '7',
    'wsrep_cert_interval': '3.5',
    'wsrep_gmcast_segment': '0',
    'wsrep_local_state_uuid': samples.UUID,
}


def read(text):
    """The values that Prometheus reads, by name and labels."""
    return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in parser.text_string_to_metric_families(text)
            for sample in family.samples}


class FiguresTest(testtools.TestCase):

    def test_of_a_server_that_serves(self):
        found = metrics.from_status(BUSY)
        self.assertEqual(
            {'wsrep_cluster_status': 1, 'wsrep_cluster_size': 3,
             'wsrep_cluster_conf_id': 3, 'wsrep_local_state': 4,
             'wsrep_ready': 1, 'wsrep_connected': 1,
             'wsrep_last_committed': 3,
             'wsrep_flow_control_paused': 0.172054,
             'wsrep_flow_control_paused_ns': 4471203004,
             'wsrep_local_recv_queue': 12,
             'wsrep_local_recv_queue_avg': 0.0454545,
             'wsrep_local_cert_failures': 7, 'wsrep_cert_interval': 3.5},
            found)

    def test_of_one_that_is_cut_off(self):
        found = metrics.from_status(samples.CUT_OFF)
        self.assertEqual((0, 0, 1), (
            found['wsrep_cluster_status'], found['wsrep_ready'],
            found['wsrep_cluster_size']))
        self.assertNotIn('wsrep_cluster_conf_id', found)

    def test_what_is_no_number_is_left_out(self):
        for word in ('', 'ready', 'nan', 'inf', '1,5', samples.UUID):
            self.assertEqual({}, metrics.from_status(
                {'wsrep_cert_interval': word}), word)

    def test_every_word_for_a_component(self):
        for status, value in (
                (view.ClusterStatus.PRIMARY, 1),
                (view.ClusterStatus.NON_PRIMARY, 0),
                (view.ClusterStatus.DISCONNECTED, 0)):
            self.assertEqual(
                {'wsrep_cluster_status': value}, metrics.from_status(
                    {'wsrep_cluster_status': status.value}), status)

    def test_a_view_keeps_them_and_does_not_send_them(self):
        seen = view.NodeView.from_status(BUSY)
        self.assertEqual(12, seen.metrics['wsrep_local_recv_queue'])
        sent = seen.to_dict()
        self.assertNotIn('metrics', sent)
        self.assertEqual(seen, view.NodeView.from_dict(sent))


class TextTest(testtools.TestCase):

    def test_prometheus_reads_what_was_there(self):
        values = metrics.from_status(BUSY)
        self.assertEqual(
            {(f'mysql_global_status_{name}', ()): value
             for name, value in values.items()},
            read(metrics.text(metrics.of_server(values))))

    def test_numbers_are_as_short_as_they_are_exact(self):
        text = metrics.text(metrics.of_server(
            {'wsrep_flow_control_paused': 0.2, 'wsrep_cluster_size': 3.0,
             'wsrep_received_bytes': 2.0 ** 53}))
        self.assertEqual(
            ['3', '0.2', '9007199254740992'],
            [line.split()[-1] for line in text.splitlines()
             if not line.startswith('#')])

    def test_kinds_and_meanings(self):
        for name, kind in (('wsrep_last_committed', 'unknown'),
                           ('wsrep_cluster_size', 'gauge')):
            text = metrics.text(metrics.of_server({name: 9}))
            (family,) = parser.text_string_to_metric_families(text)
            self.assertEqual((kind, f'mysql_global_status_{name}'),
                             (family.type, family.name))
            (meaning,) = [metric.meaning for metric in metrics.WSREP
                          if metric.name == name]
            self.assertEqual(meaning, family.documentation)

    def test_labels_hold_any_text(self):
        for name in ('products-1', 'a "b"', 'back\\slash', 'two\nlines',
                     '}{,=', 'Größe'):
            sample = metrics.Sample(
                metrics.Metric('x', metrics.Kind.GAUGE, 'It is.'),
                (({'member': name}, 1.0),))
            self.assertEqual({('x', (('member', name),)): 1.0},
                             read(metrics.text(iter([sample]))))
