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

"""Trove's tables in memory, behind the module that Trove uses for them.

The rows are of Trove's own classes, so they behave like those of Trove: a
new task removes the pending operation of a row. As with a database, what is
read is a copy.
"""

from collections.abc import Callable
from collections.abc import Iterable
import copy
import types
from typing import Any
import uuid

import fixtures
from trove.cluster import models as cluster_models
from trove.common import cfg
from trove.guestagent import models as agent_models
from trove.instance import models as instance_models
from trove.quota import models as quota_models

CONF = cfg.CONF

Rows = dict[str, Any]
Condition = Callable[[Any], bool]
_tables: dict[type, Rows] = {}
_statements: list[type] = []
_WITH_COLUMNS = (
    cluster_models.DBCluster, instance_models.DBInstance,
    instance_models.InstanceServiceStatus, quota_models.Reservation,
    agent_models.AgentHeartBeat)


class Column:
    """A column of a model; its operators make conditions."""

    def __init__(self, name: str) -> None:
        self._name = name

    def is_(self, value: object) -> Condition:
        return lambda row: getattr(row, self._name) is value

    def in_(self, values: Iterable[object]) -> Condition:
        wanted = [*values]
        return lambda row: getattr(row, self._name) in wanted

    def startswith(self, text: str) -> Condition:
        return lambda row: str(getattr(row, self._name)).startswith(text)


def _restore(model: type, name: str, before: Any) -> None:
    """Restore the attribute of a model; delete it if there was none."""
    if before is None:
        delattr(model, name)
    else:
        setattr(model, name, before)


class Tables(fixtures.Fixture):
    """Empty tables, for one test."""

    def _setUp(self) -> None:
        for kept in (_tables, _statements):
            kept.clear()
            self.addCleanup(kept.clear)
        for model in _WITH_COLUMNS:
            for name in (*model._data_fields, 'id'):
                self.addCleanup(_restore, model, name,
                                model.__dict__.get(name))
                setattr(model, name, Column(name))
        CONF.set_override('db_api_implementation', __name__)
        self.addCleanup(CONF.clear_override, 'db_api_implementation')

    def add(self, model: type, first: Any = None, **values: Any) -> Any:
        """Make a row; values that are not given are NULL.

        :param first: the positional argument of Trove's class.
        """
        fields = dict.fromkeys([*model._data_fields, 'id'])  # type: ignore
        fields.update(values)
        fields['id'] = fields['id'] or str(uuid.uuid4())
        row = model(**fields) if first is None else model(first, **fields)
        return save(row)

    def change(self, model: type, row_id: str, **values: Any) -> None:
        """Change a row as another process does."""
        for name, value in values.items():
            setattr(_tables[model][row_id], name, value)

    def instance(self, instance_id: str) -> Any:
        return _tables[instance_models.DBInstance][instance_id]

    def cluster(self, cluster_id: str) -> Any:
        return _tables[cluster_models.DBCluster][cluster_id]

    @property
    def statements(self) -> int:
        """The number of statements so far."""
        return len(_statements)

    @property
    def faults(self) -> dict[str, str]:
        """The last fault of each instance, on one line."""
        return {row.instance_id: ' '.join(row.message.split())
                for row in _tables.get(
                    instance_models.DBInstanceFault, {}).values()}

    @property
    def details(self) -> str:
        """The details of the last saved fault, for administrators."""
        return str([*_tables[instance_models.DBInstanceFault].values()][
            -1].details)


class Query:
    """The rows of one model that meet conditions."""

    def __init__(self, model: type, *conditions: Condition) -> None:
        self._model = model
        self._conditions = conditions
        self.session = types.SimpleNamespace(
            query=Query, add=save, commit=lambda: None,
            rollback=lambda: None)

    def filter(self, *conditions: Condition) -> 'Query':
        return Query(self._model, *self._conditions, *conditions)

    def filter_by(self, **conditions: Any) -> 'Query':
        return self.filter(lambda row: all(
            getattr(row, name) == value
            for name, value in conditions.items()))

    def with_for_update(self) -> 'Query':
        """No other transaction runs at the same time."""
        return self

    def all(self) -> list[Any]:
        return [copy.copy(row) for row in self._found()]

    def first(self) -> Any:
        return next(iter(self.all()), None)

    def update(self, values: Rows,
               synchronize_session: object = None) -> int:
        found = self._found()
        for row in found:
            for name, value in values.items():
                setattr(row, name, value)
        return len(found)

    def delete(self, synchronize_session: object = None) -> None:
        for row in self._found():
            delete(row)

    def _found(self) -> list[Any]:
        _statements.append(self._model)
        return [row for row in _tables.get(self._model, {}).values()
                if all(holds(row) for holds in self._conditions)]


# Trove calls these functions: see trove/db/sqlalchemy/api.py.

def list(query: Callable[..., Query], *args: Any,  # noqa: A001
         **conditions: Any) -> Any:
    return query(*args, **conditions).all()


def find_all(model: type, **conditions: Any) -> Query:
    return Query(model).filter_by(**conditions)


def find_by(model: type, **conditions: Any) -> Any:
    return find_all(model, **conditions).first()


def find_by_filter(model: type, filters: Iterable[Condition] = (),
                   **conditions: Any) -> Query:
    return find_all(model, **conditions).filter(*filters)


def save(row: Any) -> Any:
    _tables.setdefault(type(row), {})[row.id] = copy.copy(row)
    return row


def delete(row: Any) -> None:
    del _tables[type(row)][row.id]


def _base_query(model: type) -> Query:
    return Query(model)
