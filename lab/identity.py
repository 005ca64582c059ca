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
"""The users of the lab's Keystone, and the login.

Imported by ``lab.up``, ``lab.api``, ``lab.client`` and the services that use
Keystone. Standard library only, so that it is fast.
"""

import dataclasses
import functools
import json
from typing import Any, NamedTuple

from lab import errors
from lab import home as lab_home
from lab import netns
from lab import private
from lab import web

ADMIN = 'admin'
SERVICE_PROJECT = 'service'
REGION = 'RegionOne'
PATIENCE = 30

Record = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Account:
    """A user with a role in a project; clouds.yaml has the same name."""

    name: str
    project: str
    role: str

    @property
    def secret(self) -> str:
        """The name under which the lab stores its password."""
        return f'keystone-{self.name}'


#: the users; the bootstrap of Keystone creates the first
PEOPLE = (
    Account(ADMIN, 'admin', 'admin'),
    Account('demo', 'demo', 'member'),
    Account('demo-reader', 'demo', 'reader'),
    Account('other', 'other', 'member'),
    Account('other-reader', 'other', 'reader'),
)
TROVE = Account('trove', SERVICE_PROJECT, 'admin')
CLOUD = Account('cloud', SERVICE_PROJECT, 'service')
SWIFT = Account('swift', SERVICE_PROJECT, 'service')


class Login(NamedTuple):
    """The project and token of a request to Trove and the cloud."""

    token: str
    project_id: str


def account(name: str) -> Account:
    """The user of this name.

    :raises LabError: there is none
    """
    for one in PEOPLE:
        if one.name == name:
            return one
    raise errors.LabError(
        f'this lab has no user {name}; it has '
        f'{", ".join(one.name for one in PEOPLE)}')


def login(home: lab_home.Home, name: str) -> Login:
    """Log in as one of the users, from the machine.

    Once for each command, which ends before the token expires.
    """
    return _remembered(str(home.root), name)


def fill(home: lab_home.Home) -> None:
    """Create all users and the catalogue, if they do not exist.

    Keystone must be up and bootstrapped.
    """
    done = home.keystone / 'people-are-there'
    if done.exists():
        return
    with netns.entered(netns.path(home.controller)):
        keystone = _Keystone(home)
        for one in (*PEOPLE[1:], TROVE, CLOUD, SWIFT):
            keystone.make_account(one)
        for name, kind, public, inside in services(home):
            keystone.make_service(name, kind, public, inside)
    write_clouds(home)
    done.touch()


def services(home: lab_home.Home) -> list[tuple[str, str, str, str]]:
    """Name, type and both addresses of each service except Keystone.

    The cloud and Swift cannot be reached from the machine; only Trove and
    its guests use them.
    """
    cloud = home.cloud_url
    project = '%(project_id)s'
    trove = f'http://127.0.0.1:{lab_home.TROVE_PORT}/v1.0/{project}'
    return [
        ('trove', 'database',
         f'http://127.0.0.1:{home.api_port}/v1.0/{project}', trove),
        *((name, kind, address, address) for name, kind, address in (
            ('nova', 'compute', f'{cloud}/compute/{project}/v2.1'),
            ('neutron', 'network', f'{cloud}/network/{project}'),
            ('cinder', 'volumev3', f'{cloud}/volume/{project}/v3'),
            ('glance', 'image', f'{cloud}/image/{project}'),
            ('swift', 'object-store', f'{home.swift_url}{project}')))]


def clouds_file(home: lab_home.Home) -> str:
    """The path of the clouds.yaml of this lab."""
    return str(home.keystone / 'clouds.yaml')


def write_clouds(home: lab_home.Home) -> None:
    """Write clouds.yaml for the client; it contains passwords."""
    private.write(home.keystone / 'clouds.yaml', json.dumps({'clouds': {
        one.name: {
            'auth': {
                'auth_url': home.keystone_url, 'username': one.name,
                'password': home.secret(one.secret),
                'project_name': one.project,
                'user_domain_name': 'Default',
                'project_domain_name': 'Default'},
            'region_name': REGION, 'identity_api_version': 3,
        } for one in PEOPLE}}, indent=2) + '\n')


class _Keystone:
    """The client of Keystone's API, as administrator in the lab."""

    def __init__(self, home: lab_home.Home) -> None:
        self._home = home
        self._url = home.identity_url
        self._token = log_in_at(home, self._url, PEOPLE[0]).token
        self._roles = {
            role['name']: role['id']
            for role in self._call('GET', '/roles')['roles']}

    def make_account(self, wanted: Account) -> None:
        project = self._made('project', wanted.project)
        user = self._made('user', wanted.name,
                          password=self._home.secret(wanted.secret))
        self._call('PUT', f'/projects/{project}/users/{user}/roles/'
                          f'{self._roles[wanted.role]}')

    def make_service(self, name: str, kind: str, public: str,
                     inside: str) -> None:
        service = self._made('service', name, type=kind, unique=False)
        known = self._call(
            'GET', f'/endpoints?service_id={service}')['endpoints']
        for interface, url in (('public', public), ('internal', inside)):
            if interface not in [one['interface'] for one in known]:
                self._call('POST', '/endpoints', {'endpoint': {
                    'service_id': service, 'interface': interface,
                    'region_id': REGION, 'url': url}})

    def _made(self, kind: str, name: str, unique: bool = True,
              **values: str) -> str:
        """The ID of the resource of this name; create it if it is missing."""
        known = self._call('GET', f'/{kind}s?name={name}')[f'{kind}s']
        if known:
            return str(known[0]['id'])
        if unique:
            values['domain_id'] = 'default'
        return str(self._call('POST', f'/{kind}s', {
            kind: {'name': name, **values}})[kind]['id'])

    def _call(self, method: str, path: str,
              body: Record | None = None) -> Record:
        _, answer = _ask(method, f'{self._url}{path}', body, self._token)
        return answer


@functools.lru_cache
def _remembered(root: str, name: str) -> Login:
    home = lab_home.Home(root)
    return log_in_at(home, home.keystone_url, account(name))


def log_in_at(home: lab_home.Home, url: str, who: Account) -> Login:
    """Log in again.

    :param url: of Keystone, for the caller
    """
    headers, answer = _ask('POST', f'{url}/auth/tokens', {'auth': {
        'identity': {'methods': ['password'], 'password': {'user': {
            'name': who.name, 'domain': {'id': 'default'},
            'password': home.secret(who.secret)}}},
        'scope': {'project': {
            'name': who.project, 'domain': {'id': 'default'}}}}})
    return Login(str(headers['X-Subject-Token']),
                 str(answer['token']['project']['id']))


def _ask(method: str, url: str, body: Record | None = None,
         token: str | None = None) -> tuple[Any, Record]:
    """Headers and body of Keystone's answer.

    :raises LabError: Keystone refuses, or does not answer
    """
    try:
        answer = web.ask(web.request(method, url, body, token), PATIENCE)
    except OSError as error:
        raise errors.LabError(
            f'Keystone does not answer at {url} ({error}); check '
            f'"lab status"') from error
    if not answer.good:
        raise errors.LabError(
            f'Keystone answers {answer.code} to {method} {url}: '
            f'{answer.words}')
    return answer.headers, dict(answer.body or {})
