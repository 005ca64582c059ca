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

"""Configures a member: its own settings, and those that all members share.

Imported by the operations that configure members, while their servers are
stopped or before their next start.
"""

import dataclasses
import functools
from typing import Any

from oslo_log import log as logging
from trove.common import utils

from trove_pxc.galera import certificates
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.taskmanager.cloud import certificate_authority
from trove_pxc.taskmanager.cloud import members
from trove_pxc.taskmanager.engine.found import Found
from trove_pxc.taskmanager.engine import supervision
from trove_pxc.taskmanager.engine import workflow
from trove_pxc.taskmanager.steps import defaults

LOG = logging.getLogger(__name__)

Supervised = supervision.Supervised
Member = members.Member


def _configured(operation: Supervised, member: Member) -> bool:
    secrets = operation.found.secrets
    return secrets is not None and _has(
        operation, member, operation.tell(member, member.settings), secrets)


def _has(operation: Supervised, member: Member, had: Membership | None,
         secrets: settings.ClusterSecrets) -> bool:
    return (had is not None
            and had.facts == defaults.facts(operation, member, had)
            and had.secrets == secrets
            and certificate_authority.fits(
                had.certificate, secrets.authorities, member.address))


def _configure(operation: Supervised, member: Member) -> Found:
    """Configure a member; keep the shared secrets that a member has."""
    had = operation.tell(member, member.settings)
    secrets = operation.found.secrets or (
        _shared_secrets(operation, member.options) if had is None
        else had.secrets)
    if not _has(operation, member, had, secrets):
        operation.tell(member, functools.partial(
            member.guest.configure_member,
            defaults.facts(operation, member, had), secrets,
            _certificate(secrets, member,
                         operation.found.issued.get(member.id)
                         if had is None else had.certificate)))
    return dataclasses.replace(operation.found, secrets=secrets)


def _certificate(secrets: settings.ClusterSecrets, member: Member,
                 had: certificates.Certificate | None
                 ) -> certificates.Certificate | None:
    """The certificate of a member: the one that it has, if it is valid."""
    if (not secrets.encrypted
            or certificate_authority.fits(
                had, secrets.authorities, member.address)):
        return had if secrets.encrypted else None
    return certificate_authority.issue(
        secrets.authorities, member.node_name, member.address,
        member.options.certificate_days)


def _secrets_made(operation: Supervised, member: Member) -> bool:
    return operation.found.secrets is not None or any(
        one.prepared() for one in operation.members)


def _make_secrets(operation: Supervised, member: Member) -> Found:
    """Make the secrets of a new cluster, of which no member can have any.

    The certificate of the member is one of them: its key takes time, too.
    """
    secrets = _new_secrets(operation, member.options)
    certificate = _certificate(secrets, member, None)
    return dataclasses.replace(
        operation.found, secrets=secrets,
        issued={} if certificate is None else {member.id: certificate})


def _shared_secrets(operation: Supervised,
                    options: Any) -> settings.ClusterSecrets:
    """The secrets that a member already has, or new ones."""
    for member in operation.members:
        had = (operation.tell(member, member.settings)
               if member.prepared() else None)
        if had is not None:
            return had.secrets
    return _new_secrets(operation, options)


def _new_secrets(operation: Supervised,
                 options: Any) -> settings.ClusterSecrets:
    length = options.default_password_length

    def new() -> secret.Secret:
        return secret.Secret(utils.generate_random_password(length))
    return settings.ClusterSecrets(
        admin_password=new(), root_password=new(), sst_password=new(),
        authorities=(certificate_authority.new(
            operation.cluster_id, options.certificate_days),)
        if options.encrypt_cluster_traffic else ())


def _to_be_told(operation: Supervised, member: Member) -> list[Member]:
    """The members whose settings must contain the new member."""
    return [other for other in operation.members if other is not member]


def _known(operation: Supervised, member: Member) -> bool:
    told = [operation.tell(other, other.settings)
            for other in _to_be_told(operation, member)]
    return all(had is not None
               and had.facts == defaults.facts(operation, other, had)
               for other, had in zip(
                   _to_be_told(operation, member), told))


def _make_known(operation: Supervised, member: Member) -> None:
    """Add the new member to the settings of the others.

    A running server uses them from its next start. Each member keeps its own
    secrets, because members have different authorities if a rotation of
    certificates was not completed.
    """
    for other in _to_be_told(operation, member):
        had = operation.tell(other, other.settings)
        if had is None:
            raise other.failed('it serves but has no settings')
        operation.tell(other, functools.partial(
            other.guest.configure_member,
            defaults.facts(operation, other, had),
            had.secrets, had.certificate))
    missing = [other.name for other in operation.all_members
               if other not in operation.members
               and other not in operation.found.passing]
    if missing:
        LOG.warning('Cluster %s: the settings of members that do not serve '
                    '(%s) do not contain %s',
                    operation.cluster_id, ', '.join(missing), member.name)


MAKE_SECRETS = workflow.Step(
    'make the secrets', 'to have secrets for its cluster',
    'member_start_timeout', _secrets_made, _make_secrets)
CONFIGURE = workflow.Step(
    'configure', 'to have its settings', 'member_start_timeout',
    _configured, _configure)
MAKE_KNOWN = workflow.Step(
    'update the others', 'to be in the settings of the other members',
    'member_start_timeout', _known, _make_known)
