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

"""Admits requests: which of them run, and which wait for the others.

Imported by manager and the watchers. A worker of Trove's RPC server only
accepts a request and puts it into one of five queues. Each queue has its own
threads, so that a burst of one kind of requests does not delay the others:
long operations, short operations, deletions, creations of members, and
backups. Long operations wait for creations of members, which therefore must
not wait for them. What waits is recorded; see queued.
"""

from collections.abc import Callable
import functools
import heapq
import itertools
import threading
import uuid

from oslo_log import log as logging
from trove.common import cfg
from trove.common import exception

from trove_pxc import conf
from trove_pxc import exceptions
from trove_pxc.protocols import Context
from trove_pxc import queued
from trove_pxc import starts
from trove_pxc import transient
from trove_pxc import waiting

CONF = cfg.CONF
LOG = logging.getLogger(__name__)

LONG = 'long'
SHORT = 'short'
DELETIONS = 'deletions'
CREATIONS = 'creations'
BACKUPS = 'backups'

#: the queues of the operations that Trove's manager has no method for
LANES = {
    'restart_members': SHORT, 'recover_cluster': SHORT,
    'resize_flavor_of_members': LONG, 'resize_volume_of_members': LONG,
    'rotate_certificates': LONG, 'create_cluster_backup': BACKUPS,
    'delete_cluster_backup': DELETIONS}
#: the options with the number of requests that run at the same time
_LIMITS = {LONG: 'long_operations', SHORT: 'short_operations',
           DELETIONS: 'deletions', CREATIONS: 'member_creations',
           BACKUPS: 'backups'}
_SIGNS = 6      # signs of life in the seconds of a lease


class Request:
    """A request that runs or waits.

    :param what: for the log: "the operation of cluster ID".
    :param begin: called before it runs, while its place is still recorded, so
        that it is at no time neither waiting nor begun.
    :ivar leave: set if its place is recorded; called when it has begun.
    """

    leave: Callable[[], None] | None = None

    def __init__(self, what: str, call: Callable[[], None],
                 context: Context | None = None,
                 begin: Callable[[], None] = lambda: None) -> None:
        self.what = what
        self._begin = begin
        self._call = call
        self._context = context
        self._over = threading.Event()

    def is_alive(self) -> bool:
        """Whether it runs or waits."""
        return not self._over.is_set()

    def run(self) -> None:
        """Run to the end; log an error, as Trove's RPC server does.

        Any other error ends the thread; masking logs it.
        """
        if self._context is not None:
            self._context.update_store()
        try:
            try:
                self._begin()
            finally:
                if self.leave is not None:
                    self.leave()
            self._call()
        except exceptions.OperationStopped as stopped:
            LOG.info('%s', stopped)
        except exception.TroveError as error:
            LOG.exception('An error ended %s: %s', self.what, error)
        finally:
            self._over.set()


class Lane:
    """A queue with a limit of the requests that run at the same time.

    :param limit: returns the limit. It is called each time, so a changed
        option applies at once.
    """

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, Request]] = []
        self._running = 0

    @property
    def full(self) -> bool:
        """Whether a request that is added has to wait."""
        with self._lock:
            # After the limit was raised, those that wait begin first.
            return self._running + len(self._waiting) >= self._limit()

    @property
    def busy(self) -> bool:
        """Whether a request runs or waits."""
        with self._lock:
            return bool(self._waiting or self._running)

    def add(self, number: int, request: Request) -> None:
        """Add a request; those with lower numbers begin before it."""
        with self._lock:
            heapq.heappush(self._waiting, (number, request))
        self._begin()

    def _begin(self) -> None:
        """Begin as many requests as there is room for."""
        with self._lock:
            room = max(0, self._limit() - self._running)
            begun = [heapq.heappop(self._waiting)[1]
                     for _ in range(min(room, len(self._waiting)))]
            self._running += len(begun)
        for request in begun:
            threading.Thread(target=self._run, args=(request,),
                             name=request.what, daemon=True).start()

    def _run(self, request: Request) -> None:
        try:
            request.run()
        finally:
            with self._lock:
                self._running -= 1
            self._begin()


class Admission:
    """The queues of one taskmanager.

    :ivar process: the id of this process in the records.
    """

    def __init__(self) -> None:
        self.process = uuid.uuid4().hex
        self._lanes = {lane: Lane(functools.partial(_limit, option))
                       for lane, option in _LIMITS.items()}
        self._numbers = itertools.count(1)
        # Operations that are resumed are older than those that wait.
        self._early_numbers = itertools.count(-2**62)
        self._lock = threading.Lock()
        self._recorded = 0
        self._signs: waiting.Regularly | None = None
        self._sign_numbers = itertools.count(1)
        self._shows_life = False

    @property
    def busy(self) -> bool:
        """Whether a request runs or waits."""
        return any(lane.busy for lane in self._lanes.values())

    def admit(self, lane: str, cluster_id: str, context: Context,
              call: Callable[[], None]) -> Request:
        """Run an operation on a cluster, when there is room for it."""
        request = Request(f'an operation of cluster {cluster_id}', call,
                          context)
        return self._add(lane, request, functools.partial(
            queued.enter_operation, cluster_id,
            str(getattr(context, 'request_id', ''))))

    def admit_creation(self, instance_id: str, context: Context,
                       message: Callable[[], str],
                       begin: Callable[[], None],
                       call: Callable[[], None]) -> Request:
        """Create a member, when there is room for it.

        :param begin: records that it has begun, or raises because another
            taskmanager has begun it.
        :param message: returns the text with which another taskmanager can
            create it; called if it has to wait.
        """
        request = Request(f'the creation of instance {instance_id}', call,
                          context, begin)

        def enter(place: starts.Place) -> None:
            start = queued.enter_creation(instance_id, place, message())
            request.leave = functools.partial(self._left, functools.partial(
                queued.leave, instance_id, start))
        return self._add(CREATIONS, request, enter)

    def admit_backup(self, lane: str, backup_id: str,
                     call: Callable[[], None],
                     context: Context | None = None) -> Request:
        """Make or delete a backup, when there is room for it.

        Its place is not recorded: any taskmanager may begin it.
        """
        request = Request(f'the backup {backup_id}', call, context)
        self._lanes[lane].add(next(self._numbers), request)
        return request

    def resume(self, lane: str, cluster_id: str,
               call: Callable[[], None]) -> Request:
        """Run an operation before those that wait.

        Its place is not recorded, because other taskmanagers may have it in
        their queues too. The first that runs it takes the lease.
        """
        request = Request(f'an operation of cluster {cluster_id}', call)
        self._lanes[lane].add(next(self._early_numbers), request)
        return request

    def _add(self, lane: str, request: Request,
             enter: Callable[[starts.Place], None]) -> Request:
        number = next(self._numbers)
        if self._lanes[lane].full:
            request.leave = self._left
            self._show_life()
            _tried(f'The place of {request.what} in the queue',
                   functools.partial(enter, starts.Place(
                       self.process, lane, number)))
        self._lanes[lane].add(number, request)
        return request

    def _left(self, leave: Callable[[], object] = lambda: None) -> None:
        with self._lock:
            self._recorded -= 1
        _tried('The end of the record of a request that begins', leave)

    def _show_life(self) -> None:
        """Show regularly that this process lives, while a request waits."""
        with self._lock:
            self._recorded += 1
            first = self._signs is None
            if first:
                self._signs = waiting.Regularly(_interval(), self._sign)
        if first:
            assert self._signs is not None
            self._sign()
            self._signs.__enter__()

    def _sign(self) -> None:
        if self._recorded:
            self._shows_life = True
            _tried('The sign of life of this process', functools.partial(
                queued.show_life, self.process, next(self._sign_numbers)))
        elif self._shows_life:
            self._shows_life = not _tried(
                'The end of the signs of life of this process',
                functools.partial(queued.show_no_life, self.process))


def _tried(what: str, write: Callable[[], object]) -> bool:
    """Write a record; log an error of the database.

    :returns: whether it was written.
    """
    try:
        write()
    except transient.DATABASE as error:
        LOG.warning('%s could not be written: %s', what, error)
        return False
    return True


def _limit(option: str) -> int:
    return int(CONF[conf.OWN_GROUP][option])


def _interval() -> float:
    """Seconds between two signs of life."""
    return min(float(CONF[manager].operation_lease)
               for manager in conf.MANAGERS) / _SIGNS
