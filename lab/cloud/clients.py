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

"""Trove's clients for this cloud: the real ones, without Keystone.

Options in trove.conf name them (``remote_nova_client =
lab.cloud.clients.nova`` and so on). Trove's services load them in the
controller's network namespace. Each client of a project is created once, as in
Trove.
"""

import functools
import os
from typing import Any

from cinderclient import client as cinder_client
from glanceclient import client as glance_client
from keystoneauth1 import noauth
from keystoneauth1 import session
from neutronclient.v2_0 import client as neutron_client
from novaclient import client as nova_client
from oslo_config import cfg
from swiftclient import client as swift_client

from lab import home as lab_home
from lab import identity
from lab.swift import conf as swift_conf

CONF = cfg.CONF
URL_VARIABLE = 'LAB_CLOUD_URL'
NO_PROJECT = 'admin'


def nova(context: Any, region_name: str | None = None,
         password: str | None = None) -> Any:
    return _nova(_project(context), _version('nova_client_version', '2.57'))


def neutron(context: Any, region_name: str | None = None,
            password: str | None = None) -> Any:
    return _neutron(_project(context))


def cinder(context: Any, region_name: str | None = None,
           password: str | None = None) -> Any:
    return _cinder(_project(context),
                   _version('cinder_client_version', '3'))


def glance(context: Any, region_name: str | None = None,
           password: str | None = None) -> Any:
    return _glance(_project(context),
                   _version('glance_client_version', '2'))


def swift_admin(context: Any, region_name: str | None = None) -> Any:
    """A client with Trove's own account, which logs in again when needed.

    Like ``swift_client_trove_admin`` of Trove, which needs Keystone.
    """
    home = lab_home.Home.from_environment()
    project = identity.SERVICE_PROJECT
    return swift_client.Connection(
        home.swift_login_url, f'{project}:{project}',
        swift_conf.password(home, project))


@functools.lru_cache(maxsize=None)
def _nova(project: str, version: str) -> Any:
    url = _url('compute', project, '/v2.1')
    return nova_client.Client(version, session=_session(url),
                              endpoint_override=url)


@functools.lru_cache(maxsize=None)
def _neutron(project: str) -> Any:
    url = _url('network', project)
    return neutron_client.Client(session=_session(url),
                                 endpoint_override=url)


@functools.lru_cache(maxsize=None)
def _cinder(project: str, version: str) -> Any:
    url = _url('volume', project, '/v3')
    return cinder_client.Client(version, session=_session(url),
                                endpoint_override=url)


@functools.lru_cache(maxsize=None)
def _glance(project: str, version: str) -> Any:
    url = _url('image', project)
    return glance_client.Client(version, session=_session(url),
                                endpoint_override=url)


def _session(url: str) -> session.Session:
    return session.Session(auth=noauth.NoAuth(endpoint=url))


def _url(service: str, project: str, path: str = '') -> str:
    base = os.environ.get(
        URL_VARIABLE, f'http://127.0.0.1:{lab_home.CLOUD_PORT}')
    return f'{base}/{service}/{project}{path}'


def _project(context: Any) -> str:
    return str(getattr(context, 'project_id', None) or NO_PROJECT)


def _version(option: str, default: str) -> str:
    return str(CONF.get(option, default) if option in CONF else default)
