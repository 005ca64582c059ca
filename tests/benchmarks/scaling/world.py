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
"""All that Trove needs from outside: the cloud and the guests.

The program ``python -m tests.benchmarks.scaling.world``, which the benchmark
starts in its network namespace. It answers at the port of the lab's cloud;
/scale is for the benchmark: what was called, which events a cluster had.
"""

import argparse
import collections
from collections.abc import Callable, Iterable
import json
import logging
import re
import signal
import sys
import threading
from typing import Any
import uuid

from trove.common import cfg
from trove import rpc
from werkzeug import serving
from werkzeug import wrappers

from lab.cloud import app
from lab.cloud import http
from lab import home as lab_home
from lab.services import rabbitmq
from tests.benchmarks.scaling import agents as scale_agents
from tests.benchmarks.scaling import cloud
from tests.benchmarks.scaling import durations
from tests.benchmarks.scaling import fleet
from tests.benchmarks.scaling import place

ID = re.compile(r'[0-9a-f]{8}-[0-9a-f-]{27}')


class World:
    """A WSGI application: the cloud, and the interface of the benchmark."""

    def __init__(self, application: app.Application,
                 agents: scale_agents.Agents, guests: fleet.Fleet,
                 store: cloud.MemoryStore) -> None:
        self._cloud = application
        self._agents = agents
        self._fleet = guests
        self._store = store
        self._lock = threading.Lock()
        self._calls: collections.Counter[str] = collections.Counter()
        self._lost: dict[str, http.Document] = {}
        self._routes: dict[str, Callable[[Any], Any]] = {
            '/scale/calls': self._told, '/scale/events': self._events,
            '/scale/copy': self._copy, '/scale/lose': self._lose,
            '/scale/find': self._find}

    def __call__(self, environ: dict[str, Any],
                 start_response: Any) -> Iterable[bytes]:
        path = environ.get('PATH_INFO', '')
        route = self._routes.get(path)
        if route is None:
            if path != '/healthcheck':
                with self._lock:
                    self._calls[pattern(environ['REQUEST_METHOD'],
                                        path)] += 1
            return self._cloud(environ, start_response)
        request = wrappers.Request(environ)
        body = json.loads(request.get_data() or b'{}')
        return wrappers.Response(
            json.dumps(route(body)), content_type='application/json')(
                environ, start_response)

    def _told(self, body: Any) -> Any:
        with self._lock:
            return {'cloud': dict(self._calls),
                    'guests': self._agents.calls}

    def _events(self, body: Any) -> Any:
        """The events of a cluster since a moment of time.monotonic."""
        cluster = self._fleet.clusters.get(body['cluster'])
        return [] if cluster is None else [
            event for event in list(cluster.events)
            if event[0] >= body['since']]

    def _copy(self, body: Any) -> Any:
        """Copy servers with their ports and volumes, with other IDs."""
        for ids in body['maps']:
            ids = dict(ids)
            for server_id in list(ids):
                server = self._store.get('servers', server_id)
                for port in () if server is None else server['ports']:
                    ids[port] = str(uuid.uuid4())
            for kind in ('servers', 'ports', 'volumes'):
                for old in ids:
                    document = self._store.get(kind, old)
                    if document is not None:
                        self._store.put(kind, renamed(document, ids))
        return len(body['maps'])

    def _lose(self, body: Any) -> Any:
        """Delete a server out of band; its port and volume stay."""
        key = body['server']
        self._lost[key] = self._store.get('servers', key) or {}
        self._store.delete('servers', key)
        return True

    def _find(self, body: Any) -> Any:
        """Undo the last loss of this server."""
        self._store.put('servers', self._lost.pop(body['server']))
        return True


def pattern(method: str, path: str) -> str:
    """A call without its IDs: "GET compute/v2.1/servers/*"."""
    service, _, rest = path.lstrip('/').partition('/')
    rest = ID.sub('*', rest.partition('/')[2])
    return f'{method} {service}/{rest}'


def renamed(document: http.Document, ids: dict[str, str]) -> http.Document:
    """A copy in which each of these IDs is replaced by another."""
    text = json.dumps(document)
    for old, new in ids.items():
        text = text.replace(old, new)
    copy: http.Document = json.loads(text)
    return copy


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr,
        format='%(asctime)s %(levelname)s %(name)s: %(message)s')
    for noisy in ('werkzeug', 'lab', 'oslo_messaging', 'amqp'):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    home = place.Home(arguments.home)
    cfg.CONF(['--config-file', str(home.etc / 'trove.conf'),
              '--config-file', str(home.etc / 'world.conf')],
             project='trove')
    rpc.init(cfg.CONF)
    guests = fleet.Fleet(
        durations.Durations(**json.loads(arguments.durations)))
    cloud.Keeper.boot_seconds = arguments.boot
    store = cloud.MemoryStore()
    application = app.Application(home, store, cloud.Keeper, cloud.Volumes)
    agents = scale_agents.Agents(
        guests, f'127.0.0.1:{rabbitmq.PORT}', rabbitmq.USER,
        home.secret('rabbitmq'))
    keeper = application.keeper
    assert isinstance(keeper, cloud.Keeper)
    keeper.booted, keeper.gone = agents.booted, agents.gone
    threading.Thread(target=agents.run, daemon=True).start()
    serving.make_server(
        '127.0.0.1', lab_home.CLOUD_PORT,
        World(application, agents, guests, store),
        threaded=True).serve_forever()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog='world', description=__doc__)
    parser.add_argument('--home', required=True)
    parser.add_argument('--boot', type=float, default=10.0)
    parser.add_argument('--durations', default='{}')
    return parser


if __name__ == '__main__':
    sys.exit(main())
