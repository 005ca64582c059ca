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

"""Quotas that are counted correctly under parallel requests.

Trove's driver reads a count, compares it with the limit and writes the new
count in three transactions, so parallel requests see the same free quota and
overwrite each other's counts. The driver of this module changes a count with
one UPDATE that has the limit as a condition. This is correct on MySQL,
MariaDB, Galera and SQLite. install() replaces Trove's driver by it.

Imported by api/, taskmanager/ and orders.
"""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
import contextlib
import contextvars
import datetime
from typing import Any
from typing import NamedTuple
from typing import TypeVar
import uuid

from oslo_db import api as db_api
from oslo_db import exception as db_exceptions
from oslo_log import log as logging
import sqlalchemy
from sqlalchemy import orm
from trove.common import exception
from trove.common import timeutils
from trove.quota import models
from trove.quota import quota

from trove_pxc.compat import quota_engine
from trove_pxc.protocols import Reservation

LOG = logging.getLogger(__name__)

Amounts = Mapping[str, int]
Statuses = models.Reservation.Statuses
RESERVED = Statuses.RESERVED
COMMITTED = Statuses.COMMITTED
ROLLED_BACK = Statuses.ROLLEDBACK

#: seconds after which a request that made a reservation has ended
EXPIRES = 3600
#: resources that a member of a cluster uses
_OF_MEMBERS = ('instances', 'ram', 'volumes')
_DUPLICATE = (db_exceptions.DBDuplicateEntry, exception.DBConstraintError)

_RETRIES = 10

Call = TypeVar('Call', bound=Callable[..., Any])
Condition = sqlalchemy.ColumnElement[bool]


def retried(call: Call) -> Call:
    """Retry the call while its transaction ends in a deadlock.

    InnoDB rolls back one of two transactions that wait for each other, and a
    Galera cluster one of two that changed the same row.
    """
    wrapped: Call = db_api.wrap_db_retry(
        max_retries=_RETRIES, retry_interval=0.1, max_retry_interval=1,
        inc_retry_interval=True, retry_on_deadlock=True)(call)
    return wrapped


@contextlib.contextmanager
def transaction() -> Iterator[orm.Session]:
    """A session of Trove, which is rolled back if the block raises."""
    with (models.Reservation.query() as query,
          contextlib.ExitStack() as undo):
        undo.callback(query.session.rollback)
        session: orm.Session = query.session
        yield session
        undo.pop_all()


class Driver(quota.DbQuotaDriver):  # type: ignore[misc]
    """Trove's driver, with one statement for each change of a count."""

    def get_quota_usage_by_tenant(self, tenant_id: str,
                                  resource: str) -> Any:
        """Return the row of a count, which a parallel request may create."""
        try:
            return super().get_quota_usage_by_tenant(tenant_id, resource)
        except _DUPLICATE:
            return models.QuotaUsage.find_by(
                tenant_id=tenant_id, resource=resource)

    def get_all_quota_usages_by_tenant(
            self, tenant_id: str,
            resources: Iterable[str]) -> dict[str, Any]:
        found = {row.resource: row for row in
                 models.QuotaUsage.find_all(tenant_id=tenant_id).all()}
        return {resource: found.get(resource)
                or self.get_quota_usage_by_tenant(tenant_id, resource)
                for resource in resources}

    def reserve(self, tenant_id: str, resources: Mapping[str, object],
                deltas: Amounts) -> list[str]:
        """Return ids of reservations: those of handed_out(), or new ones.

        :raises trove.common.exception.QuotaExceeded: with all resources that
            are exceeded. Then nothing is reserved.
        """
        wanted = {name: int(deltas[name]) for name in deltas}
        unknown = sorted(wanted.keys() - resources.keys())
        if unknown:
            raise exception.QuotaResourceUnknown(unknown=unknown)
        share = _SHARE.get()
        if share is not None and share.fits(tenant_id, wanted):
            _SHARE.set(None)
            return list(share.ids)
        ids = {str(uuid.uuid4()): (name, wanted[name])
               for name in sorted(wanted)}
        reserve(tenant_id, ids)
        return list(ids)

    def commit(self, reservations: Iterable[str]) -> None:
        settle(reservations, COMMITTED)

    def rollback(self, reservations: Iterable[str]) -> None:
        settle(reservations, ROLLED_BACK)


class _Share(NamedTuple):
    """The reservations for the instance that is created next."""

    project: str
    amounts: Amounts
    ids: tuple[str, ...]

    def fits(self, project: str, amounts: Amounts) -> bool:
        return (self.project, dict(self.amounts)) == (project, amounts)


_SHARE: contextvars.ContextVar[_Share | None] = contextvars.ContextVar(
    'share', default=None)


def install() -> None:
    """Replace the quota driver of this process.

    Another driver that an operator has configured with [DEFAULT] quota_driver
    is not replaced.
    """
    quota_engine.replace_driver(quota.DbQuotaDriver, Driver)


def reserve(project: str, wanted: Mapping[str, tuple[str, int]]) -> None:
    """Reserve all amounts or none.

    :param wanted: resource and amount of each reservation, by its id. A
        negative amount is not reserved. It is released when it is committed.
    :raises trove.common.exception.QuotaExceeded: if the quota is not enough.
    """
    totals: dict[str, int] = {}
    for resource, amount in wanted.values():
        totals[resource] = totals.get(resource, 0) + max(amount, 0)
    _reserve(_counts(project, totals), _limits(project, totals), totals,
             wanted)


def _counts(project: str, resources: Iterable[str]) -> dict[str, str]:
    """Return the ids of the rows of these counts; creates missing rows."""
    return {name: str(row.id) for name, row in
            quota.QUOTAS.get_all_quota_usages_by_tenant(project).items()
            if name in resources}


def _limits(project: str, resources: Iterable[str]) -> dict[str, int]:
    """Return the limit of each resource; a negative one means no limit."""
    return {name: int(row.hard_limit) for name, row in
            quota.QUOTAS.get_all_quotas_by_tenant(project).items()
            if name in resources}


@retried
def _reserve(counts: Mapping[str, str], limits: Amounts, totals: Amounts,
             wanted: Mapping[str, tuple[str, int]]) -> None:
    usage = models.QuotaUsage
    with transaction() as session:
        _forget(session, list(wanted))
        overs = []
        # In the order of the primary key, as in _settle: no deadlocks.
        for resource in sorted(totals, key=counts.__getitem__):
            query = session.query(usage).filter(
                usage.id == counts[resource],
                *_room(totals[resource], limits[resource]))
            if not query.update({
                    'reserved': usage.reserved + totals[resource],
                    'updated': timeutils.utcnow()},
                    synchronize_session=False):
                overs.append(resource)
        if overs:
            raise exception.QuotaExceeded(overs=sorted(overs))
        for reservation_id, (resource, amount) in wanted.items():
            session.add(models.Reservation(
                id=reservation_id, created=timeutils.utcnow(),
                updated=timeutils.utcnow(), usage_id=counts[resource],
                delta=amount, status=RESERVED))


def _room(amount: int, limit: int) -> tuple[Condition, ...]:
    """Return the conditions of an UPDATE that adds an amount.

    Trove's own driver subtracts from the reserved amount during a deletion,
    and may leave it negative. A negative amount does not raise the limit here.
    """
    if amount <= 0 or limit < 0:
        return ()
    usage = models.QuotaUsage
    reserved = sqlalchemy.case(
        (usage.reserved < 0, 0), else_=usage.reserved)
    return (usage.in_use + reserved + amount <= limit,)


def _forget(session: orm.Session, ids: list[str]) -> None:
    """Delete earlier reservations with the same ids.

    Usually there are none. A locking read would then lock a gap, and parallel
    requests would wait for each other.
    """
    table = models.Reservation
    same = session.query(table).filter(table.id.in_(ids))
    if same.first() is None:
        return
    rows = same.with_for_update().populate_existing().all()
    _settle(session, rows, ROLLED_BACK)
    same.delete(synchronize_session=False)
    session.expunge_all()


@retried
def settle(ids: Iterable[str], status: str) -> None:
    """End reservations; repeating it changes nothing.

    :param status: COMMITTED, also for reservations that were rolled back
        because they had expired, or ROLLED_BACK.
    """
    table = models.Reservation
    with transaction() as session:
        _settle(session, session.query(table).filter(
            table.id.in_(list(ids))).with_for_update().all(), status)


def _settle(session: orm.Session, rows: Iterable[Reservation],
            status: str) -> None:
    """End those of these locked reservations whose status still allows it."""
    table, usage = models.Reservation, models.QuotaUsage
    ended = [row for row in rows if row.status == RESERVED or (
        status == COMMITTED and row.status == ROLLED_BACK)]
    if not ended:
        return
    now = timeutils.utcnow()
    session.query(table).filter(
        table.id.in_([row.id for row in ended])).update(
            {'status': status, 'updated': now}, synchronize_session=False)
    released: dict[str, int] = {}
    used: dict[str, int] = {}
    for row in ended:
        for totals, counts in ((released, row.status == RESERVED
                                and row.delta > 0),
                               (used, status == COMMITTED)):
            totals[row.usage_id] = totals.get(row.usage_id, 0) + (
                row.delta if counts else 0)
    after = usage.in_use + _by_usage(used)
    session.query(usage).filter(usage.id.in_(sorted(used))).update(
        {'reserved': usage.reserved - _by_usage(released),
         'in_use': sqlalchemy.case((after < 0, 0), else_=after),
         'updated': now}, synchronize_session=False)


def _by_usage(amounts: Amounts) -> Any:
    """Return an expression with the amount of each count, by its id."""
    return sqlalchemy.case(amounts, value=models.QuotaUsage.id)


def _count(query: orm.Query[Any], amount: int) -> int:
    """Change the amount in use; return the number of changed rows."""
    after = models.QuotaUsage.in_use + amount
    return int(query.update(
        {'in_use': sqlalchemy.case((after < 0, 0), else_=after),
         'updated': timeutils.utcnow()}, synchronize_session=False))


def use(session: orm.Session, project: str, amounts: Amounts,
        limits: Amounts | None = None) -> None:
    """Change the amount in use, in the transaction of the session.

    :param limits: the result of usable(). None: no limits, for amounts that
        are or were already used.
    :raises trove.common.exception.QuotaExceeded: if the quota is not enough.
    """
    table = models.QuotaUsage
    overs = []
    for resource, amount in sorted(amounts.items()):
        room = () if limits is None else _room(amount, limits[resource])
        if not _count(session.query(table).filter(
                table.tenant_id == project, table.resource == resource,
                *room), amount) and limits is not None:
            overs.append(resource)
    if overs:
        raise exception.QuotaExceeded(overs=overs)


def usable(project: str, resources: Iterable[str]) -> dict[str, int]:
    """Return the limits for use(); creates missing rows of the counts."""
    names = list(resources)
    _counts(project, names)
    return _limits(project, names)


def ids_of_member(cluster_id: str, number: int) -> dict[str, str]:
    """Return the ids of a member's reservations, by resource.

    They are computed, so that a taskmanager finds the reservations of a member
    after trove-api has ended before it created the member.
    """
    return {resource: str(uuid.uuid5(
        uuid.UUID(cluster_id), f'{number} {resource}'))
        for resource in _OF_MEMBERS}


def reserve_members(project: str, cluster_id: str,
                    needs: Mapping[int, Amounts]) -> None:
    """Reserve for all members of a request, before the first is created.

    :param needs: the amounts of each member, by its number.
    :raises trove.common.exception.QuotaExceeded: then nothing is reserved.
    """
    reserve(project, {
        ids[resource]: (resource, amount)
        for number, amounts in needs.items()
        for ids in (ids_of_member(cluster_id, number),)
        for resource, amount in amounts.items()})


@contextlib.contextmanager
def handed_out(project: str, cluster_id: str, number: int,
               amounts: Amounts) -> Iterator[None]:
    """Let Trove use the reservations of a member instead of new ones.

    If Trove asks for another amount, because the flavor was changed meanwhile,
    the reservations are rolled back at the end.
    """
    ids = ids_of_member(cluster_id, number)
    share = _Share(project, amounts, tuple(
        ids[resource] for resource in sorted(amounts)))
    before = _SHARE.set(share)
    try:
        yield
    finally:
        taken = _SHARE.get() is None
        _SHARE.reset(before)
        if not taken:
            settle(share.ids, ROLLED_BACK)


def settle_members(cluster_id: str, numbers: Iterable[int],
                   status: str) -> None:
    """End the open reservations of members; see settle()."""
    settle([one for number in numbers for one in
            ids_of_member(cluster_id, number).values()], status)


def counts_member(cluster_id: str, number: int) -> bool:
    """Whether a member is counted as in use.

    False if it has a reservation that was not committed. True if it has none,
    because older versions kept none.
    """
    table = models.Reservation
    with transaction() as session:
        found = session.query(table).filter(table.id.in_(
            ids_of_member(cluster_id, number).values())).all()
        return not found or any(row.status == COMMITTED for row in found)


def repair() -> None:
    """Roll back the reservations of requests that ended unexpectedly.

    Also sets the reserved amounts to the sums of the reservations, from which
    they differ after parallel requests with Trove's own driver.
    """
    table = models.Reservation
    ago = timeutils.utcnow() - datetime.timedelta(seconds=EXPIRES)
    with transaction() as session:
        expired = [row.id for row in session.query(table).filter(
            table.status == RESERVED, table.created < ago).all()]
        counts = [(row.id, row.reserved) for row in
                  session.query(models.QuotaUsage).all()]
        totals = _reserved(session)
    if expired:
        LOG.warning('Rolling back %d reservations of the quota that are '
                    'older than %d s', len(expired), EXPIRES)
        settle(expired, ROLLED_BACK)
    for usage_id, reserved in counts:
        if expired or reserved != totals.get(usage_id, 0):
            _recount(usage_id)


def _reserved(session: orm.Session, *conditions: Condition) -> dict[str, int]:
    """Return the sums of the open reservations, by count."""
    table = models.Reservation
    return {usage_id: int(total) for usage_id, total in session.query(
        table.usage_id, sqlalchemy.func.sum(table.delta)).filter(
            table.status == RESERVED, table.delta > 0, *conditions).group_by(
                table.usage_id).all()}


@retried
def _recount(usage_id: str) -> None:
    usage = models.QuotaUsage
    with transaction() as session:
        row = session.query(usage).filter_by(id=usage_id)
        # Other changes of reservations wait from here on.
        row.update({'updated': timeutils.utcnow()},
                   synchronize_session=False)
        total = _reserved(
            session, models.Reservation.usage_id == usage_id).get(usage_id, 0)
        if row.filter(usage.reserved != total).update(
                {'reserved': total}, synchronize_session=False):
            LOG.warning('Set the reserved amount of quota usage %s to %d, '
                        'the sum of its reservations', usage_id, total)
