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

"""The member's metrics over HTTP for Prometheus; disabled by default.

The manager starts it. It serves the last observation of the reporter and does
not query the server, so that scraping adds no load to the server. It handles
one request at a time.
"""

from collections.abc import Iterator
import http
import http.server
import socket
import socketserver
import threading

from oslo_log import log as logging
from oslo_utils import netutils

from trove.common import cfg

from trove_pxc.galera import metrics
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.guestagent import restart_policy
from trove_pxc.guestagent import status as statuses

LOG = logging.getLogger(__name__)
CONF = cfg.CONF

PATH = '/metrics'
PATIENCE_SECONDS = 2
# How often it looks for an order to shut down, which nothing gives.
_NEVER_SHUT_DOWN_SECONDS = 3600

_GAUGE = metrics.Kind.GAUGE
_INFO = metrics.Metric(
    'trove_pxc_member_info', _GAUGE,
    'Cluster, name and instance of the member, as labels; always 1.')
_LOOK_AGE = metrics.Metric(
    'trove_pxc_look_age_seconds', _GAUGE,
    'Seconds since the guest agent last observed the server.')
_STATE = metrics.Metric(
    'trove_pxc_server_state', _GAUGE,
    "1 for the current state of the server's process, 0 for the others.")
_SERVES = metrics.Metric(
    'trove_pxc_member_serves', _GAUGE,
    'Whether applications can use the member: primary, ready and synced.')
_RECEIVES = metrics.Metric(
    'trove_pxc_sst_receiving', _GAUGE,
    'Whether the member receives a full copy of the data (SST).')
_GIVES = metrics.Metric(
    'trove_pxc_sst_giving', _GAUGE,
    'Whether the member is a donor.')
_UNSYNCED = metrics.Metric(
    'trove_pxc_sst_unsynced', _GAUGE,
    'Whether data of a state transfer is not on the disk yet: a loss of '
    'power may destroy it.')
_DATA = metrics.Metric(
    'trove_pxc_data_bytes', _GAUGE, 'Size of the data directory.')
_RESTARTS = metrics.Metric(
    'trove_pxc_server_restarts', _GAUGE,
    'Restarts of the server by Docker since the agent started it.')
_CERTIFICATE = metrics.Metric(
    'trove_pxc_certificate_ends_timestamp_seconds', _GAUGE,
    'Time at which the certificate of the member expires.')


class Endpoint:
    """Serves the metrics if they are enabled.

    :param manager: the datastore manager, whose options apply.
    """

    def __init__(self, status: statuses.MemberStatus,
                 member: restart_policy.MemberService, manager: str) -> None:
        self._status = status
        self._member = member
        self._manager = manager
        self._facts: settings.MemberFacts | None = None
        self._thread: threading.Thread | None = None
        self._failure = ''

    def keep_on(self) -> None:
        """Start it if it is enabled and not running; log a failure once."""
        options = CONF[self._manager]
        if not options.metrics_port or (
                self._thread is not None and self._thread.is_alive()):
            return
        place = (str(options.metrics_address), int(options.metrics_port))
        try:
            server = _Server(place, self)
        except OSError as failure:
            if str(failure) != self._failure:
                LOG.error('Cannot serve metrics at %s:%d: %s', *place,
                          failure)
            self._failure = str(failure)
            return
        self._failure = ''
        LOG.info('Serving metrics at http://%s:%d%s',
                 netutils.escape_ipv6(place[0]), place[1], PATH)
        self._thread = threading.Thread(
            target=server.serve_forever, daemon=True,
            kwargs={'poll_interval': _NEVER_SHUT_DOWN_SECONDS})
        self._thread.start()

    def text(self) -> str:
        """The current metrics, in the text format of Prometheus."""
        return metrics.text(self._samples())

    def _samples(self) -> Iterator[metrics.Sample]:
        if self._facts is None:
            self._facts = self._member.facts
        if self._facts is not None:
            yield metrics.Sample(_INFO, ((_who(self._facts), 1),))
        seen = self._status.last_look()
        if seen is None:
            return
        report, age = seen
        yield metrics.Sample(_LOOK_AGE, (({}, age),))
        yield from _of_guest(report)
        if report.view is not None:
            yield from metrics.of_server(report.view.metrics)


def _who(facts: settings.MemberFacts) -> dict[str, str]:
    return {'cluster': facts.cluster_id, 'member': facts.member_name,
            'instance': facts.instance_id}


def _of_guest(report: view.MemberReport) -> Iterator[metrics.Sample]:
    yield metrics.Sample(_STATE, tuple(
        ({'state': state.value}, float(state is report.server))
        for state in view.ServerState))
    seen = report.view
    for metric, value in (
            (_SERVES, seen is not None and seen.serves),
            (_RECEIVES, report.receiving),
            (_GIVES, seen is not None
             and seen.local_state is view.LocalState.DONOR),
            (_UNSYNCED, report.unsynced), (_DATA, report.data_bytes),
            (_RESTARTS, report.restarts)):
        yield metrics.Sample(metric, (({}, float(value)),))
    if report.certificate_ends is not None:
        yield metrics.Sample(
            _CERTIFICATE, (({}, report.certificate_ends.timestamp()),))


class _Server(socketserver.TCPServer):
    """The HTTP server. That of http.server would make a DNS query."""

    allow_reuse_address = True

    def __init__(self, place: tuple[str, int], endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        if ':' in place[0]:
            self.address_family = socket.AF_INET6
        super().__init__(place, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log at level debug: mostly the client has disconnected."""
        LOG.debug('Metrics: no answer for %s', client_address, exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    """GET /metrics, and nothing else."""

    server: _Server
    # An incomplete request blocks the next one no longer than this.
    timeout = PATIENCE_SECONDS
    server_version = 'trove-pxc'
    sys_version = ''

    def do_GET(self) -> None:  # noqa: N802
        if self.path.partition('?')[0] != PATH:
            self.send_error(http.HTTPStatus.NOT_FOUND)
            return
        body = self.server.endpoint.text().encode()
        self.send_response(http.HTTPStatus.OK)
        self.send_header('Content-Type', metrics.CONTENT_TYPE)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        LOG.debug('Metrics: ' + format, *args)
