# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

"""The cloud's database: documents by kind and ID, in one SQLite file.

All services of ``lab.cloud`` use one store. It survives a restart of the
daemon.
"""

from collections.abc import Iterator
import contextlib
import json
import os
from pathlib import Path
import sqlite3
import threading

from lab.cloud import http

SCHEMA = '''
CREATE TABLE IF NOT EXISTS documents (
    kind TEXT NOT NULL, id TEXT NOT NULL, position INTEGER NOT NULL,
    body TEXT NOT NULL, PRIMARY KEY (kind, id));
CREATE TABLE IF NOT EXISTS counters (
    name TEXT PRIMARY KEY, value INTEGER NOT NULL);
'''


class Store:
    """Documents that all threads may read and write.

    Results are copies; ``put`` stores a change.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # User data contains secrets until its server has booted.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._lock = threading.RLock()
        self._database = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False)
        self._database.execute('PRAGMA journal_mode = WAL')
        self._database.execute('PRAGMA synchronous = NORMAL')
        self._database.executescript(SCHEMA)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock out other threads between reading and writing."""
        with self._lock:
            yield

    def put(self, kind: str, document: http.Document) -> None:
        """Add a document, or replace the one with its ``id``."""
        with self._lock:
            self._database.execute(
                'INSERT INTO documents VALUES (?, ?, (SELECT coalesce('
                'max(position), 0) + 1 FROM documents), ?) ON CONFLICT '
                '(kind, id) DO UPDATE SET body = excluded.body',
                (kind, document['id'], json.dumps(document)))

    def get(self, kind: str, key: str) -> http.Document | None:
        with self._lock:
            row = self._database.execute(
                'SELECT body FROM documents WHERE kind = ? AND id = ?',
                (kind, key)).fetchone()
        return _document(row[0]) if row else None

    def all(self, kind: str) -> list[http.Document]:
        """All documents of a kind, the oldest first."""
        with self._lock:
            rows = self._database.execute(
                'SELECT body FROM documents WHERE kind = ? '
                'ORDER BY position', (kind,)).fetchall()
        return [_document(row[0]) for row in rows]

    def delete(self, kind: str, key: str) -> None:
        with self._lock:
            self._database.execute(
                'DELETE FROM documents WHERE kind = ? AND id = ?',
                (kind, key))

    def update(self, kind: str, key: str,
               **changes: object) -> http.Document | None:
        """Change fields of a document; None if it was deleted."""
        with self._lock:
            document = self.get(kind, key)
            if document is not None:
                document.update(changes)
                self.put(kind, document)
            return document

    def next(self, counter: str) -> int:
        """A number that was never returned before: 1, 2, 3, ..."""
        with self._lock:
            self._database.execute(
                'INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) '
                'DO UPDATE SET value = value + 1', (counter,))
            row = self._database.execute(
                'SELECT value FROM counters WHERE name = ?',
                (counter,)).fetchone()
        return int(row[0])


def _document(body: str) -> http.Document:
    document: http.Document = json.loads(body)
    return document
