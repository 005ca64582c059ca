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

"""Checks of what trove-api and trove-taskmanager load of this package.

Imported by the table. Each public function is one check.
"""

from collections.abc import Iterator
import importlib
from importlib import metadata

from trove.common.strategies.cluster import base
from trove.taskmanager import manager as taskmanager

from trove_pxc.checks import check
from trove_pxc.checks import site as sites

#: the releases of Trove with which the tests run
TESTED = (25, 26)
TASKMANAGER = 'trove_pxc.taskmanager.manager.Manager'
EXTENSION = 'trove_pxc.api.extension:GaleraExtension'

_KINDS = {
    'api_strategy': base.BaseAPIStrategy,
    'taskmanager_strategy': base.BaseTaskManagerStrategy,
    'guestagent_strategy': base.BaseGuestAgentStrategy,
}


def trove_version(site: sites.Site) -> Iterator[check.Fault]:
    """This package supports this release of Trove."""
    version = metadata.version('trove')
    series = int(version.split('.')[0])
    if series < min(TESTED):
        yield check.Fault(
            f'Trove is {version}; this package needs {min(TESTED)} or '
            'newer. Upgrade Trove first.')
    elif series > max(TESTED):
        yield check.Fault(
            f'Trove is {version}; this package was tested with releases up '
            f'to {max(TESTED)}. Look for a newer trove-pxc.',
            fatal=False)


def is_offered(site: sites.Site) -> Iterator[check.Fault]:
    """At least one datastore is configured for clusters."""
    if not site.offered:
        lines = ', '.join(f'{name} = {value}' for name, value
                          in sites.STRATEGIES.items())
        yield check.Fault(
            'Neither [pxc] nor [mariadb] names this package. Write into the '
            f'section of the datastore that you offer: {lines}.')


def strategies_set(site: sites.Site) -> Iterator[check.Fault]:
    """Each such datastore has all three strategies."""
    for manager in site.offered:
        for name, ours in sites.STRATEGIES.items():
            value = str(site.options[manager][name])
            if not value.startswith(sites.OURS):
                yield check.Fault(
                    f'[{manager}] {name} is {value}, which is not a strategy '
                    f'of this package. Write: {name} = {ours}.')


def strategies_importable(site: sites.Site) -> Iterator[check.Fault]:
    """Each strategy can be loaded and has the right base class."""
    for manager in site.offered:
        for name, ours in sites.STRATEGIES.items():
            value = str(site.options[manager][name])
            if not value.startswith(sites.OURS):
                continue
            reason = not_loadable(value, _KINDS[name])
            if reason:
                yield check.Fault(
                    f'[{manager}] {name} = {value}: {reason}. Write: '
                    f'{name} = {ours}.')


def cluster_support(site: sites.Site) -> Iterator[check.Fault]:
    """Trove allows clusters of the datastore."""
    for manager in site.offered:
        if not site.options[manager].cluster_support:
            yield check.Fault(
                f'[{manager}] cluster_support is off, so every create is '
                'refused. Write: cluster_support = True.')


def api_extension(site: sites.Site) -> Iterator[check.Fault]:
    """trove-api finds the extension of this package."""
    there = {point.value for point in metadata.entry_points(
        group='trove.api.extensions')}
    if EXTENSION not in there:
        yield check.Fault(
            f'The entry point {EXTENSION} is not registered, because the '
            'package was copied and not installed. Install it with pip into '
            'the environment of trove-api.')


def root_controller(site: sites.Site) -> Iterator[check.Fault]:
    """Root can be enabled for clusters."""
    for manager in site.offered:
        value = str(site.options[manager].root_controller)
        if value != sites.ROOT_CONTROLLER:
            yield check.Fault(
                f'[{manager}] root_controller is {value}, which cannot '
                'enable root for a cluster. Write: root_controller = '
                f'{sites.ROOT_CONTROLLER}.', fatal=False)


def taskmanager_manager(site: sites.Site) -> Iterator[check.Fault]:
    """The operations of a taskmanager that died are resumed."""
    value = str(site.options.taskmanager_manager)
    if not value.startswith(sites.OURS):
        yield check.Fault(
            f'[DEFAULT] taskmanager_manager is {value}, which does not '
            'resume the operations of a taskmanager that died. Write: '
            f'taskmanager_manager = {TASKMANAGER}.', fatal=False)
        return
    reason = not_loadable(value, taskmanager.Manager)
    if reason:
        yield check.Fault(
            f'[DEFAULT] taskmanager_manager = {value}: {reason}; '
            f'trove-taskmanager cannot start. Write: taskmanager_manager = '
            f'{TASKMANAGER}.')


def notification_ids(site: sites.Site) -> Iterator[check.Fault]:
    """Usage notifications have the id of their datastore."""
    known = site.options.notification_service_id
    for manager in site.offered:
        if not known.get(manager):
            yield check.Fault(
                f'[DEFAULT] notification_service_id has no id for {manager}, '
                'so its usage notifications have the id '
                f'unknown-service-id-error. Add: {manager}:UUID.',
                fatal=False)


def not_loadable(name: str, kind: type | None = None) -> str | None:
    """Return why a class cannot be loaded by its dotted name, or None.

    :param kind: the required base class.
    """
    module, _, attribute = name.rpartition('.')
    try:
        found = getattr(importlib.import_module(module), attribute, None)
    except (ImportError, ValueError) as error:
        return f'it cannot be imported ({error})'
    if found is None:
        return f'{module} has no {attribute}'
    if not isinstance(found, type):
        return 'it is not a class'
    if kind is not None and not issubclass(found, kind):
        return f'it is not a {kind.__name__}'
    return None
