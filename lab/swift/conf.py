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

"""The contents of Swift's configuration files in the lab.

Imported by ``lab.services.swift`` and the modules of ``lab.swift``. There is
one replica on one device. Only the filter ``failing`` is the lab's own.
"""

import base64
from pathlib import Path

from lab import home as lab_home
from lab import identity

#: the ports of the servers on the loopback, as in Swift's documentation
PORTS = {'account': 6202, 'container': 6201, 'object': 6200}
#: the device of a ring: a folder in the folder of all devices
DEVICES = {'account': 'lists', 'container': 'lists', 'object': 'objects'}
#: seconds; Swift's own default is a day
TOKEN_SECONDS = 14400
#: projects whose users can log in to a lab without Keystone
PROJECTS = (lab_home.PROJECT, 'other', identity.ADMIN,
            identity.SERVICE_PROJECT)

HASH = """\
[swift-hash]
swift_hash_path_suffix = {suffix}
"""

SERVER = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = root
swift_dir = {root}
devices = {devices}
mount_check = {mounted}
# Not the log of the machine; the lab starts it with a log on its console.
log_address = {root}/none
fallocate_reserve = 1%

[pipeline:main]
pipeline = healthcheck {kind}-server

[app:{kind}-server]
use = egg:swift#{kind}

[filter:healthcheck]
use = egg:swift#healthcheck
"""

PROXY = """\
[DEFAULT]
# for IPv4, too
bind_ip = ::
bind_port = {port}
workers = 0
user = root
swift_dir = {root}
log_address = {root}/none

[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy-logging failing \
listing_formats bulk tempurl {auth} copy container-quotas account-quotas slo \
dlo versioned_writes symlink proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# The machine may be busy with the guests.
conn_timeout = 5
node_timeout = 30
# Of several servers, the proxy avoids one after an error.
error_suppression_interval = 0

[filter:proxy-logging]
use = egg:swift#proxy_logging
reveal_sensitive_prefix = 0

[filter:failing]
paste.filter_factory = lab.swift.failing:factory
file = {faults}

[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true

{filters}
{auth_filters}"""

#: filters without options, by their names in the pipeline
FILTERS = {
    'catch_errors': 'catch_errors', 'gatekeeper': 'gatekeeper',
    'healthcheck': 'healthcheck', 'listing_formats': 'listing_formats',
    'bulk': 'bulk', 'tempurl': 'tempurl', 'copy': 'copy',
    'container-quotas': 'container_quotas',
    'account-quotas': 'account_quotas', 'slo': 'slo', 'dlo': 'dlo',
    'symlink': 'symlink'}
FILTER = """\
[filter:{name}]
use = egg:swift#{entry}
"""

#: its tokens are valid without a server that keeps them
TEMPAUTH = """\
[filter:tempauth]
use = egg:swift#tempauth
token_life = {life}
fernet_key_lab = {key}
active_fernet_key_id = lab
{users}
"""

KEYSTONEAUTH = """\
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
auth_type = password
auth_url = {url}
www_authenticate_uri = {url}
username = {user}
password = {password}
project_name = {project}
user_domain_name = Default
project_domain_name = Default
delay_auth_decision = True

[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
project_reader_roles = reader
"""


def folder_of_devices(home: lab_home.Home) -> Path:
    return home.swift / 'devices'


def file_of_faults(home: lab_home.Home) -> Path:
    return home.swift / 'faults.json'


def hashing(home: lab_home.Home) -> str:
    """swift.conf."""
    return HASH.format(suffix=home.secret('swift-hash'))


def server(home: lab_home.Home, kind: str) -> str:
    """The configuration of the account, container or object server."""
    return SERVER.format(
        kind=kind, port=PORTS[kind], root=home.swift,
        devices=folder_of_devices(home), mounted=kind == 'object')


def proxy(home: lab_home.Home) -> str:
    """The configuration of the proxy; it contains passwords or keys."""
    return PROXY.format(
        port=lab_home.SWIFT_PORT, root=home.swift,
        faults=file_of_faults(home),
        filters='\n'.join(FILTER.format(name=name, entry=entry)
                          for name, entry in FILTERS.items()),
        auth=('authtoken keystoneauth' if home.with_keystone
              else 'tempauth'),
        auth_filters=(_keystoneauth(home) if home.with_keystone
                      else _tempauth(home)))


def url_for_guests() -> str:
    """The URL of Swift, to which a project's ID is appended."""
    return (f'http://{lab_home.CONTROLLER_NAME}:{lab_home.SWIFT_PORT}'
            f'/v1/{lab_home.SWIFT_PREFIX}')


def token_key(home: lab_home.Home) -> str:
    """The Fernet key of the tokens in a lab without Keystone: 32 bytes."""
    secret = home.secret('swift-tokens').encode()[:32]
    return base64.urlsafe_b64encode(secret).decode()


def password(home: lab_home.Home, project: str) -> str:
    """The password of a project's user in a lab without Keystone."""
    return home.secret(f'swift-{project}')


def token_seconds(home: lab_home.Home) -> int:
    """How long a new token is valid."""
    return int(home.settings().get('token_seconds', TOKEN_SECONDS))


def _tempauth(home: lab_home.Home) -> str:
    return TEMPAUTH.format(
        life=token_seconds(home), key=token_key(home),
        users='\n'.join(
            f'user_{project}_{project} = '
            f'{password(home, project)} .admin'
            for project in PROJECTS))


def _keystoneauth(home: lab_home.Home) -> str:
    return KEYSTONEAUTH.format(
        url=home.identity_url, user=identity.SWIFT.name,
        password=home.secret(identity.SWIFT.secret),
        project=identity.SWIFT.project)
