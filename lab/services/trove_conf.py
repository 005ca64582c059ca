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

"""The contents of Trove's configuration files in the lab.

Imported by ``lab.services.trove``. An operator may set each of these options
on a real cloud, too.
"""

from lab import errors
from lab import home as lab_home
from lab import identity
from lab.services import mariadb
from lab.services import rabbitmq
from lab.swift import conf as swift_conf

STRATEGIES = """\
api_strategy = trove_pxc.api.strategy.GaleraAPIStrategy
taskmanager_strategy = \
trove_pxc.taskmanager.strategy.GaleraTaskManagerStrategy
guestagent_strategy = \
trove_pxc.guestagent.strategy.GaleraGuestAgentStrategy
root_controller = trove_pxc.api.root.GaleraRootController
"""

#: shorter than Trove's defaults, which are for virtual machines that take
#: minutes to boot
POLLING = """\
usage_sleep_time = 1
state_change_poll_time = 1
state_healthy_counts = 2
report_interval = 5
agent_call_low_timeout = 5
"""

#: as the installation guide recommends: guests report once a minute
EXPIRY = 'agent_heartbeat_expiry = 180'

#: all services reconnect within seconds after a restart of the broker
BROKER = """\
[oslo_messaging_rabbit]
rabbit_interval_max = 3
"""

TROVE = """\
[DEFAULT]
debug = {debug}
transport_url = {transport_url}
control_exchange = trove
bind_host = 127.0.0.1
bind_port = {port}
trove_api_workers = 1
trove_conductor_workers = 1
api_paste_config = {etc}/api-paste.ini
guest_config = {etc}/trove-guestagent.conf
cloudinit_location = {etc}/cloudinit
template_path = {etc}/templates/
{clients}{manager}network_driver = trove.network.neutron.NeutronDriver
network_label_regex = .*
default_datastore = mariadb
trove_volume_support = True
max_accepted_volume_size = 10
# Growing a mounted ext4 needs a capability that some machines do not give.
online_volume_resize = False
max_instances_per_tenant = 30
max_volumes_per_tenant = 100
{rates}
{polling}{expiry}

[database]
connection = {connection}
max_pool_size = 64

[network]
enable_access_check = False
network_isolation = False

[oslo_messaging_notifications]
driver = log

{broker}
[oslo_policy]
policy_file = {etc}/policy.yaml

[oslo_concurrency]
lock_path = {run}/locks
{datastores}{credentials}"""

MANAGER = 'taskmanager_manager = trove_pxc.taskmanager.manager.Manager\n'
DATASTORES = f"""
[mariadb]
tcp_ports = 3306
{STRATEGIES}
[pxc]
tcp_ports = 3306
{STRATEGIES}
[trove_pxc]
cloud_call_timeout = 8
request_retry_timeout = 60
"""

#: clients without a token, and Trove's own client of Swift; with Keystone,
#: Trove uses its own clients and the catalogue
CLIENTS = """\
remote_nova_client = lab.cloud.clients.nova
remote_neutron_client = lab.cloud.clients.neutron
remote_cinder_client = lab.cloud.clients.cinder
remote_glance_client = lab.cloud.clients.glance
swift_url = {swift_url}
"""

CREDENTIALS = """
[keystone_authtoken]
auth_type = password
auth_url = {inside}
www_authenticate_uri = {outside}
username = {user}
password = {password}
project_name = {project}
user_domain_name = Default
project_domain_name = Default

[service_credentials]
auth_url = {inside}
username = {user}
password = {password}
project_name = {project}
region_name = {region}
user_domain_name = Default
project_domain_name = Default
"""

GUEST = """\
[DEFAULT]
debug = {debug}
transport_url = {transport_url}
control_exchange = trove
swift_url = {swift_url}
{polling}
{broker}{images}"""

IMAGES = """
[mariadb]
docker_image = trove-lab/mariadb
metrics_port = 9104

[pxc]
docker_image = trove-lab/pxc
metrics_port = 9104
"""

PASTE = """\
[composite:trove]
use = call:trove.common.wsgi:versioned_urlmap
/: versions
/healthcheck: healthcheck
/v1.0: troveapi

[app:versions]
paste.app_factory = trove.versions:app_factory

[pipeline:troveapi]
pipeline = request_id http_proxy_to_wsgi faultwrapper project_of_url \
authorization contextwrapper ratelimit extensions troveapp

[filter:request_id]
paste.filter_factory = oslo_middleware.request_id:RequestId.factory

[filter:http_proxy_to_wsgi]
use = egg:oslo.middleware#http_proxy_to_wsgi

[filter:faultwrapper]
paste.filter_factory = trove.common.wsgi:FaultWrapper.factory

[filter:project_of_url]
paste.filter_factory = lab.noauth:factory
key = {key}

[filter:authorization]
paste.filter_factory = trove.common.auth:AuthorizationMiddleware.factory

[filter:contextwrapper]
paste.filter_factory = trove.common.wsgi:ContextMiddleware.factory

[filter:ratelimit]
paste.filter_factory = trove.common.limits:RateLimitingMiddleware.factory

[filter:extensions]
paste.filter_factory = trove.common.extensions:factory

[app:troveapp]
paste.app_factory = trove.common.api:app_factory

[app:healthcheck]
paste.app_factory = oslo_middleware:Healthcheck.app_factory
backends = disable_by_file
disable_by_file_path = {etc}/healthcheck_disable
"""

#: the path of the file in Trove's package
SHIPPED = 'etc/trove/api-paste.ini'
FILTER = """
[filter:galera]
paste.filter_factory = trove_pxc.api.pipeline:factory
"""

RATES = '\n'.join(f'http_{verb}_rate = 6000' for verb in (
    'get', 'post', 'put', 'delete', 'mgmt_post'))


def trove(home: lab_home.Home) -> str:
    """trove.conf, of the API, the conductor and the taskmanager."""
    return TROVE.format(
        debug=_debug(home),
        transport_url=rabbitmq.transport_url(home, '127.0.0.1'),
        port=lab_home.TROVE_PORT, etc=home.etc, run=home.run, rates=RATES,
        polling=POLLING, expiry=EXPIRY, broker=BROKER,
        manager='' if home.plain else MANAGER,
        datastores='' if home.plain else DATASTORES,
        clients='' if home.with_keystone else CLIENTS.format(
            swift_url=home.swift_url),
        credentials=_credentials(home) if home.with_keystone else '',
        connection=mariadb.connection_url(home, 'trove'))


def guest(home: lab_home.Home) -> str:
    """trove-guestagent.conf, which Trove injects into every guest."""
    return GUEST.format(
        debug=_debug(home), polling=POLLING, broker=BROKER,
        images='' if home.plain else IMAGES,
        swift_url=swift_conf.url_for_guests(),
        transport_url=rabbitmq.transport_url(
            home, lab_home.CONTROLLER_NAME))


def paste(home: lab_home.Home) -> str:
    """api-paste.ini: Trove's file, or one without Keystone."""
    text = ((home.venv / SHIPPED).read_text() if home.with_keystone
            else PASTE.format(etc=home.etc,
                              key=swift_conf.token_key(home)))
    return text if home.plain else with_filter(text)


def with_filter(shipped: str) -> str:
    """Trove's file, with the change that the documentation describes.

    :raises LabError: the file differs from the documentation
    """
    changed = shipped.replace(' extensions troveapp',
                              ' galera extensions troveapp', 1)
    if changed == shipped:
        raise errors.LabError(
            f'{SHIPPED} has no pipeline with "extensions troveapp"')
    return changed + FILTER


def _credentials(home: lab_home.Home) -> str:
    return CREDENTIALS.format(
        inside=home.identity_url, outside=home.keystone_url,
        user=identity.TROVE.name, project=identity.TROVE.project,
        password=home.secret(identity.TROVE.secret), region=identity.REGION)


def _debug(home: lab_home.Home) -> bool:
    return bool(home.settings().get('debug', False))
