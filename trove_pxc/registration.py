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

"""Registers a datastore and its version in Trove's tables.

Imported by the command line. It uses the functions of trove-manage.
"""

import dataclasses
import json
import pathlib
from typing import Any

import trove
from trove.configuration import models as configuration_models
from trove.datastore import models as datastore_models

from trove_pxc.galera import dialect

GUEST_MANAGERS = {
    'mariadb': 'trove_pxc.guestagent.manager.MariaDBManager',
    'pxc': 'trove_pxc.guestagent.manager.PxcManager',
}
REPLICATION = {
    'mariadb': 'trove.guestagent.strategies.replication.mariadb_gtid.'
               'MariaDBGTIDReplication',
    'pxc': 'trove.guestagent.strategies.replication.mysql_gtid.'
           'MysqlGTIDReplication',
}
_RULES = 'validation-rules.json'


class NoRules(Exception):
    """A file does not contain validation rules."""


@dataclasses.dataclass(frozen=True)
class Registration:
    """A datastore version to register.

    :ivar version: the version number: the tag of the database image and the
        series of the server.
    :ivar rules: the file of the validation rules of configuration groups.
    :ivar is_default: whether it is the default version of the datastore.
    """

    manager: str
    datastore: str
    name: str
    version: str
    image_id: str | None
    image_tags: str | None
    rules: pathlib.Path
    active: bool = True
    is_default: bool = False


def register(wanted: Registration) -> list[str]:
    """Register the version. Values that are already correct do not change.

    :returns: the changes, one line each.
    :raises trove_pxc.galera.errors.UnsupportedVersion: if this package does
        not support the server.
    :raises NoRules: if the file of the rules contains none.
    """
    dialect.for_version(wanted.manager, wanted.version)
    parameters = _parameters(wanted.rules)
    changes = _datastore(wanted)
    changes += _version(wanted)
    changes += _rules(wanted, parameters)
    changes += _default(wanted)
    return changes


def troves_rules(manager: str) -> pathlib.Path:
    """Return the file of Trove's validation rules for a manager."""
    package = pathlib.Path(trove.__file__).parent
    return package / 'templates' / manager / _RULES


def _datastore(wanted: Registration) -> list[str]:
    if _find_datastore(wanted) is not None:
        return []
    datastore_models.update_datastore(wanted.datastore, None)
    return [f'datastore {wanted.datastore} created']


def _version(wanted: Registration) -> list[str]:
    """Create the row, or change the values that differ."""
    row = _find_version(wanted)
    fields = {
        'manager': wanted.manager, 'image_id': wanted.image_id,
        'image_tags': wanted.image_tags, 'active': wanted.active,
        'registry_ext': GUEST_MANAGERS[wanted.manager],
        'repl_strategy': REPLICATION[wanted.manager]}
    label = f'{wanted.datastore} {wanted.name}'
    if row is None:
        changes = [f'version {label} created']
    else:
        changes = [
            f'version {label}: {field} {_told(getattr(row, field))} -> '
            f'{_told(value)}' for field, value in fields.items()
            if (getattr(row, field) or None) != (value or None)]
    if changes:
        datastore_models.update_datastore_version(
            wanted.datastore, wanted.name, wanted.manager, wanted.image_id,
            wanted.image_tags, row.packages if row is not None else '',
            wanted.active, registry_ext=GUEST_MANAGERS[wanted.manager],
            repl_strategy=REPLICATION[wanted.manager],
            version=wanted.version)
    return changes


def _rules(wanted: Registration, parameters: list[dict[str, Any]]
           ) -> list[str]:
    row = _find_version(wanted)
    model = configuration_models.DBDatastoreConfigurationParameters
    there = {rule.name: _rule(rule.restart_required, rule.data_type,
                              rule.max_size, rule.min_size)
             for rule in model.find_all(datastore_version_id=row.id).all()}
    missing = [one for one in parameters
               if there.get(one['name']) != _rule(
                   one['restart_required'], one['type'], one.get('max'),
                   one.get('min'))]
    if not missing:
        return []
    configuration_models.load_datastore_configuration_parameters(
        wanted.datastore, wanted.name, str(wanted.rules),
        version_number=wanted.version)
    return [f'{len(missing)} validation rules of {wanted.rules} loaded']


def _default(wanted: Registration) -> list[str]:
    if not wanted.is_default:
        return []
    row = _find_version(wanted)
    if _find_datastore(wanted).default_version_id == row.id:
        return []
    datastore_models.update_datastore(wanted.datastore, row.id)
    return [f'version {wanted.name} is the default of {wanted.datastore}']


def _find_datastore(wanted: Registration) -> Any:
    return datastore_models.DBDatastore.get_by(name=wanted.datastore)


def _find_version(wanted: Registration) -> Any:
    return datastore_models.DBDatastoreVersion.get_by(
        datastore_id=_find_datastore(wanted).id, name=wanted.name,
        version=wanted.version)


def _parameters(rules: pathlib.Path) -> list[dict[str, Any]]:
    try:
        content = json.loads(rules.read_text())
        return list(content['configuration-parameters'])
    except (ValueError, KeyError, TypeError) as error:
        raise NoRules(
            f'{rules} contains no validation rules: {error}') from None


def _rule(restart: object, kind: object, largest: object, least: object
          ) -> tuple[object, ...]:
    return (bool(restart), kind,
            *(None if bound is None else str(bound)
              for bound in (largest, least)))


def _told(value: object) -> object:
    return 'none' if value in (None, '') else value
