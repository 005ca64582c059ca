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

"""Retries and time-outs for calls to the cloud that Trove's code makes.

Imported by api/ and the taskmanager. The steps of an operation retry their own
calls (taskmanager/engine/workflow). Trove's code does not: a single 503 of
Nova while it creates an instance puts the instance into ERROR. Trove takes its
clients from the functions in [DEFAULT] remote_*_client, and install() replaces
them. A client that is created in a "repeated" block retries calls, wherever it
is used, for example in a green thread of Trove that polls.

keystoneauth can retry (status_code_retries, connect_retries), but it also
retries a POST whose answer was lost, and would create a second server. This
module first looks for the object of the first request.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import contextvars
import functools
import operator
import re
import types
from typing import Any
from typing import Protocol
from typing import TypeVar

from cinderclient import exceptions as cinder_exceptions
from keystoneauth1 import session as keystone_session
from neutronclient.common import exceptions as neutron_exceptions
from novaclient import exceptions as nova_exceptions
from oslo_log import log as logging
from oslo_utils import importutils
from trove.common import cfg

from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.galera import naming
from trove_pxc.protocols import Neutron
from trove_pxc import transient

CONF = cfg.CONF
conf.register(CONF)
LOG = logging.getLogger(__name__)

Found = TypeVar('Found')
Look = Callable[..., Any]
#: the body of a request to Neutron
Body = Mapping[str, dict[str, Any]]

_PAUSE = 0.5    # seconds between two calls
_SERVICES = ('nova', 'neutron', 'cinder', 'glance')
#: attributes of a client with calls; Neutron's client has the calls itself
_MANAGERS = frozenset({'flavors', 'servers', 'server_groups', 'volumes',
                       'volume_types', 'images'})
_READS = ('get', 'list', 'show', 'find')
_ABSENT = (nova_exceptions.NotFound, neutron_exceptions.NotFound,
           cinder_exceptions.NotFound)
_UNIQUE = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
#: attributes with the session, in different clients
_SESSIONS = ('client.session', 'httpclient.session', 'http_client.session')

_seconds: contextvars.ContextVar[float] = contextvars.ContextVar(
    'trove_pxc_retries', default=0.0)
_originals: dict[str, str] = {}


@contextlib.contextmanager
def repeated(seconds: float) -> Iterator[None]:
    """Retry the calls of the clients that Trove creates in this block.

    :param seconds: for each call, from its first error. 0: no retries.
    """
    install()
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def install() -> None:
    """Replace Trove's functions for clients; repeating it is safe."""
    for service in _SERVICES:
        option = f'remote_{service}_client'
        ours = f'{__name__}.{service}'
        if CONF[option] != ours:
            _originals[service] = CONF[option]
            CONF.set_override(option, ours)


def nova(*args: object, **kwargs: object) -> Any:
    """For remote_nova_client."""
    return _client('nova', args, kwargs)


def neutron(*args: object, **kwargs: object) -> Any:
    """For remote_neutron_client."""
    return _client('neutron', args, kwargs)


def cinder(*args: object, **kwargs: object) -> Any:
    """For remote_cinder_client."""
    return _client('cinder', args, kwargs)


def glance(*args: object, **kwargs: object) -> Any:
    """For remote_glance_client."""
    return _client('glance', args, kwargs)


def _client(service: str, args: tuple[object, ...],
            kwargs: Mapping[str, object]) -> Any:
    make = importutils.import_class(_originals[service])
    seconds = _seconds.get()
    made = _until_answered(f'a client of {service}',
                           functools.partial(make, *args, **kwargs), seconds)
    for path in _SESSIONS:
        with contextlib.suppress(AttributeError):
            session = operator.attrgetter(path)(made)
            if (isinstance(session, keystone_session.Session)
                    and session.timeout is None):
                session.timeout = float(
                    CONF[conf.OWN_GROUP].cloud_call_timeout)
    return _Repeating(made, service, seconds) if seconds else made


class Manager(Protocol):
    """A manager of the client of Nova or Cinder."""

    def list(self, search_opts: Mapping[str, str] | None = None
             ) -> Iterable[Any]:
        """Return all objects, or those with these values."""


class _Repeating:
    """A client, or one of its managers, that retries calls."""

    def __init__(self, wrapped: object, name: str, seconds: float) -> None:
        self._wrapped = wrapped
        self._name = name
        self._seconds = seconds

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._wrapped, attribute)
        name = f'{self._name}.{attribute}'
        if attribute in _MANAGERS and not callable(found):
            return _Repeating(found, name, self._seconds)
        if callable(found) and not attribute.startswith('_'):
            return functools.partial(self._call, name, found)
        return found

    def _call(self, name: str, method: Callable[..., Any], /,
              *args: object, **kwargs: object) -> Any:
        """Call the method, and retry it if that is safe."""
        call: Callable[[], Any] = functools.partial(method, *args, **kwargs)
        first = later = call
        last = name.rpartition('.')[2]
        if last.startswith(_READS):
            first = later = functools.partial(_all_of, call)
        elif last.startswith('delete'):
            later = _ignoring_absence(call)
        elif name in _MADE and _UNIQUE.search(_name_of(*args, **kwargs)):
            later = _unless_made(functools.partial(
                _MADE[name], self._wrapped, *args, **kwargs), call)
        else:
            return call()
        calls = iter([first])
        return _until_answered(
            name, lambda: next(calls, later)(), self._seconds)

    def __str__(self) -> str:
        # Trove uses this text as a key to cache an instance's ports.
        return str(self._wrapped)


def _all_of(read: Callable[[], Any]) -> Any:
    """Return the result; read a list of glanceclient, which is lazy."""
    found = read()
    return list(found) if isinstance(found, types.GeneratorType) else found


def _name_of(*args: object, **kwargs: object) -> str:
    """Return the names of the object to create, in which Trove puts an id.

    A name without an id may also be that of another object. A server has the
    name that the user gave, and the id in its metadata. A rule has the id of
    its group.
    """
    wanted = kwargs.get('body') or (args[0] if args else kwargs)
    return str([wanted, kwargs.get('meta'), kwargs.get('name')])


def _until_answered(name: str, call: Callable[[], Found],
                    seconds: float) -> Found:
    """Return the answer, or raise the last error if all were temporary."""
    if not seconds:
        return call()
    what = f'an answer to {name}'
    try:
        return transient.outlasted(what, call, seconds, _PAUSE)
    except exceptions.DeadlineExceeded as late:
        LOG.info('%s', late)    # the caller reports or retries it
        assert late.__cause__ is not None
        last = late.__cause__.__cause__ or late
    # Raised outside the block above, so that it is not its own cause.
    raise last


def _ignoring_absence(delete: Callable[[], Any]) -> Callable[[], Any]:
    """Ignore NotFound, because an earlier request may have deleted it."""
    def call() -> Any:
        try:
            return delete()
        except _ABSENT:
            return None
    return call


def _unless_made(look: Look, make: Callable[[], Any]) -> Callable[[], Any]:
    def call() -> Any:
        found = look()
        if found is None:
            return make()
        LOG.info('An earlier request has already created %s', found)
        return found
    return call


def _server(manager: Manager, name: str, *args: object,
            meta: Mapping[str, str] | None = None, **kwargs: object) -> Any:
    """Find a server by the id of the instance in its metadata."""
    instance_id = (meta or {}).get('trove_instance_id')
    return next((
        server for server in manager.list(
            search_opts={'name': naming.server_filter(name)})
        if instance_id and instance_id == getattr(
            server, 'metadata', {}).get('trove_instance_id')), None)


def _server_group(manager: Manager, name: str, *args: object,
                  **kwargs: object) -> Any:
    return next((group for group in manager.list()
                 if group.name == name), None)


def _volume(manager: Manager, *args: object, name: str,
            description: str | None = None, **kwargs: object) -> Any:
    """Find a volume by name and description.

    A root volume has the same name.
    """
    wanted = (name, description)
    return next((
        volume for volume in manager.list(search_opts={'name': wanted[0]})
        if (volume.name, volume.description) == wanted), None)


def _port(client: Neutron, body: Body) -> Any:
    """Find a port by name and description.

    The port of the management network has the same name.
    """
    wanted = body['port']
    found = client.list_ports(name=wanted['name'],
                              network_id=wanted['network_id'])['ports']
    return next(({'port': port} for port in found
                 if port.get('description') == wanted['description']), None)


def _security_group(client: Neutron, body: Body) -> Any:
    found = client.list_security_groups(
        name=body['security_group']['name'])['security_groups']
    return {'security_group': found[0]} if found else None


def _rule(client: Neutron, body: Body) -> Any:
    """Find a rule. Neutron stores "from everywhere" as no prefix.

    Not for requests with several rules: Neutron creates all of them or none,
    and refuses the request if one exists.
    """
    wanted = body.get('security_group_rule')
    if wanted is None:
        return None
    prefixes = [wanted['remote_ip_prefix']]
    if prefixes[0].endswith('/0'):
        prefixes.append(None)
    same = ('ethertype', 'protocol', 'port_range_min', 'port_range_max')
    rules = client.list_security_group_rules(
        security_group_id=wanted['security_group_id'],
        direction='ingress')['security_group_rules']
    return next((
        {'security_group_rule': rule} for rule in rules
        if rule.get('remote_ip_prefix') in prefixes
        and all(rule.get(key) == wanted[key] for key in same)), None)


def _floating_ip(client: Neutron, body: Body) -> Any:
    found = client.list_floatingips(
        port_id=body['floatingip']['port_id'])['floatingips']
    return {'floatingip': found[0]} if found else None


#: calls that create an object, with the function that finds it
_MADE: Mapping[str, Look] = {
    'nova.servers.create': _server,
    'nova.server_groups.create': _server_group,
    'cinder.volumes.create': _volume,
    'neutron.create_port': _port,
    'neutron.create_security_group': _security_group,
    'neutron.create_security_group_rule': _rule,
    'neutron.create_floatingip': _floating_ip,
}
