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

"""Distinguishes temporary errors from permanent ones.

Imported by retries and the taskmanager. It covers Trove's clients of Nova,
Neutron, Cinder and Glance, keystoneauth, and Trove's database.
"""

from collections.abc import Callable
from typing import TypeVar

from cinderclient import exceptions as cinder
from glanceclient import exc as glance
from keystoneauth1 import exceptions as keystone
from neutronclient.common import exceptions as neutron
from novaclient import exceptions as nova
from oslo_db import exception as db
from oslo_log import log as logging
from sqlalchemy import exc as sqlalchemy

from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Found = TypeVar('Found')

#: RFC 9110, 15.5.9 and 15.6; RFC 6585, 4. With 500, because OpenStack's
#: services return it if they lose the database or the message broker.
HTTP_CODES = frozenset({408, 429, 500, 502, 503, 504})

#: There was no complete answer. keystoneauth raises ConnectTimeout also for
#: a time-out while it reads. novaclient and cinderclient pass on the errors
#: of keystoneauth. neutronclient converts them to ConnectionFailed, and
#: glanceclient to CommunicationError or, for a time-out, InvalidEndpoint.
_NO_ANSWER: tuple[type[Exception], ...] = (
    keystone.RetriableConnectionFailure, keystone.UnknownConnectionError,
    keystone.DiscoveryFailure, cinder.ConnectionError,
    neutron.ConnectionFailed, glance.CommunicationError,
    glance.InvalidEndpoint, ConnectionError, TimeoutError)
#: The service, the error, and the attribute of the error's HTTP code.
_ANSWERED: tuple[tuple[str, type[Exception], str], ...] = (
    ('Nova', nova.ClientException, 'code'),
    ('Cinder', cinder.ClientException, 'code'),
    ('Neutron', neutron.NeutronClientException, 'status_code'),
    ('Glance', glance.HTTPException, 'code'),
    ('the cloud', keystone.HttpError, 'http_status'))
#: oslo.db converts the errors of the drivers, but not a time-out of the pool.
_DATABASE: tuple[type[Exception], ...] = (
    db.DBConnectionError, db.DBDeadlock, sqlalchemy.TimeoutError)
#: All errors of Trove's database.
DATABASE: tuple[type[Exception], ...] = (db.DBError, sqlalchemy.TimeoutError)
#: Errors that may be temporary, see reason(). All others are permanent.
KINDS: tuple[type[Exception], ...] = (
    *_NO_ANSWER, *_DATABASE, *(kind for _, kind, _ in _ANSWERED))


class Unavailable(waiting.NotYet):
    """A service did not answer, or returned a temporary error."""


def reason(error: BaseException) -> str:
    """Describe a temporary error; return '' for a permanent one.

    The text contains no statement and no parameters of the database.
    """
    if isinstance(error, _DATABASE):
        return f"Trove's database: {_without_statement(error)}"
    for service, kind, attribute in _ANSWERED:
        if isinstance(error, kind):
            code = getattr(error, attribute, None)
            if code in HTTP_CODES:
                return f'{service} answers {code}: {_line(error)}'
    if isinstance(error, _NO_ANSWER):
        return f'{_service(error)} does not answer: {_line(error)}'
    return ''


def unavailable(error: BaseException | None) -> bool:
    """Whether a wait timed out with a temporary error of a service."""
    return error is not None and isinstance(error.__cause__, Unavailable)


def awaited(what: str, probe: Callable[[], Found]) -> Callable[[], Found]:
    """Return a probe that raises NotYet for temporary errors.

    Each different reason is logged once as a warning.

    :param what: what the wait is for, for the log.
    """
    told: list[str] = []

    def patient() -> Found:
        try:
            return probe()
        except KINDS as error:
            why = reason(error)
            if not why:
                raise
            level = logging.DEBUG if why in told else logging.WARNING
            LOG.log(level, '%s; still waiting for %s', why, what)
            told.append(why)
            raise Unavailable(why) from error
    return patient


def outlasted(what: str, call: Callable[[], Found], seconds: float,
              interval: float) -> Found:
    """Call it, and retry it while its errors are temporary.

    The seconds count from the first error, because the call may take long
    before it.

    :param interval: seconds between two calls.
    :raises trove_pxc.exceptions.DeadlineExceeded: with the last error.
    """
    since_first_error = waiting.Deadline(seconds, progress=lambda: 'begun')
    return waiting.until(
        what, awaited(what, call), since_first_error, interval)


def _service(error: Exception) -> str:
    names = {'novaclient': 'Nova', 'cinderclient': 'Cinder',
             'neutronclient': 'Neutron', 'glanceclient': 'Glance'}
    return names.get(type(error).__module__.split('.')[0], 'the cloud')


def _line(error: BaseException) -> str:
    text = ' '.join(str(error).split())
    return text or type(error).__name__


def _without_statement(error: BaseException) -> str:
    """Remove the statement, whose parameters may be secret."""
    inner = getattr(error, 'inner_exception', None)
    original = getattr(inner, 'orig', None)
    return (_line(error if original is None else original)
            .split('[SQL:')[0].rstrip())
