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

"""The objects of backups in Swift.

The upload, the download and the running backup use it. Every request is
repeated until it succeeds, is refused for good, or the store has not answered
for too long. A token that has expired is awaited: the taskmanager sends a new
one.
"""

from collections.abc import Callable
from collections.abc import Mapping
import http.client
import io
import threading
from typing import Any
from typing import TypeVar

from oslo_log import log as logging
from swiftclient import client as swift
from swiftclient import exceptions as swift_exceptions
from urllib3 import exceptions as urllib3_exceptions

from trove_pxc import exceptions
from trove_pxc.galera import backups
from trove_pxc.galera import secret
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Answer = TypeVar('Answer')

#: seconds for which a request is repeated
PATIENCE = 900
#: seconds without a byte after which a request has failed
SILENCE = 60
#: the same for a manifest: Swift looks at each of its segments first
MANIFEST_SILENCE = 600
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
# requests raises subclasses of OSError.
_LOST = (OSError, http.client.HTTPException, urllib3_exceptions.HTTPError)
_TOKEN_EXPIRED = 401
_NOT_FOUND = 404
#: 408 timeout, 409 conflict, 422 damaged on the way, 429 too many; 499 is
#: what Swift answers if the connection was lost
_TEMPORARY = (408, 409, 422, 429, 498, 499)
_REASONS = {
    403: 'the user of the token may not write to it',
    413: 'a quota of the account or the container is used up',
    507: 'it has no space',
}


class Token:
    """The token of the store, which can be renewed while it is used.

    :ivar refused: whether the store refuses the current one.
    """

    def __init__(self, token: secret.Secret) -> None:
        self._changed = threading.Condition()
        self._token = token
        self.refused = False

    @property
    def current(self) -> secret.Secret:
        return self._token

    def renew(self, token: secret.Secret) -> None:
        """Use this one from now on."""
        with self._changed:
            self._token = token
            self.refused = False
            self._changed.notify_all()

    def refuse(self, token: secret.Secret) -> None:
        """The store refused this one; it may have been renewed already."""
        with self._changed:
            self.refused = self._token == token


class Store:
    """One container of backups.

    :param order: where it is.
    :param over: is set when the backup is cancelled.
    :param patience: seconds for which a request is repeated.
    :ivar trouble: why the last request did not succeed; '' if it did.
    """

    def __init__(self, order: backups.Store, token: Token,
                 over: threading.Event, patience: float = PATIENCE,
                 silence: float = SILENCE) -> None:
        self._order = order
        self._token = token
        self._over = over
        self._patience = patience
        self._silence = silence
        self._local = threading.local()
        self.trouble = ''

    @property
    def container(self) -> str:
        return self._order.container

    def ensure_container(self) -> None:
        """Create the container if it does not exist.

        :raises trove_pxc.exceptions.BackupStoreFailed: as all methods, if
            the store refuses it, or fails for longer than the patience.
        """
        self._request('create the container', swift.put_container,
                      self.container)

    def put(self, name: str, body: bytes | io.BytesIO, *,
            headers: Mapping[str, str] | None = None,
            query: str | None = None, etag: str | None = None) -> str:
        """Store an object.

        :param etag: the MD5 of the body, which Swift compares.
        :returns: the ETag that Swift computed.
        """
        file = io.BytesIO(body) if isinstance(body, bytes) else body

        def send(*arguments: Any, **options: Any) -> Any:
            file.seek(0)
            return swift.put_object(
                *arguments, contents=file, etag=etag,
                content_length=len(file.getbuffer()),
                headers=headers and dict(headers), query_string=query,
                **options)

        try:
            answer: str = self._request(
                f'store {name}', send, self.container, name,
                silence=MANIFEST_SILENCE if query else None)
        except exceptions.BackupUnusable as gone:
            raise exceptions.BackupStoreFailed(
                f'cannot store {name}: the container {self.container} was '
                'deleted') from gone
        return answer

    def get(self, name: str, query: str | None = None
            ) -> tuple[Mapping[str, str], bytes]:
        """Headers and whole content of an object.

        :raises trove_pxc.exceptions.BackupUnusable: if it does not exist.
        """
        answer: tuple[Mapping[str, str], bytes] = self._request(
            f'read {name}', swift.get_object, self.container, name,
            query_string=query)
        return answer

    def head(self, name: str) -> Mapping[str, str]:
        """The headers of an object.

        :raises trove_pxc.exceptions.BackupUnusable: if it does not exist.
        """
        answer: Mapping[str, str] = self._request(
            f'read {name}', swift.head_object, self.container, name)
        return answer

    def delete(self, prefix: str) -> int:
        """Delete all objects whose name begins so; returns how many."""
        _, listed = self._request(
            'list what was stored', swift.get_container, self.container,
            prefix=prefix, full_listing=True)
        for one in listed:
            try:
                self._request(f'delete {one["name"]}', swift.delete_object,
                              self.container, one['name'])
            except exceptions.BackupUnusable as gone:
                LOG.debug('%s', gone)
        return len(listed)

    def _request(self, what: str, call: Callable[..., Any],
                 *arguments: Any, silence: float | None = None,
                 **options: Any) -> Any:
        deadline = waiting.Deadline(self._patience)
        pause = _FIRST_PAUSE
        while True:
            token = self._token.current
            try:
                answer = call(self._order.url, token.reveal(), *arguments,
                              http_conn=self._connection(silence),
                              **options)
            except swift_exceptions.ClientException as failure:
                self._consider(what, failure, token)
            except _LOST as failure:
                self.trouble = (f'cannot {what}: the store does not answer: '
                                f'{_plain(failure)}')
            else:
                self.trouble = ''
                return answer
            self._forget_connection()
            if deadline.expired():
                raise exceptions.BackupStoreFailed(
                    f'{self.trouble}; given up after {self._patience:g} s')
            LOG.info('%s; repeating it', self.trouble)
            if self._over.wait(min(pause, deadline.remaining)):
                raise exceptions.BackupCancelled(
                    f'{self.trouble}; not repeated, because the backup ends')
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _consider(self, what: str, failure: Any,
                  token: secret.Secret) -> None:
        """Raise if the request can never succeed."""
        status = failure.http_status
        reason = _REASONS.get(status, f'{status} {failure.http_reason}')
        self.trouble = f'cannot {what}: {reason}'
        if status == _TOKEN_EXPIRED:
            self._token.refuse(token)
            self.trouble = (f'cannot {what}: the token has expired or is not '
                            'valid')
        elif status == _NOT_FOUND:
            raise exceptions.BackupUnusable(
                f'cannot {what}: it does not exist in the container '
                f'{self.container}') from failure
        elif status and status < 500 and status not in _TEMPORARY:
            raise exceptions.BackupStoreFailed(
                self.trouble) from failure

    def _connection(self, silence: float | None = None) -> Any:
        """The connection of this thread; a new one after a failure."""
        if getattr(self._local, 'connection', None) is None:
            self._local.connection = swift.http_connection(
                self._order.url, insecure=not self._order.verify)
        _, connection = self._local.connection
        connection.requests_args['timeout'] = silence or self._silence
        return self._local.connection

    def _forget_connection(self) -> None:
        _, connection = self._connection()
        connection.close()
        self._local.connection = None


def _plain(failure: BaseException) -> str:
    """The cause, without the addresses of objects that urllib3 writes."""
    cause: BaseException | None = failure
    # After a failure of the backup, it is the context of all that follows.
    while cause is not None and not isinstance(
            cause, exceptions.GaleraError):
        failure, cause = cause, cause.__cause__ or cause.__context__
    return str(failure) or type(failure).__name__
