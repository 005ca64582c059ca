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

"""The calls to the guest of a member.

Imported by members. guestagent/api has the client; a test compares it with
this type. All calls raise Trove's GuestTimeout or GuestError.
"""

from typing import Protocol

from trove_pxc.galera import backups
from trove_pxc.galera import certificates
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import position
from trove_pxc.galera import secret
from trove_pxc.galera import settings
from trove_pxc.galera import view


class Guest(Protocol):
    """The client of one guest; guestagent/api describes the calls."""

    def configure_member(self, facts: settings.MemberFacts,
                         secrets: settings.ClusterSecrets,
                         identity: certificates.Certificate | None = None
                         ) -> None:
        """Write the settings, secrets and certificate of the server."""

    def bootstrap_member(self) -> None:
        """Start the server as the first of a new cluster."""

    def join_member(self, forming: bool = True) -> None:
        """Start the server, which joins its cluster."""

    def start_member(self) -> None:
        """Start the server again."""

    def stop_member(self) -> None:
        """Stop the server."""

    def halt_member(self) -> bool:
        """Stop the server unless it is primary."""

    def promote_member(self, uuid: str, seqno: int) -> bool:
        """Make the running server primary."""

    def continue_member(self, uuid: str, seqno: int) -> None:
        """Start the server as the first of its cluster."""

    def cluster_complete(self) -> None:
        """Report HEALTHY from now on."""

    def member_report(self, seconds: float | None = None
                      ) -> view.MemberReport:
        """The state of the server now."""

    def awaited_report(self, patience: float) -> view.MemberReport:
        """The state of the server as soon as it is Synced, or later."""

    def member_position(self) -> position.Position:
        """The position of the stopped server."""

    def member_context(self) -> Membership | None:
        """The settings, secrets and certificate of the member."""

    def start_backup(self, order: backups.Order) -> None:
        """Start a backup."""

    def start_restore(self, order: backups.Restoring) -> None:
        """Start to restore a backup."""

    def backup_progress(self, backup_id: str) -> backups.Progress:
        """The progress of a backup or a restore."""

    def renew_backup_token(self, backup_id: str,
                           token: secret.Secret) -> None:
        """Use this token of the object store from now on."""

    def cancel_backup(self, backup_id: str) -> None:
        """End a backup or a restore."""

    def bootstrap_restored(self) -> None:
        """Start the server as the first of a cluster with restored data."""

    def is_root_enabled(self) -> bool:
        """Whether root can log in from other hosts; this call is Trove's."""

    def restore_accounts(self) -> None:
        """Restore the accounts of the guest agent."""

    def write_probe(self, token: str) -> None:
        """Write a token that another member is to read."""

    def read_probe(self, token: str) -> bool:
        """Whether the token is there."""

    def drop_probe(self) -> None:
        """Remove the table of the probe."""

    def mount_volume(self, device_path: str | None = None,
                     mount_point: str | None = None) -> None:
        """Mount the volume; this call and the next two are Trove's."""

    def unmount_volume(self, device_path: str | None = None,
                       mount_point: str | None = None) -> None:
        """Unmount the volume."""

    def resize_fs(self, device_path: str | None = None,
                  mount_point: str | None = None,
                  online: bool = False) -> None:
        """Make the file system as large as the volume."""
