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

"""The installation that is checked.

Imported by the modules of checks/. It reads the configuration files, the file
of the guests and the table of datastore versions.
"""

from collections.abc import Callable
from collections.abc import Iterator
import dataclasses
import functools
import pathlib
import re
from typing import Any

from oslo_config import cfg
from oslo_db import exception as db_exceptions
from sqlalchemy import exc as sql_exceptions
from trove.common import cfg as trove_cfg
from trove.configuration import models as configuration_models
from trove.datastore import models as datastore_models
from trove.db import get_db_api

from trove_pxc import conf

OURS = 'trove_pxc.'
STRATEGIES = {
    'api_strategy': 'trove_pxc.api.strategy.GaleraAPIStrategy',
    'taskmanager_strategy':
        'trove_pxc.taskmanager.strategy.GaleraTaskManagerStrategy',
    'guestagent_strategy':
        'trove_pxc.guestagent.strategy.GaleraGuestAgentStrategy',
}
ROOT_CONTROLLER = 'trove_pxc.api.root.GaleraRootController'


class Unreadable(Exception):
    """A part of the installation cannot be read; the text has the reason."""


@dataclasses.dataclass(frozen=True)
class Version:
    """A row of Trove's table of datastore versions."""

    id: str
    datastore: str
    name: str
    number: str
    manager: str
    active: bool
    image_id: str | None
    image_tags: str | None
    registry_ext: str | None
    repl_strategy: str | None

    @property
    def label(self) -> str:
        number = '' if self.number == self.name else f' ({self.number})'
        return f'{self.datastore} {self.name}{number}'

    @property
    def is_ours(self) -> bool:
        return (self.registry_ext or '').startswith(OURS)


class Site:
    """One installation.

    :param options: Trove's configuration, with parsed files.
    """

    def __init__(self, options: cfg.ConfigOpts) -> None:
        self.options = options
        conf.register(options)

    @functools.cached_property
    def offered(self) -> tuple[str, ...]:
        """The managers that are configured for clusters of this package."""
        by_rows = {version.manager for version in self.versions_or_none
                   if version.is_ours}
        return tuple(
            manager for manager in conf.MANAGERS
            if manager in by_rows or self._names_us(manager))

    @functools.cached_property
    def versions(self) -> list[Version]:
        """The active versions of pxc and mariadb, and with our guest managers.

        :raises Unreadable: if the database cannot be read.
        """
        return [version for version in _rows(self.options) if version.active
                and (version.manager in conf.MANAGERS or version.is_ours)]

    @property
    def versions_or_none(self) -> list[Version]:
        """The same; empty if the database cannot be read."""
        try:
            return self.versions
        except Unreadable:
            return []

    @property
    def guest_file(self) -> str:
        return str(self.options.guest_config)

    @functools.cached_property
    def guest(self) -> cfg.ConfigOpts:
        """The configuration that Trove copies to each guest.

        :raises Unreadable: if the file cannot be read.
        """
        options = cfg.ConfigOpts()
        options.register_opts(trove_cfg.common_opts)
        # The options of the others refer to it.
        options.register_opts(trove_options('mysql'), group='mysql')
        for manager in conf.MANAGERS:
            options.register_opts(trove_options(manager), group=manager)
        conf.register(options)
        try:
            options([], project='trove-guestagent', default_config_dirs=[],
                    default_config_files=[self.guest_file])
        except cfg.ConfigFilesNotFoundError:
            raise Unreadable('it does not exist') from None
        except (cfg.ConfigFilesPermissionDeniedError, PermissionError):
            raise Unreadable('this user has no permission to read it'
                             ) from None
        except cfg.ConfigFileParseError as error:
            # Its text quotes the line, which may contain a password.
            line = re.search(r':(\d+)', error.msg or '')
            raise Unreadable('it is not a configuration file (line '
                             f'{line[1] if line else "?"})') from None
        return options

    @property
    def files(self) -> list[pathlib.Path]:
        """The configuration files that were read, in their order."""
        return [*map(pathlib.Path, self.options.config_file or []), *(
            file for folder in self.options.config_dir or []
            for file in sorted(pathlib.Path(folder).glob('*.conf')))]

    def names_in(self, section: str) -> Iterator[tuple[str, str]]:
        """Yield file and name of every option that is set in a section."""
        for file in self.files:
            sections: dict[str, dict[str, Any]] = {}
            cfg.ConfigParser(str(file), sections).parse()
            for name in sections.get(section, {}):
                yield str(file), name

    def number_of_rules(self, version: Version) -> int:
        """Return the number of validation rules of a datastore version."""
        model = configuration_models.DBDatastoreConfigurationParameters
        return int(model.find_all(
            datastore_version_id=version.id).count())

    def _names_us(self, manager: str) -> bool:
        return any(
            str(self.options[manager][name]).startswith(OURS)
            for name in (*STRATEGIES, 'root_controller'))


def why_unreadable(read: Callable[[], object]) -> str:
    """Return why this cannot be read; '' if it can."""
    try:
        read()
    except Unreadable as reason:
        return str(reason)
    return ''


def trove_options(manager: str) -> list[cfg.Opt]:
    """Return Trove's own options of a manager."""
    return list(getattr(trove_cfg, f'{manager}_opts'))


def _rows(options: cfg.ConfigOpts) -> Iterator[Version]:
    try:
        get_db_api().configure_db()
        names = {row.id: row.name
                 for row in datastore_models.DBDatastore.find_all().all()}
        rows = datastore_models.DBDatastoreVersion.find_all().all()
    except ImportError as error:
        raise Unreadable(f'the driver is missing: {error}') from None
    except (db_exceptions.DBNonExistentTable,
            sql_exceptions.NoSuchTableError):
        raise Unreadable("it does not have Trove's tables") from None
    except (db_exceptions.DBError, db_exceptions.CantStartEngineError,
            sql_exceptions.SQLAlchemyError) as error:
        # The text may contain the connection's password.
        raise Unreadable(_cause(error)) from None
    for row in rows:
        yield Version(
            id=row.id, datastore=names.get(row.datastore_id, '?'),
            name=row.name, number=row.version or row.name,
            manager=row.manager, active=bool(row.active),
            image_id=row.image_id, image_tags=row.image_tags,
            registry_ext=row.registry_ext, repl_strategy=row.repl_strategy)


def _cause(error: BaseException) -> str:
    inner = getattr(error, 'inner_exception', None) or error
    driver = getattr(inner, 'orig', None)
    return f'{type(driver or error).__name__}' + (
        f': {driver}' if driver else '')
