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

"""Writes the files for the container: settings, certificate, SQL, program.

The service uses it.
"""

from collections.abc import Collection

from oslo_log import log as logging

from trove_pxc.galera import accounts
from trove_pxc.galera import certificates
from trove_pxc.galera import dialect as dialects
from trove_pxc.galera.membership import Membership
from trove_pxc.galera import settings
from trove_pxc.guestagent import files
from trove_pxc.guestagent import paths
from trove_pxc.guestagent import program

LOG = logging.getLogger(__name__)

_READABLE = 0o644
_PROGRAM = 0o755
_PRIVATE = 0o600
_PRIVATE_FOLDER = 0o700


class Configuration:
    """Writes the files that the server of this guest reads.

    :param owner: 'uid:gid' of the database's user.
    """

    def __init__(self, host_files: files.HostFiles, where: paths.Paths,
                 owner: str) -> None:
        self._files = host_files
        self._where = where
        self._owner = owner

    def write_program(self, dialect: dialects.Dialect) -> None:
        """Write the start program and its settings.

        A start that reads old and new files while they are replaced may
        fail; Docker then starts the container again.
        """
        texts = program.texts()
        parts = [files.File(self._where.start_file(name), texts[name],
                            _READABLE)
                 for name in texts if name != program.PROGRAM]
        self._files.write_all(
            *parts,
            files.File(self._where.start_file(program.SETTINGS),
                       program.settings(dialect, self._where), _READABLE),
            files.File(self._where.start_file(program.PROGRAM),
                       texts[program.PROGRAM], _PROGRAM))

    def write_membership(self, dialect: dialects.Dialect,
                         membership: Membership,
                         in_image: Collection[str] | None) -> None:
        """Write the certificate, then the section that refers to it."""
        paths = None
        certificate: list[files.File] = []
        if membership.certificate is not None:
            paths = certificates.Paths(self._where.certificate_dir)
            certificate = self._certificate(
                paths, membership.certificate,
                paired='{pair}' in dict(dialect.sst_encryption).values())
        encrypted_sst = dialect.can_encrypt(
            dialect.sst_method(membership.facts.sst_method), in_image)
        if paths is not None and not encrypted_sst:
            LOG.warning(
                'This image cannot encrypt state transfers of %s by %s. All '
                'other traffic between members is encrypted',
                dialect.name, dialect.sst_method(membership.facts.sst_method))
        self._files.write_all(*certificate, files.File(
            self._where.cluster_file,
            settings.cluster_config(
                dialect, membership.facts, membership.secrets,
                dialect.provider_paths[0], paths, encrypted_sst),
            _PRIVATE, self._owner))

    def initial_accounts(self, dialect: dialects.Dialect,
                         membership: Membership) -> files.File:
        """The statements that the bootstrapping member runs once."""
        statements = accounts.initial_statements(
            dialect, membership.secrets,
            sst_method=membership.facts.sst_method)
        return files.File(
            self._where.initial_sql_file,
            ''.join(f'{statement.reveal()};\n' for statement in statements),
            _PRIVATE, self._owner)

    def _certificate(self, paths: certificates.Paths,
                     certificate: certificates.Certificate,
                     paired: bool) -> list[files.File]:
        """The files of the certificate, whose folder is created now."""
        self._files.ensure_folders(files.Folder(
            paths.folder, _PRIVATE_FOLDER, self._owner))
        return [files.File(path, content.reveal(), _PRIVATE, self._owner)
                for path, content in paths.contents(
                    certificate, paired).items()]
