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

"""Counts the SQL statements of this process."""

from collections.abc import Iterator
import contextlib
from typing import Any

import sqlalchemy
from trove.db.sqlalchemy import session


@contextlib.contextmanager
def statements() -> Iterator[list[str]]:
    """Yield a list of the statements that are executed in this block."""
    found: list[str] = []

    def executed(conn: Any, cursor: Any, statement: str,
                 *others: Any) -> None:
        if statement != 'BEGIN':
            found.append(statement)
    engine = session.get_engine()
    sqlalchemy.event.listen(engine, 'before_cursor_execute', executed)
    try:
        yield found
    finally:
        sqlalchemy.event.remove(engine, 'before_cursor_execute', executed)
