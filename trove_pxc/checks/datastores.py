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

"""Checks of the datastore versions in Trove's tables.

Imported by the table. Each public function is one check.
"""

from collections.abc import Iterator

from glanceclient import exc as glance_exceptions
from keystoneauth1 import exceptions as keystone_exceptions
from trove.common import clients
from trove.common import constants
from trove.common import context as trove_context
from trove.common import exception
from trove.common import glance
from trove.guestagent.strategies.replication import base as replication

from trove_pxc.checks import check
from trove_pxc.checks import services
from trove_pxc.checks import site as sites
from trove_pxc.galera import dialect
from trove_pxc.galera import errors
from trove_pxc import registration

_NO_ANSWER = (
    glance_exceptions.HTTPException, glance_exceptions.CommunicationError,
    glance_exceptions.InvalidEndpoint, exception.TroveError,
    keystone_exceptions.ClientException)
_ADD = 'trove-pxc-manage datastore add'


def database(site: sites.Site) -> Iterator[check.Fault]:
    """Trove's tables can be read."""
    reason = sites.why_unreadable(lambda: site.versions)
    if reason:
        yield check.Fault(
            f'[database] connection: the database cannot be read: {reason}. '
            'Write the connection of trove-api. For a new database, run: '
            'trove-manage db_sync.')


def registered(site: sites.Site) -> Iterator[check.Fault]:
    """There is an active version for clusters."""
    if site.offered and not _of_offered(site):
        manager = site.offered[0]
        yield check.Fault(
            'No active datastore version has the manager '
            f'{" or ".join(site.offered)}. Run: {_ADD} --manager {manager} '
            '--version VERSION --image IMAGE_ID.')


def guest_managers(site: sites.Site) -> Iterator[check.Finding]:
    """registry_ext is the guest manager of this package."""
    yield from _nothing_in(_of_offered(site))
    for version in _of_offered(site):
        wanted = registration.GUEST_MANAGERS.get(version.manager)
        if wanted is None or version.registry_ext == wanted:
            continue
        troves = constants.REGISTRY_EXT_DEFAULTS.get(version.manager)
        plain = troves is not None and version.registry_ext == troves
        what = ("Trove's guest manager, which only supports single instances"
                if plain else 'this is not a guest manager for it')
        yield check.Fault(
            f'The datastore version {version.label} has the registry_ext '
            f'{version.registry_ext}: {what}. {_again(version)}',
            fatal=not plain)


def managers(site: sites.Site) -> Iterator[check.Finding]:
    """A version with our guest manager has the manager of this class."""
    ours = [version for version in site.versions if version.is_ours]
    yield from _nothing_in(ours)
    for version in ours:
        known = sorted(registration.GUEST_MANAGERS)
        if version.manager not in known:
            yield check.Fault(
                f'The datastore version {version.label} has the manager '
                f'{version.manager} and the registry_ext '
                f'{version.registry_ext}, which belongs to '
                f'{" or ".join(known)}. Register it under a new name '
                f'with: {_ADD}.')


def replication_strategies(site: sites.Site) -> Iterator[check.Finding]:
    """The guest can load the replication strategy."""
    yield from _nothing_in(_of_offered(site))
    for version in _of_offered(site):
        value = version.repl_strategy or ''
        reason = ('none is set' if not value else
                  services.not_loadable(value, replication.Replication))
        if reason:
            yield check.Fault(
                f'The datastore version {version.label} has the '
                f'repl_strategy {value or "None"}: {reason}. '
                f'{_again(version)}')


def supported(site: sites.Site) -> Iterator[check.Finding]:
    """This package supports the server of each version."""
    yield from _nothing_in(_of_offered(site))
    for version in _of_offered(site):
        try:
            dialect.for_version(version.manager, version.number)
        except errors.UnsupportedVersion as reason:
            yield check.Fault(
                f'The datastore version {version.label}: {reason}')


def images_named(site: sites.Site) -> Iterator[check.Finding]:
    """Each version has a guest image, or tags of one."""
    yield from _nothing_in(_of_offered(site))
    for version in _of_offered(site):
        if not version.image_id and not version.image_tags:
            yield check.Fault(
                f'The datastore version {version.label} has neither an image '
                f'nor image tags. {_again(version)}')


def images_there(site: sites.Site) -> Iterator[check.Finding]:
    """Glance has the guest image of each version."""
    named = [version for version in _of_offered(site)
             if version.image_id or version.image_tags]
    yield from _nothing_in(named)
    for version in named:
        try:
            there = glance.get_image_id(
                _glance(site), version.image_id, version.image_tags)
        except (exception.ImageNotFound, exception.ImageNotFoundByTags):
            there = None
        except _NO_ANSWER as error:
            yield check.NotChecked(
                'The guest images could not be looked up in Glance: '
                f'{type(error).__name__}. Check [service_credentials], and '
                'whether this host can reach Glance.')
            return
        if not there:
            sought = version.image_id or f'tags {version.image_tags}'
            yield check.Fault(
                f'Glance has no image {sought} of the datastore version '
                f'{version.label}. Upload an image and use its ID. '
                f'{_again(version)}')


def validation_rules(site: sites.Site) -> Iterator[check.Finding]:
    """Each version has validation rules for configuration groups."""
    yield from _nothing_in(_of_offered(site))
    for version in _of_offered(site):
        if not site.number_of_rules(version):
            yield check.Fault(
                f'The datastore version {version.label} has no validation '
                'rules, so every configuration group for it is refused. '
                f'{_again(version)}', fatal=False)


def _of_offered(site: sites.Site) -> list[sites.Version]:
    return [version for version in site.versions
            if version.manager in site.offered]


def _nothing_in(versions: list[sites.Version]) -> Iterator[check.NotChecked]:
    """Yield the result of a check that has no version to check."""
    if not versions:
        yield check.NotChecked(
            'there is no active datastore version to check. '
            f'Register one with: {_ADD}.')


def _again(version: sites.Version) -> str:
    name = ('' if version.name == version.number
            else f' --name {version.name}')
    image = version.image_id or 'IMAGE_ID'
    return (f'Run: {_ADD} --manager {version.manager} --datastore '
            f'{version.datastore} --version {version.number}{name} --image '
            f'{image}.')


def _glance(site: sites.Site) -> object:
    credentials = site.options.service_credentials
    context = trove_context.TroveContext(
        user_id=credentials.username, project_id=credentials.project_id,
        user_domain_name=credentials.user_domain_name, is_admin=True)
    return clients.create_glance_client(context)
