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

"""Trove's tables in SQLite, fast to connect to and fast to empty."""

from typing import Any

import mock
from oslo_db.sqlalchemy import engines
import sqlalchemy
from sqlalchemy import pool
from trove.db.sqlalchemy import session


class _Pool(pool.QueuePool):
    """Keep connections: a new one first reads the whole schema."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, max_overflow=-1, **kwargs)


def connect() -> None:
    """Create the engine, with a pool that oslo.db does not use for SQLite."""
    with mock.patch.object(engines.pool, 'NullPool', _Pool):
        session.get_engine()


_METADATA = sqlalchemy.MetaData()


def empty() -> None:
    """Delete all rows."""
    engine = session.get_engine()
    if not _METADATA.tables:
        _METADATA.reflect(bind=engine)
    with engine.begin() as connection:
        for table in reversed(_METADATA.sorted_tables):
            connection.execute(table.delete())
