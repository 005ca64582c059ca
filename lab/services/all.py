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
"""All services of the controller, by the names on the command line.

Imported by ``lab.up``, ``lab.status`` and the command line.
"""

from lab import errors
from lab import home as lab_home
from lab.services import base
from lab.services import cloud
from lab.services import forwarder
from lab.services import keystone
from lab.services import mariadb
from lab.services import rabbitmq
from lab.services import swift
from lab.services import trove

KINDS: tuple[type[base.Service], ...] = (
    rabbitmq.RabbitMQ, mariadb.MariaDB, keystone.Keystone, swift.Storage,
    swift.Proxy, cloud.Cloud, trove.Api, trove.Conductor, trove.Taskmanager,
    forwarder.Forwarder)
NAMES = tuple(kind.name for kind in KINDS)


def services(home: lab_home.Home) -> dict[str, base.Service]:
    """One object for each service, in the order of their start."""
    return {kind.name: kind(home) for kind in KINDS
            if kind is not keystone.Keystone or home.with_keystone}


def service(home: lab_home.Home, name: str) -> base.Service:
    """The service of that name, one of NAMES.

    :raises LabError: this lab has none
    """
    found = services(home).get(name)
    if found is None:
        raise errors.LabError(
            f'this lab has no {name}; "lab up --{name}" starts one')
    return found


def states(home: lab_home.Home) -> dict[str, str]:
    """"up" or "down" for each service."""
    return {name: 'up' if service.is_up() else 'down'
            for name, service in services(home).items()}
