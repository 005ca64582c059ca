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

"""What a project uses of its quota, counted right under parallel requests.

Trove's driver reads a count, compares it with the limit and writes the new
count in three transactions, so that parallel requests see the same free
room and overwrite each other's counts. The driver of this module changes a
count in one UPDATE that holds only while the limit does, which is right on
MySQL, MariaDB, Galera and SQLite. install() gives it to Trove as well.

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

#: seconds after which no request that made a reservation still runs
EXPIRES = 3600
#: what a member of a cluster counts for
_OF_MEMBERS = ('instances', 'ram', 'volumes')
_DUPLICATE = (db_exceptions.DBDuplicateEntry, exception.DBConstraintError)

_RETRIES = 10

Call = TypeVar('Call', bound=Callable[..., Any])
Condition = sqlalchemy.ColumnElement[bool]


def retried(call: Call) -> Call:
    """The call again while its transaction ends in a deadlock.

    InnoDB rolls one of two transactions back that wait for each other, and
    a Galera cluster one of two that changed the same row.
    """
    wrapped: Call = db_api.wrap_db_retry(
        max_retries=_RETRIES, retry_interval=0.1, max_retry_interval=1,
        inc_retry_interval=True, retry_on_deadlock=True)(call)
    return wrapped


@contextlib.contextmanager
def transaction() -> Iterator[orm.Session]:
    """A session of Trove's; nothing of it is kept if the block raises."""
    with (models.Reservation.query() as query,
          contextlib.ExitStack() as undo):
        undo.callback(query.session.rollback)
        session: orm.Session = query.session
        yield session
        undo.pop_all()


class Driver(quota.DbQuotaDriver):  # type: ignore[misc]
    """Trove's driver, but that each change of a count is one statement."""

    def get_quota_usage_by_tenant(self, tenant_id: str,
                                  resource: str) -> Any:
        """The row of a count; two requests may make it at the same time."""
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
        """Ids of reservations: those handed out to this thread, or new ones.

        :raises trove.common.exception.QuotaExceeded: naming all resources
            of which there is not enough; then nothing is reserved.
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
    """What is reserved for the instance that is made next."""

    project: str
    amounts: Amounts
    ids: tuple[str, ...]

    def fits(self, project: str, amounts: Amounts) -> bool:
        return (self.project, dict(self.amounts)) == (project, amounts)


_SHARE: contextvars.ContextVar[_Share | None] = contextvars.ContextVar(
    'share', default=None)


def install() -> None:
    """Have Trove's own code of this process count with our driver, too.

    A driver of another kind, which an operator has configured with
    [DEFAULT] quota_driver, stays.
    """
    quota_engine.replace_driver(quota.DbQuotaDriver, Driver)


def reserve(project: str, wanted: Mapping[str, tuple[str, int]]) -> None:
    """Reserve all or nothing.

    :param wanted: resource and amount of each reservation, by its id. What
        is given back is no reservation: it is free when it is committed.
    :raises trove.common.exception.QuotaExceeded: there is not enough.
    """
    totals: dict[str, int] = {}
    for resource, amount in wanted.values():
        totals[resource] = totals.get(resource, 0) + max(amount, 0)
    _reserve(_counts(project, totals), _limits(project, totals), totals,
             wanted)


def _counts(project: str, resources: Iterable[str]) -> dict[str, str]:
    """The ids of the rows of these counts, which exist from now on."""
    return {name: str(row.id) for name, row in
            quota.QUOTAS.get_all_quota_usages_by_tenant(project).items()
            if name in resources}


def _limits(project: str, resources: Iterable[str]) -> dict[str, int]:
    """Of each resource; a negative one is no limit."""
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
        for resource in sorted(totals):     # one order: no deadlocks
            query = session.query(usage).filter(
                usage.id == counts[resource],
                *_room(totals[resource], limits[resource]))
            if not query.update({
                    'reserved': usage.reserved + totals[resource],
                    'updated': timeutils.utcnow()},
                    synchronize_session=False):
                overs.append(resource)
        if overs:
            raise exception.QuotaExceeded(overs=overs)
        for reservation_id, (resource, amount) in wanted.items():
            session.add(models.Reservation(
                id=reservation_id, created=timeutils.utcnow(),
                updated=timeutils.utcnow(), usage_id=counts[resource],
                delta=amount, status=RESERVED))


def _room(amount: int, limit: int) -> tuple[Condition, ...]:
    """What must hold for a row that is to count so much more.

    Trove's own driver subtracts from what is reserved while it deletes,
    and may leave it negative for ever; neither makes room.
    """
    if amount <= 0 or limit < 0:
        return ()
    usage = models.QuotaUsage
    reserved = sqlalchemy.case(
        (usage.reserved < 0, 0), else_=usage.reserved)
    return (usage.in_use + reserved + amount <= limit,)


def _forget(session: orm.Session, ids: list[str]) -> None:
    """Delete earlier reservations of the same ids."""
    table = models.Reservation
    for row in session.query(table).filter(table.id.in_(ids)).all():
        _settle(session, row, ROLLED_BACK)
        session.query(table).filter(table.id == row.id).delete(
            synchronize_session=False)
        session.expunge(row)


@retried
def settle(ids: Iterable[str], status: str) -> None:
    """End reservations; whatever is asked a second time changes nothing.

    :param status: COMMITTED, also for those that were rolled back because
        they had expired; or ROLLED_BACK.
    """
    table = models.Reservation
    with transaction() as session:
        rows = session.query(table).filter(table.id.in_(list(ids))).all()
        for row in sorted(rows, key=lambda row: str(row.usage_id)):
            _settle(session, row, status)


def _settle(session: orm.Session, row: Reservation, status: str) -> None:
    """As its status in the table allows, which may be another by now."""
    was_reserved = _turn(session, row.id, RESERVED, status)
    if was_reserved and row.delta > 0:
        session.query(models.QuotaUsage).filter_by(id=row.usage_id).update(
            {'reserved': models.QuotaUsage.reserved - row.delta,
             'updated': timeutils.utcnow()}, synchronize_session=False)
    if status == COMMITTED and (
            was_reserved or _turn(session, row.id, ROLLED_BACK, status)):
        _count(session.query(models.QuotaUsage).filter_by(id=row.usage_id),
               row.delta)


def _turn(session: orm.Session, reservation_id: str, before: str,
          status: str) -> bool:
    return bool(session.query(models.Reservation).filter_by(
        id=reservation_id, status=before).update(
            {'status': status, 'updated': timeutils.utcnow()},
            synchronize_session=False))


def _count(query: orm.Query[Any], amount: int) -> int:
    """Change what is in use; how many rows that were."""
    after = models.QuotaUsage.in_use + amount
    return int(query.update(
        {'in_use': sqlalchemy.case((after < 0, 0), else_=after),
         'updated': timeutils.utcnow()}, synchronize_session=False))


def use(session: orm.Session, project: str, amounts: Amounts,
        limits: Amounts | None = None) -> None:
    """Count more or less as in use, in the transaction of the session.

    :param limits: what usable() has told; None: whatever they are, for what
        is used already or was.
    :raises trove.common.exception.QuotaExceeded: there is not enough.
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
    """The limits for use(); the rows of the counts exist from then on."""
    names = list(resources)
    _counts(project, names)
    return _limits(project, names)


def ids_of_member(cluster_id: str, number: int) -> dict[str, str]:
    """The ids of a member's reservations, by resource.

    They are the same whoever asks, so that what trove-api reserved for a
    member is found when trove-api has ended before the member was made.
    """
    return {resource: str(uuid.uuid5(
        uuid.UUID(cluster_id), f'{number} {resource}'))
        for resource in _OF_MEMBERS}


def reserve_members(project: str, cluster_id: str,
                    needs: Mapping[int, Amounts]) -> None:
    """Reserve for all members of a request before the first one is made.

    :param needs: what each counts for, by its number.
    :raises trove.common.exception.QuotaExceeded: nothing is reserved.
    """
    reserve(project, {
        ids[resource]: (resource, amount)
        for number, amounts in needs.items()
        for ids in (ids_of_member(cluster_id, number),)
        for resource, amount in amounts.items()})


@contextlib.contextmanager
def handed_out(project: str, cluster_id: str, number: int,
               amounts: Amounts) -> Iterator[None]:
    """Trove takes what is reserved for a member, and not as much again.

    If it asks for another amount, since the flavor was changed meanwhile,
    what was reserved is given back in the end.
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
    """End what is reserved for members, and not ended yet; see settle()."""
    settle([one for number in numbers for one in
            ids_of_member(cluster_id, number).values()], status)


def counts_member(cluster_id: str, number: int) -> bool:
    """Whether a member is counted as in use.

    One is not whose reservation was not committed. One without any is, for
    it was made by a version that left none.
    """
    table = models.Reservation
    with transaction() as session:
        found = session.query(table).filter(table.id.in_(
            ids_of_member(cluster_id, number).values())).all()
        return not found or any(row.status == COMMITTED for row in found)


def repair() -> None:
    """Give back what requests have reserved that ended in their middle.

    And set what is reserved to the sum of the reservations, from which
    Trove's own driver makes it differ under parallel requests.
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
        LOG.warning('%d reservations of the quota are older than %d s; they '
                    'are rolled back', len(expired), EXPIRES)
        settle(expired, ROLLED_BACK)
    for usage_id, reserved in counts:
        if expired or reserved != totals.get(usage_id, 0):
            _recount(usage_id)


def _reserved(session: orm.Session, *conditions: Condition) -> dict[str, int]:
    """What the reservations that are not ended add up to, by count."""
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
        # Whoever changes a reservation waits from here on.
        row.update({'updated': timeutils.utcnow()},
                   synchronize_session=False)
        total = _reserved(
            session, models.Reservation.usage_id == usage_id).get(usage_id, 0)
        if row.filter(usage.reserved != total).update(
                {'reserved': total}, synchronize_session=False):
            LOG.warning('The reserved amount of quota usage %s is set to '
                        '%d, the sum of its reservations', usage_id, total)
