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

"""How instances become one cluster: the steps that create is made of.

Imported by the operations that form or extend a cluster. Each step asks the
members themselves; what their answers allow is decided in galera/.
"""

from collections.abc import Callable
from collections.abc import Sequence
import functools
from typing import Any
import uuid

from oslo_log import log as logging
from trove.common import utils

from trove_pxc import exceptions
from trove_pxc.galera import identity as identities
from trove_pxc.galera import naming
from trove_pxc.galera import plan
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.galera import view
from trove_pxc.taskmanager.cloud import authority
from trove_pxc.taskmanager.cloud import birth
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.cloud import ports
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import defaults
from trove_pxc import waiting

LOG = logging.getLogger(__name__)

Member = members.Member

_NOT_RUNNING = (view.ServerState.ABSENT, view.ServerState.STOPPED,
                view.ServerState.CRASHED)


class Formation(supervision.Supervised):
    """The state of one run; all of it can be found out again by another.

    :ivar secrets: what all members share, once one of them was asked.
    :ivar founder: the member through which the cluster was found to exist.
    :ivar history: the UUID of the cluster's history, once it exists.
    :ivar forming: whether the cluster is still empty and serves nobody.
    :ivar interrupted: whether a taskmanager has died in it, and perhaps in
        Trove's creation of the instances.
    """

    remedy = 'delete the cluster'
    forming = True
    secrets: settings.ClusterSecrets | None = None
    founder: Member | None = None
    history: str = ''
    interrupted = False

    def check(self) -> None:
        """As ever; and whether an instance is still to come at all."""
        super().check()
        self.look_at_births(self.members)

    @property
    def unborn(self) -> Sequence[Member]:
        """Whom Trove has been making for this operation."""
        return self.members

    @functools.cached_property
    def births(self) -> dict[str, birth.Birth]:
        """How far Trove is with each of them, by its id."""
        return {member.id: birth.Birth(member) for member in self.unborn}

    def look_at_births(self, concerned: Sequence[Member]) -> None:
        """See whether they get further, if that may not be so."""
        if self.interrupted:
            for member in concerned:
                self._looks[member.id]()

    @functools.cached_property
    def _looks(self) -> dict[str, Callable[[], None]]:
        return {member.id: supervision.every(
            member.options.cloud_poll_interval,
            self.births[member.id].look) for member in self.unborn}

    @property
    def registered(self) -> Sequence[Member]:
        """Who stands in each one's settings, and is let in by each."""
        return self.members

    def facts(self, member: Member) -> settings.MemberFacts:
        """What its configuration depends on."""
        return settings.MemberFacts(
            cluster_id=self.cluster_id,
            cluster_name=naming.wsrep_cluster_name(self.cluster_id),
            member_name=member.node_name,
            member_address=member.address,
            members=tuple((other.node_name, other.address)
                          for other in self.registered),
            instance_id=member.id, memory_mb=member.memory_mb,
            volume_gb=member.volume_gb,
            sst_method=member.options.sst_method)

    def serving(self, member: Member) -> view.MemberReport | None:
        """Its report if it is in the primary component, else None."""
        if not member.prepared():
            return None
        report = self.ask(member)
        if report.view is not None and report.view.in_primary:
            return report
        return None

    def joined(self, report: view.MemberReport, size: int) -> bool:
        """Whether it is Synced in this cluster, of this size."""
        return plan.joined(report, self.history, size)

    def found_through(self, member: Member,
                      report: view.MemberReport) -> None:
        """Remember that the cluster exists, and its history."""
        assert report.view is not None
        self.founder = member
        self.history = report.view.cluster_uuid or ''


def every_member(operation: Formation) -> Sequence[Member]:
    return operation.members


def first_member(operation: Formation) -> Sequence[Member]:
    return operation.members[:1]


def last_member(operation: Formation) -> Sequence[Member]:
    return operation.members[-1:]


def joiners(operation: Formation) -> Sequence[Member]:
    """All but the one through which the cluster exists."""
    return [member for member in operation.members
            if member is not operation.founder]


def _address_known(operation: Formation, member: Member) -> bool:
    return member.find_address() is not None


def _know_address(operation: Formation, member: Member) -> None:
    def probe() -> None:
        member.check_server()
        if member.find_address() is None:
            raise waiting.NotYet('no port with an address yet')
    operation.wait(probe, interval=member.options.cloud_poll_interval)


def doors(operation: Formation, member: Member) -> ports.Doors:
    """A member's ports, and who is to come in through them."""
    return ports.Doors(member, [
        other.address for other in operation.registered
        if other is not member])


def _admitting(operation: Formation, member: Member) -> bool:
    return doors(operation, member).right()


def _admit(operation: Formation, member: Member) -> None:
    doors(operation, member).set_right()


def _prepared(operation: Formation, member: Member) -> bool:
    return member.prepared()


def _be_prepared(operation: Formation, member: Member) -> None:
    look_at_server = supervision.every(
        member.options.cloud_poll_interval, member.check_server)

    def probe() -> None:
        look_at_server()
        if operation.interrupted:
            operation.births[member.id].ask()
        if not member.prepared():
            raise waiting.NotYet(
                f'its guest is "{member.status().description}"')
    operation.wait(probe, interval=member.options.database_poll_interval)


def configured(operation: Formation, member: Member) -> bool:
    had = operation.tell(member, member.settings)
    if had is None:
        return False
    if operation.secrets is None:
        operation.secrets = had.secrets
    return (had.facts == defaults.facts(operation, member, had)
            and had.secrets == operation.secrets
            and authority.fits(had.identity, operation.secrets.authorities,
                               member.address))


def configure(operation: Formation, member: Member) -> None:
    if operation.secrets is None:
        operation.secrets = _shared_secrets(operation, member.options)
    had = operation.tell(member, member.settings)
    operation.tell(member, functools.partial(
        member.guest.configure_member, defaults.facts(operation, member, had),
        operation.secrets, _identity(operation.secrets, member,
                                     None if had is None else had.identity)))


def _identity(secrets: settings.ClusterSecrets, member: Member,
              had: identities.Identity | None) -> identities.Identity | None:
    """The one that it has, if that is right."""
    if (not secrets.encrypted
            or authority.fits(had, secrets.authorities, member.address)):
        return had if secrets.encrypted else None
    return authority.issue(secrets.authorities, member.node_name,
                           member.address, member.options.certificate_days)


def _shared_secrets(operation: Formation,
                    options: Any) -> settings.ClusterSecrets:
    """What a member has already, else new ones."""
    for member in operation.members:
        had = (operation.tell(member, member.settings)
               if member.prepared() else None)
        if had is not None:
            return had.secrets
    length = options.default_password_length

    def new() -> secret.Secret:
        return secret.Secret(utils.generate_random_password(length))
    return settings.ClusterSecrets(
        admin_password=new(), root_password=new(), sst_password=new(),
        authorities=(authority.new(
            operation.cluster_id, options.certificate_days),)
        if options.encrypt_cluster_traffic else ())


def _cluster_exists(operation: Formation, member: Member) -> bool:
    """Whether any member is in a primary component, whoever made it."""
    for other in operation.members:
        report = operation.serving(other)
        if report is not None:
            operation.found_through(other, report)
            return True
    return False


def _bootstrap(operation: Formation, member: Member) -> None:
    def order() -> None:
        if not member.report().started:
            _prove_safe(operation)
            member.guest.bootstrap_member()
    operation.tell(member, order)
    watch = supervision.CrashWatch(member)

    def probe() -> view.MemberReport:
        report = member.report()
        watch.look(report)
        if (report.view is None or not report.view.in_primary
                or not report.view.is_synced):
            raise waiting.NotYet(members.seen(report))
        return report
    operation.found_through(member, operation.wait(probe))


def _prove_safe(operation: Formation) -> None:
    """Raise unless no member can hold data or be in a cluster.

    One that was never prepared was never started; any other must answer.
    """
    prepared = {name: one for name, one in members.by_label(
        operation.members).items() if one.prepared()}
    told = {name: operation.ask(one) for name, one in prepared.items()}
    decision = plan.may_bootstrap_new(
        told, {name: operation.tell(prepared[name], prepared[name].position)
               for name in told})
    if not decision.allowed:
        raise exceptions.BootstrapRefused(decision.reason)
    LOG.info('Cluster %s may be bootstrapped: %s', operation.cluster_id,
             decision.reason)


def _joined(operation: Formation, member: Member) -> bool:
    report = operation.serving(member)
    return (report is not None and report.view is not None
            and report.view.is_synced
            and report.view.cluster_uuid == operation.history)


def _join(operation: Formation, member: Member) -> None:
    """Start it and wait until it is in, however long its SST moves."""
    present = [other for other in operation.members
               if other is not member and operation.serving(other)]
    size = len(present) + 1

    def order() -> None:
        if member.report().server in _NOT_RUNNING:
            member.guest.join_member(forming=operation.forming)
    operation.tell(member, order)
    watch = supervision.CrashWatch(member)

    def probe() -> None:
        report = member.report()
        watch.look(report)
        refuse_other_history(operation, member, report)
        if not operation.joined(report, size):
            raise waiting.NotYet(members.seen(report))
    try:
        operation.wait(probe, progress=watch.progress)
    except (exceptions.MemberFailed, exceptions.DeadlineExceeded) as failure:
        _blame_who_was_lost(operation, member, present, failure)
        raise
    for other in present:
        _wait_agreed(operation, other, size)


def _blame_who_was_lost(operation: Formation, member: Member,
                        present: Sequence[Member],
                        failure: exceptions.MemberFailed
                        | exceptions.DeadlineExceeded) -> None:
    """It may have been the donor, or what made the component primary.

    :raises MemberFailed: of the first that is not in one any more.
    """
    if isinstance(failure, exceptions.DeadlineExceeded):
        cause = failure.last_seen
    elif failure.instance_id == member.id:
        cause = failure.cause
    else:
        return
    for other in present:
        report = operation.ask(other)
        if report.view is None or not report.view.in_primary:
            raise other.failed(
                f'it left its cluster while {member.name} joined, and is: '
                f'{members.seen(report)}; {member.name}: {cause}'
            ) from failure


def refuse_other_history(operation: Formation, member: Member,
                         report: view.MemberReport) -> None:
    """Raise MemberFailed if it is primary in another history."""
    if (report.view is not None and report.view.in_primary
            and report.view.cluster_uuid not in (None, operation.history)):
        raise member.failed(
            f'it is in a cluster with the UUID {report.view.cluster_uuid}, '
            f'not {operation.history}')


def _agreed(operation: Formation, member: Member) -> bool:
    return operation.joined(operation.ask(member), len(operation.members))


def _agree(operation: Formation, member: Member) -> None:
    _wait_agreed(operation, member, len(operation.members))


def _wait_agreed(operation: Formation, member: Member, size: int) -> None:
    def probe() -> None:
        report = member.report()
        refuse_other_history(operation, member, report)
        if not operation.joined(report, size):
            raise waiting.NotYet(members.seen(report))
    operation.wait(
        probe, what=f'{member.name} to see {size} members and be Synced',
        seconds=member.options.verify_timeout, by=member)


def _never(operation: Formation, member: Member) -> bool:
    """For what is proven anew in each run."""
    return False


def _replicate(operation: Formation, member: Member) -> None:
    token = uuid.uuid4().hex
    operation.tell(member, functools.partial(
        member.guest.write_probe, token))
    for other in operation.members:
        operation.wait(
            _reads(other, token),
            what=f'{other.name} to read what {member.name} wrote',
            by=other)
    operation.tell(member, member.guest.drop_probe)


def _reads(member: Member, token: str) -> Callable[[], None]:
    def probe() -> None:
        if not member.guest.read_probe(token):
            raise waiting.NotYet('the row is not there')
    return supervision.answered(probe)


def _healthy(operation: Formation, member: Member) -> bool:
    return member.healthy()


def _complete(operation: Formation, member: Member) -> None:
    operation.tell(member, member.guest.cluster_complete)


def _be_healthy(operation: Formation, member: Member) -> None:
    def probe() -> None:
        if not member.healthy():
            raise waiting.NotYet(
                f'its guest reports "{member.status().description}"')
    operation.wait(probe, interval=member.options.database_poll_interval)


KNOW_ADDRESS = workflow.Step(
    'find the address', 'to have a port with an address',
    'member_ready_timeout', _address_known, _know_address)
ADMIT = workflow.Step(
    'admit the others', 'to have its Galera ports open to the others alone',
    'member_start_timeout', _admitting, _admit)
BE_PREPARED = workflow.Step(
    'prepare', 'to have a guest that is ready', 'member_ready_timeout',
    _prepared, _be_prepared)
CONFIGURE = workflow.Step(
    'configure', 'to have its settings', 'member_start_timeout',
    configured, configure)
BOOTSTRAP = workflow.Step(
    'bootstrap', 'to be Synced in a primary component of its own',
    'bootstrap_timeout', _cluster_exists, _bootstrap)
JOIN = workflow.Step(
    'join', 'to be Synced in the cluster', 'join_stall_timeout',
    _joined, _join)
AGREE = workflow.Step(
    'verify', 'to see the whole cluster', 'verify_timeout',
    _agreed, _agree)
REPLICATE = workflow.Step(
    'replicate', 'to have its writes read on all members', 'verify_timeout',
    _never, _replicate)
COMPLETE = workflow.Step(
    'complete', 'to have its guest report from now on', 'health_timeout',
    _healthy, _complete)
BE_HEALTHY = workflow.Step(
    'become healthy', 'to be reported HEALTHY by its guest', 'health_timeout',
    _healthy, _be_healthy)
