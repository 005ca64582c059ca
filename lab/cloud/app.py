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

"""The daemon's web application, which calls the handlers of requests.

For ``lab.cloud.__main__``. Each service has its own path: /compute/PROJECT,
/network/PROJECT, /volume/PROJECT, /image/PROJECT, and /lab for extensions of
the lab.
"""

from collections.abc import Iterable
import json
import logging
from typing import Any

from werkzeug import exceptions
from werkzeug import routing
from werkzeug import wrappers

from lab.cloud import catalog
from lab.cloud import compute
from lab.cloud import failing as cloud_failing
from lab.cloud import faults as cloud_faults
from lab.cloud import groups
from lab.cloud import http
from lab.cloud import image
from lab.cloud import network
from lab.cloud import seed
from lab.cloud import servers
from lab.cloud import store as cloud_store
from lab.cloud import volume
from lab import home as lab_home
from lab import waiting

LOG = logging.getLogger(__name__)
TYPES = {'compute': 'compute', 'volume': 'volume'}
BASE_VERSIONS = {'compute': (2, 1), 'volume': (3, 0)}
LATEST_VERSIONS = {'compute': (2, 96), 'volume': (3, 70)}


class Application:
    """A WSGI application with all services of the cloud.

    :param store: None for one that survives a restart of the daemon
    :param keep: the class of what runs the servers
    :param hold: the class of the service with the volumes
    :ivar keeper: what runs the servers
    """

    def __init__(self, home: lab_home.Home,
                 store: cloud_store.Store | None = None,
                 keep: type[servers.ServerKeeper] = servers.ServerKeeper,
                 hold: type[volume.VolumeService] = volume.VolumeService
                 ) -> None:
        if store is None:
            store = cloud_store.Store(home.cloud / 'cloud.sqlite')
        seed.sow(store)
        faults = cloud_faults.Faults(store)
        self._failing = cloud_failing.Failing(store)
        images = image.ImageService(home)
        volumes = hold(home, store, faults)
        keeper = keep(home, store, faults, images, volumes)
        self.keeper = keeper
        networks = network.NetworkService(store, faults, keeper.refresh)
        keeper.groups = groups.GroupService(store, keeper.refresh)
        services: dict[str, list[http.Route]] = {
            'compute': [
                *compute.ComputeService(store, faults, images, networks,
                                        volumes, keeper).routes(),
                *catalog.CatalogService(store).routes()],
            'network': [*networks.routes(), *keeper.groups.routes()],
            'volume': volumes.routes(),
            'image': images.routes(),
        }
        self._map = routing.Map([
            *_rules('/lab', 'lab', [
                *faults.routes(), *self._failing.routes()]),
            *(rule for name, routes in services.items()
              for rule in _rules(f'/{name}/<project>', name, routes)),
            routing.Rule('/healthcheck', endpoint=None)],
            strict_slashes=False)
        keeper.resume()

    def __call__(self, environ: dict[str, Any],
                 start_response: Any) -> Iterable[bytes]:
        request = wrappers.Request(environ)
        response = self._answer(request)
        return response(environ, start_response)

    def _answer(self, request: wrappers.Request) -> wrappers.Response:
        adapter = self._map.bind_to_environ(request.environ)
        service = request.path.split('/')[1]
        try:
            endpoint, arguments = adapter.match()
            if endpoint is None:
                return _json({'status': 'ok'}, 200)
            _, handler = endpoint
            version = _microversion(request, service)
            reply = self._handled(
                service, handler, _call(request, dict(arguments), version))
        except http.ApiError as error:
            return _refusal(service, error)
        except exceptions.HTTPException as error:
            return _refusal(service, http.ApiError(
                error.code or 500, 'itemNotFound',
                f'the lab has no {request.method} {request.path}'))
        response = _json(reply.body, reply.status)
        if service in TYPES:
            response.headers['OpenStack-API-Version'] = (
                f'{TYPES[service]} {version[0]}.{version[1]}')
        return response

    def _handled(self, service: str, handler: Any,
                 call: http.Call) -> http.Reply:
        failure = self._failing.due(service)
        if failure is not None and not failure.carried_out:
            raise failure.error()
        reply: http.Reply = handler(call)
        if failure is not None:
            waiting.pause(cloud_failing.TIMEOUT_SECONDS)
            raise failure.error()
        return reply


def _rules(prefix: str, service: str,
           routes: Iterable[http.Route]) -> list[routing.Rule]:
    return [routing.Rule(prefix + route.path, methods=[route.method],
                         endpoint=(service, route.handler))
            for route in routes]


def _call(request: wrappers.Request, arguments: dict[str, Any],
          version: tuple[int, int]) -> http.Call:
    body: Any = {}
    raw = request.get_data()
    if raw:
        try:
            body = json.loads(raw)
        except ValueError as error:
            raise http.bad_request(f'the body is not JSON: {error}'
                                   ) from error
    if not isinstance(body, dict):
        raise http.bad_request('the body is not a JSON object')
    project = str(arguments.pop('project', ''))
    return http.Call(project, arguments, request.args.to_dict(flat=False),
                     body, version)


def _microversion(request: wrappers.Request,
                  service: str) -> tuple[int, int]:
    base = BASE_VERSIONS.get(service, (1, 0))
    asked = request.headers.get('OpenStack-API-Version', '').split()
    if len(asked) < 2:
        return base
    if asked[1] == 'latest':
        return LATEST_VERSIONS.get(service, base)
    major, _, minor = asked[1].partition('.')
    if not (major.isdigit() and minor.isdigit()):
        raise http.bad_request(f'{asked[1]} is not an API version')
    return int(major), int(minor)


def _refusal(service: str, error: http.ApiError) -> wrappers.Response:
    LOG.info('refused with %s: %s', error.status, error)
    message = str(error)
    body: http.Document
    if service == 'network':
        body = {'NeutronError': {'type': error.kind, 'message': message,
                                 'detail': ''}}
    else:
        body = {error.kind: {'code': error.status, 'message': message}}
    return _json(body, error.status)


def _json(body: Any, status: int) -> wrappers.Response:
    content = '' if body is None else json.dumps(body)
    return wrappers.Response(content, status, content_type='application/json')
