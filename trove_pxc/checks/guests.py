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

"""Whether the file that Trove brings into the guests fits.

The table imports it. Each function is one check.
"""

from collections.abc import Iterator

import oslo_messaging as messaging

from trove_pxc.checks import check
from trove_pxc.checks import settings
from trove_pxc.checks import site as sites

_HERE = ('localhost', '127.0.0.1', '::1', '')


def file(site: sites.Site) -> Iterator[check.Fault]:
    """It can be read."""
    reason = sites.why_unreadable(lambda: site.guest)
    if reason:
        yield check.Fault(
            f'[DEFAULT] guest_config = {site.guest_file}: {reason}. Trove '
            'brings this file into every guest. Write it, or the path of '
            'the one that you have.')


def values(site: sites.Site) -> Iterator[check.Fault]:
    """Every value in it can be read as what it should be."""
    yield from settings.invalid_values(site.guest, f'{site.guest_file}: ')


def message_bus(site: sites.Site) -> Iterator[check.Fault]:
    """A guest reaches the message broker."""
    try:
        hosts = messaging.TransportURL.parse(site.guest).hosts
    except messaging.InvalidTransportURL:
        yield check.Fault(
            f'{site.guest_file}: [DEFAULT] transport_url cannot be parsed. '
            'Write: transport_url = rabbit://USER:PASSWORD@HOST:5672/.')
        return
    if not hosts:
        yield check.Fault(
            f'{site.guest_file} has no [DEFAULT] transport_url, so that no '
            'guest finds the message broker. Write: transport_url = '
            'rabbit://USER:PASSWORD@HOST:5672/.')
    for host in hosts:
        if (host.hostname or '') in _HERE:
            yield check.Fault(
                f'{site.guest_file}: [DEFAULT] transport_url names the host '
                f'"{host.hostname}", which is the guest itself there. Write '
                'the address at which guests reach the broker.')


def metrics(site: sites.Site) -> Iterator[check.Fault]:
    """The figures of members are not open to their users."""
    for manager in site.offered:
        port = site.guest[manager].metrics_port
        address = str(site.guest[manager].metrics_address)
        if port and address not in _HERE and any(
                port in ports for ports in site.options[manager].tcp_ports):
            yield check.Fault(
                f'[{manager}] tcp_ports opens {port}, the metrics_port in '
                f'{site.guest_file}, so that users read the figures of '
                'members without a password. Take it out of tcp_ports, and '
                'let Prometheus in by management_security_groups.',
                fatal=False)


def database_images(site: sites.Site) -> Iterator[check.Fault]:
    """The guest can put the version behind the image's name."""
    for manager in site.offered:
        image = site.guest[manager].docker_image or ''
        name = image.rsplit('/', 1)[-1]
        if ':' in name or '@' in name:
            bare = image.split('@')[0]
            bare = bare[:bare.rindex(':')] if ':' in name.split('@')[0] else (
                bare)
            yield check.Fault(
                f'{site.guest_file}: [{manager}] docker_image = {image} has '
                'a tag, but the tag is the number of the datastore version. '
                f'Write: docker_image = {bare}.')
