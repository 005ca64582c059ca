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

"""Tells errors that may pass when a call is repeated from those that stay.

Imported by retries and the taskmanager. It covers the clients that Trove uses
for Nova, Neutron, Cinder and Glance, keystoneauth beneath them, and Trove's
database.
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

#: RFC 9110, 15.5.9 and 15.6; RFC 6585, 4. 500 is in it because OpenStack's
#: services answer it for a lost database connection or message broker.
HTTP_CODES = frozenset({408, 429, 500, 502, 503, 504})

#: No answer came, or none that was complete. keystoneauth raises
#: ConnectTimeout for a time-out while it reads, too. novaclient and
#: cinderclient pass keystoneauth's errors on; neutronclient makes
#: ConnectionFailed of them, glanceclient CommunicationError or, of a
#: time-out, InvalidEndpoint.
_NO_ANSWER: tuple[type[Exception], ...] = (
    keystone.RetriableConnectionFailure, keystone.UnknownConnectionError,
    keystone.DiscoveryFailure, cinder.ConnectionError,
    neutron.ConnectionFailed, glance.CommunicationError,
    glance.InvalidEndpoint, ConnectionError, TimeoutError)
#: Each with the name of its service, and of its error's HTTP code.
_ANSWERED: tuple[tuple[str, type[Exception], str], ...] = (
    ('Nova', nova.ClientException, 'code'),
    ('Cinder', cinder.ClientException, 'code'),
    ('Neutron', neutron.NeutronClientException, 'status_code'),
    ('Glance', glance.HTTPException, 'code'),
    ('the cloud', keystone.HttpError, 'http_status'))
#: oslo.db maps the drivers' errors; the pool's own time-out it leaves alone.
_DATABASE: tuple[type[Exception], ...] = (
    db.DBConnectionError, db.DBDeadlock, sqlalchemy.TimeoutError)
#: What reason() has to look at; everything else stays.
KINDS: tuple[type[Exception], ...] = (
    *_NO_ANSWER, *_DATABASE, *(kind for _, kind, _ in _ANSWERED))


class Unavailable(waiting.NotYet):
    """A service gave no answer, or one that may pass; nobody's fault."""


def reason(error: BaseException) -> str:
    """What happened, in a few words; '' for an error that stays.

    The text holds no statement and no parameters of the database.
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
    """Whether a wait that ended with this error last saw a service fail."""
    return error is not None and isinstance(error.__cause__, Unavailable)


def awaited(what: str, probe: Callable[[], Found]) -> Callable[[], Found]:
    """A probe for which an error that may pass means: not yet.

    Each different reason is logged once as a warning.

    :param what: what is waited for, for the log.
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
            LOG.log(level, '%s; waiting for %s goes on', why, what)
            told.append(why)
            raise Unavailable(why) from error
    return patient


def outlasted(what: str, call: Callable[[], Found], seconds: float,
              interval: float) -> Found:
    """Call it, and again while its errors may pass.

    The seconds begin with the first error, for a call may have waited long
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
    """SQLAlchemy adds the statement, whose parameters may be secret."""
    inner = getattr(error, 'inner_exception', None)
    original = getattr(inner, 'orig', None)
    return (_line(error if original is None else original)
            .split('[SQL:')[0].rstrip())
