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

"""Checks of the configuration file that Trove copies to the guests.

Imported by the table. Each public function is one check.
"""

from collections.abc import Iterator

import oslo_messaging as messaging

from trove_pxc.checks import check
from trove_pxc.checks import settings
from trove_pxc.checks import site as sites

_HERE = ('localhost', '127.0.0.1', '::1', '')


def file(site: sites.Site) -> Iterator[check.Fault]:
    """The file can be read."""
    reason = sites.why_unreadable(lambda: site.guest)
    if reason:
        yield check.Fault(
            f'[DEFAULT] guest_config = {site.guest_file}: {reason}. Trove '
            'copies this file to every guest. Create it, or write the path '
            'of an existing one.')


def values(site: sites.Site) -> Iterator[check.Fault]:
    """All values in the file are valid."""
    yield from settings.invalid_values(site.guest, f'{site.guest_file}: ')


def message_bus(site: sites.Site) -> Iterator[check.Fault]:
    """A guest can reach the message broker."""
    try:
        hosts = messaging.TransportURL.parse(site.guest).hosts
    except messaging.InvalidTransportURL:
        yield check.Fault(
            f'{site.guest_file}: [DEFAULT] transport_url cannot be parsed. '
            'Write: transport_url = rabbit://USER:PASSWORD@HOST:5672/.')
        return
    if not hosts:
        yield check.Fault(
            f'{site.guest_file} has no [DEFAULT] transport_url, so guests '
            'cannot find the message broker. Write: transport_url = '
            'rabbit://USER:PASSWORD@HOST:5672/.')
    for host in hosts:
        if (host.hostname or '') in _HERE:
            yield check.Fault(
                f'{site.guest_file}: [DEFAULT] transport_url names the host '
                f'"{host.hostname}", which in a guest is the guest itself. '
                'Write the address at which guests can reach the broker.')


def metrics(site: sites.Site) -> Iterator[check.Fault]:
    """The metrics of members are not open to users."""
    for manager in site.offered:
        port = site.guest[manager].metrics_port
        address = str(site.guest[manager].metrics_address)
        if port and address not in _HERE and any(
                port in ports for ports in site.options[manager].tcp_ports):
            yield check.Fault(
                f'[{manager}] tcp_ports opens {port}, the metrics_port in '
                f'{site.guest_file}, so users can read the metrics of '
                'members without a password. Remove it from tcp_ports, and '
                'allow Prometheus with management_security_groups.',
                fatal=False)


def database_images(site: sites.Site) -> Iterator[check.Fault]:
    """The name of the image has no tag, which the guest adds."""
    for manager in site.offered:
        image = site.guest[manager].docker_image or ''
        name = image.rsplit('/', 1)[-1]
        if ':' in name or '@' in name:
            bare = image.split('@')[0]
            bare = bare[:bare.rindex(':')] if ':' in name.split('@')[0] else (
                bare)
            yield check.Fault(
                f'{site.guest_file}: [{manager}] docker_image = {image} has '
                'a tag. The guest uses the version number of the datastore '
                f'version as the tag. Write: docker_image = {bare}.')
