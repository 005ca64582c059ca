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

"""The checks, in their order.

Imported by the command line.
"""

from trove_pxc.checks import check
from trove_pxc.checks import datastores
from trove_pxc.checks import guests
from trove_pxc.checks import pipeline
from trove_pxc.checks import services
from trove_pxc.checks import settings

FILES = 'Configuration files'
VALUES = 'Values in trove.conf'
CIDR = 'Network of the users'
GUEST_FILE = "Guests' file"
GUEST_VALUES = "Values in the guests' file"
DATABASE = 'Database'
OFFERED = 'Datastores with clusters'
STRATEGIES = 'Strategies'
NAMED = 'Guest images named'

CHECKS = (
    check.Check(
        'Version of Trove', services.trove_version,
        'This release of Trove was tested with this package.'),
    check.Check(
        FILES, settings.files, 'There is a configuration to check.'),
    check.Check(
        VALUES, settings.values,
        'Every option of [DEFAULT], [pxc] and [mariadb] is valid.',
        (FILES,)),
    check.Check(
        'Names in trove.conf', settings.names,
        'Every name in [pxc] and [mariadb] is an option.', (FILES,)),
    check.Check(
        OFFERED, services.is_offered,
        'trove.conf or a datastore version uses this package.', (VALUES,)),
    check.Check(
        STRATEGIES, services.strategies_set,
        "api_strategy, taskmanager_strategy and guestagent_strategy are this "
        "package's.", (VALUES, OFFERED)),
    check.Check(
        'Strategies load', services.strategies_importable,
        'Each of them can be imported here.', (VALUES, STRATEGIES)),
    check.Check(
        'Cluster support', services.cluster_support,
        'cluster_support is on.', (VALUES, OFFERED)),
    check.Check(
        'Routes of the API', services.api_extension,
        'trove-api finds the extension of this package, if it runs in this '
        'environment.'),
    check.Check(
        'Pipeline of the API', pipeline.api_filter,
        'The filter of this package comes before extensions.', (VALUES,)),
    check.Check(
        'Root', services.root_controller,
        'Root can be enabled for clusters.', (VALUES, OFFERED)),
    check.Check(
        'Resumed operations', services.taskmanager_manager,
        'trove-taskmanager resumes the operations of one that died.',
        (VALUES,)),
    check.Check(
        'Notification ids', services.notification_ids,
        'Usage notifications have an id for each datastore.',
        (VALUES, OFFERED)),
    check.Check(
        CIDR, settings.cidr,
        'trove_security_group_rule_cidr is a network.', (VALUES,)),
    check.Check(
        'Ports between members', settings.ports,
        'tcp_ports does not open 4444, 4567 and 4568 to users.',
        (VALUES, OFFERED, CIDR)),
    check.Check(
        'Port of users', settings.sql_port,
        'tcp_ports opens 3306 to users.', (VALUES, OFFERED)),
    check.Check(
        'Messages to guests', settings.messages,
        'Messages with passwords and keys for guests are encrypted.',
        (VALUES,)),
    check.Check(
        'Templates readable', settings.templates_whole,
        'The templates of new instances can be read.', (VALUES, OFFERED)),
    check.Check(
        'Templates found', settings.templates_found,
        'All services find the same templates.', (VALUES, OFFERED)),
    check.Check(
        GUEST_FILE, guests.file,
        'The file that guest_config names can be read.', (VALUES,)),
    check.Check(
        GUEST_VALUES, guests.values,
        'Every option of [DEFAULT], [pxc] and [mariadb] in it is valid.',
        (GUEST_FILE,)),
    check.Check(
        "Guests' message broker", guests.message_bus,
        'transport_url in it names a broker.', (GUEST_FILE,)),
    check.Check(
        'Database images', guests.database_images,
        'docker_image in it has no tag.',
        (VALUES, OFFERED, GUEST_VALUES)),
    check.Check(
        'Metrics', guests.metrics,
        'tcp_ports does not open the metrics of members to users.',
        (VALUES, OFFERED, GUEST_VALUES)),
    check.Check(
        'Heartbeats', settings.heartbeat,
        'agent_heartbeat_expiry is longer than two reports take.',
        (VALUES, GUEST_VALUES)),
    check.Check(
        'Connections', settings.connections,
        'max_pool_size is enough for all threads of trove-taskmanager.',
        (VALUES,)),
    check.Check(
        'Time to stop', settings.stop_timeouts,
        'member_stop_timeout is longer than state_change_wait_time.',
        (VALUES, OFFERED, GUEST_VALUES)),
    check.Check(
        'Time to grow', settings.volume_timeouts,
        'volume_resize_timeout is enough for max_accepted_volume_size.',
        (VALUES, OFFERED)),
    check.Check(
        DATABASE, datastores.database,
        "Trove's tables can be read.", (VALUES,)),
    check.Check(
        'Datastore versions', datastores.registered,
        'There is an active version for clusters.',
        (OFFERED, DATABASE)),
    check.Check(
        'Guest managers', datastores.guest_managers,
        'registry_ext of each version is the guest manager of this package.',
        (DATABASE,)),
    check.Check(
        'Managers', datastores.managers,
        'Each version has the manager of its guest manager.',
        (DATABASE,)),
    check.Check(
        'Replication strategies', datastores.replication_strategies,
        'repl_strategy of each version can be imported.', (DATABASE,)),
    check.Check(
        'Server versions', datastores.supported,
        'This package supports the server of each version.', (DATABASE,)),
    check.Check(
        NAMED, datastores.images_named,
        'Each version has an image or image tags.', (DATABASE,)),
    check.Check(
        'Guest images in Glance', datastores.images_there,
        'Glance has the image of each version.', (DATABASE, NAMED)),
    check.Check(
        'Validation rules', datastores.validation_rules,
        'Each version has validation rules for configuration groups.',
        (DATABASE,)),
)
