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

"""Checks of the values in trove.conf.

Imported by the table. Each public function is one check.
"""

from collections.abc import Iterator
import difflib
import ipaddress

import jinja2
from oslo_config import cfg
from oslo_db import options as db_options
from oslo_messaging import opts as messaging_options
from trove.common import cfg as trove_cfg
from trove.common import utils

from trove_pxc.checks import check
from trove_pxc.checks import site as sites
from trove_pxc import conf

GALERA_PORTS = (4444, 4567, 4568)
SQL_PORT = 3306
#: reports of a guest that may be due before it counts as failed
REPORTS = 2
#: time of a file system check before an offline resize, on slow disks: a
#: minute to detach, attach and mount, and 200 s for a TiB
RESIZE_SECONDS = 60
RESIZE_SECONDS_PER_GB = 0.2

_THREADS = next(option for _, options in messaging_options.list_opts()
                for option in options
                if option.name == 'executor_thread_pool_size')
_NO_GROUPS = ('[DEFAULT] trove_security_groups_support is off, so tcp_ports '
              'has no effect.')


def files(site: sites.Site) -> Iterator[check.Fault]:
    """There is a configuration file."""
    if not site.files:
        yield check.Fault(
            'No configuration file was found in the default directories. '
            'Run the check where a service of Trove is configured, or name '
            'its file: trove-pxc-status --config-file FILE upgrade check.')


def values(site: sites.Site) -> Iterator[check.Fault]:
    """All values are valid."""
    yield from invalid_values(site.options, '')


def invalid_values(options: cfg.ConfigOpts,
                   where: str) -> Iterator[check.Fault]:
    """Yield a fault for each option whose value is invalid.

    :param where: the file, for the text; empty for trove.conf.
    """
    groups: list[tuple[str, list[cfg.Opt]]] = [
        ('DEFAULT', trove_cfg.common_opts)]
    groups += [(manager, all_options(manager)) for manager in conf.MANAGERS]
    for group, registered in groups:
        for option in registered:
            try:
                in_group = options if group == 'DEFAULT' else options[group]
                in_group[option.dest]
            except (cfg.ConfigFileValueError, ValueError) as error:
                reason = str(error).splitlines()[0]
                yield check.Fault(
                    f'{where}[{group}] {option.name} is invalid: {reason}. '
                    f'{_meaning(option)}')


def names(site: sites.Site) -> Iterator[check.Fault]:
    """No option in [pxc] and [mariadb] is misspelled."""
    for manager in conf.MANAGERS:
        known = {name for option in all_options(manager)
                 for name in _spellings(option)}
        for file, name in site.names_in(manager):
            if name.replace('-', '_') in known:
                continue
            near = difflib.get_close_matches(name, sorted(known), 1)
            advice = f'Write: {near[0]}' if near else 'Remove it'
            yield check.Fault(
                f'{file} sets [{manager}] {name}, which is not an option. '
                f'{advice}.', fatal=False)


def ports(site: sites.Site) -> Iterator[check.Finding]:
    """The ports between members are not open to users."""
    options = site.options
    if not options.trove_security_groups_support:
        yield check.NotChecked(
            f'{_NO_GROUPS} In your firewall, open 4444, 4567 and 4568 only '
            'to the members of a cluster.')
        return
    network = ipaddress.ip_network(
        options.trove_security_group_rule_cidr, strict=False)
    for manager in site.offered:
        opened = [str(port) for port in GALERA_PORTS if any(
            port in ports for ports in options[manager].tcp_ports)]
        if opened:
            yield check.Fault(
                f'[{manager}] tcp_ports opens {", ".join(opened)} to '
                f'{network}. Through these ports, all data of a member can '
                'be copied. Between the members of a cluster they are always '
                f'open. Write: tcp_ports = {SQL_PORT}.',
                fatal=network.prefixlen == 0)


def sql_port(site: sites.Site) -> Iterator[check.Finding]:
    """Users can reach the servers."""
    if not site.options.trove_security_groups_support:
        yield check.NotChecked(
            f'{_NO_GROUPS} In your firewall, open {SQL_PORT} to users.')
        return
    for manager in site.offered:
        if not any(SQL_PORT in ports
                   for ports in site.options[manager].tcp_ports):
            yield check.Fault(
                f'[{manager}] tcp_ports does not have {SQL_PORT}, so users '
                'cannot reach the servers. Write: tcp_ports = '
                f'{SQL_PORT}.')


def cidr(site: sites.Site) -> Iterator[check.Fault]:
    """The options with the networks of the users are valid."""
    value = site.options.trove_security_group_rule_cidr
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        yield check.Fault(
            f'[DEFAULT] trove_security_group_rule_cidr = {value} is not a '
            'network. Write a network such as 10.0.0.0/8.')
    users = site.options[conf.OWN_GROUP].ipv6_users_cidr
    try:
        ipaddress.IPv6Network(users or '::/0', strict=False)
    except ValueError:
        yield check.Fault(
            f'[{conf.OWN_GROUP}] ipv6_users_cidr = {users} is not an IPv6 '
            'network. Write a network such as fd00::/8.')


def messages(site: sites.Site) -> Iterator[check.Fault]:
    """Messages to guests are encrypted."""
    if not site.options.enable_secure_rpc_messaging:
        yield check.Fault(
            '[DEFAULT] enable_secure_rpc_messaging is off, so messages '
            'contain the passwords and keys of all members in plain text. '
            f'Remove it, here and in {site.guest_file}.', fatal=False)


def heartbeat(site: sites.Site) -> Iterator[check.Fault]:
    """A guest with one late report does not count as failed."""
    interval = conf.report_seconds(site.guest.report_interval)
    expiry = site.options.agent_heartbeat_expiry
    if expiry <= REPORTS * interval:
        yield check.Fault(
            f'[DEFAULT] agent_heartbeat_expiry is {expiry}, but guests '
            f'report every {interval} s (report_interval in '
            f'{site.guest_file}), so a guest with a late report is shown as '
            f'failed. Write: agent_heartbeat_expiry = '
            f'{(REPORTS + 1) * interval}.', fatal=False)


def connections(site: sites.Site) -> Iterator[check.Fault]:
    """A service keeps a connection to the database for each of its threads."""
    options = site.options
    options.register_opts(db_options.database_opts, 'database')
    options.register_opts([_THREADS])
    kept, needed = (options.database.max_pool_size,
                    options.executor_thread_pool_size)
    if str(options.database.connection or '').startswith('sqlite'):
        return
    if 0 < kept < needed:       # 0: no limit
        yield check.Fault(
            f'[database] max_pool_size is {kept}, but trove-taskmanager has '
            f'{needed} threads ([DEFAULT] executor_thread_pool_size), and '
            'opens a new connection for each statement that finds all '
            f'connections in use. Write: max_pool_size = {needed}.',
            fatal=False)


def stop_timeouts(site: sites.Site) -> Iterator[check.Fault]:
    """A server has as much time to stop as its guest allows."""
    guest = site.guest.state_change_wait_time
    for manager in site.offered:
        given = site.options[manager].member_stop_timeout
        if given <= guest:
            yield check.Fault(
                f'[{manager}] member_stop_timeout is {given}, but a guest '
                f'kills its server only after {guest} s '
                f'(state_change_wait_time in {site.guest_file}). Write: '
                f'member_stop_timeout = {guest + 60}.')


def volume_timeouts(site: sites.Site) -> Iterator[check.Fault]:
    """The largest volume can be checked and resized in its time."""
    largest = site.options.max_accepted_volume_size
    needed = round(RESIZE_SECONDS + RESIZE_SECONDS_PER_GB * largest)
    for manager in site.offered:
        given = site.options[manager].volume_resize_timeout
        if given < needed:
            yield check.Fault(
                f'[{manager}] volume_resize_timeout is {given}, but the check '
                'and resize of a volume of max_accepted_volume_size = '
                f'{largest} GB may take {needed} s. Write: '
                f'volume_resize_timeout = {needed}.', fatal=False)


def templates_whole(site: sites.Site) -> Iterator[check.Fault]:
    """The templates of new instances can be rendered."""
    found = utils.build_jinja_environment()
    for manager in site.offered:
        name = f'{manager}/config.template'
        try:
            found.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            yield check.Fault(
                f'The template {error.filename} has an error in line '
                f'{error.lineno}: {error.message}. Correct it, or remove it '
                "to use Trove's template.")
        except jinja2.TemplateNotFound:
            yield check.Fault(
                f'The template {name} exists neither in [DEFAULT] '
                f'template_path = {site.options.template_path} nor in '
                'Trove. Reinstall Trove.')


def templates_found(site: sites.Site) -> Iterator[check.Fault]:
    """All services use the same templates."""
    path = site.options.template_path
    default = next(option.default for option in trove_cfg.common_opts
                   if option.name == 'template_path')
    if path.rstrip('/') == default.rstrip('/'):
        return
    own = jinja2.FileSystemLoader(path).list_templates()
    for manager in site.offered:
        if any(name.startswith(f'{manager}/') for name in own):
            yield check.Fault(
                f'{path} contains templates of {manager}, which only '
                'trove-taskmanager uses. trove-api, trove-conductor and the '
                f'guests use {default}, because they load templates before '
                'they read template_path. Move the templates there, and '
                'remove template_path.', fatal=False)


def all_options(manager: str) -> list[cfg.Opt]:
    """Return the options of Trove and of this package for a manager."""
    ours = dict(conf.list_opts())[manager]
    return [*sites.trove_options(manager), *ours]


def _spellings(option: cfg.Opt) -> Iterator[str]:
    yield option.dest
    for old in option.deprecated_opts:
        if old.name:
            yield old.name.replace('-', '_')


def _meaning(option: cfg.Opt) -> str:
    default = ('remove it' if option.default is None
               else f'remove it to use {option.default}')
    return f'Correct it, or {default}.'
