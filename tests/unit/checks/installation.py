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

"""Shared by the tests of the checks: an installation in a directory."""

from collections.abc import Iterable
import pathlib
from typing import Any

import fixtures
from oslo_config import cfg
import testtools
from trove.common import cfg as trove_cfg

from trove_pxc.checks import check
from trove_pxc.checks import site
from trove_pxc import conf

#: a trove.conf with clusters of MariaDB
MARIADB = ('[mariadb]\n'
           'api_strategy = trove_pxc.api.strategy.GaleraAPIStrategy\n')
#: a trove.conf with clusters of both datastores
BOTH = ('[mariadb]\nroot_controller = trove_pxc.x\n'
        '[pxc]\ntaskmanager_strategy = trove_pxc.x\n')


def version(**changes: Any) -> site.Version:
    """Return a version with correct values."""
    return site.Version(**{
        'id': 'an-id', 'datastore': 'mariadb', 'name': '10.11',
        'number': '10.11', 'manager': 'mariadb', 'active': True,
        'image_id': 'image-1', 'image_tags': None,
        'registry_ext': 'trove_pxc.guestagent.manager.MariaDBManager',
        'repl_strategy': 'trove.guestagent.strategies.replication.'
                         'mariadb_gtid.MariaDBGTIDReplication', **changes})


class InstallationTestCase(testtools.TestCase):
    """A trove.conf, and the file that Trove copies to the guests."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = pathlib.Path(
            self.useFixture(fixtures.TempDir()).path)
        self.guest_file = self.folder / 'guest.conf'

    def options(self, text: str, folder: str | None = None
                ) -> cfg.ConfigOpts:
        """Parse Trove's configuration from a file with this text."""
        options = cfg.ConfigOpts()
        options.register_opts(trove_cfg.common_opts)
        options.register_opts(trove_cfg.service_credentials_opts,
                              trove_cfg.service_credentials_group)
        for manager in ('mysql', *conf.MANAGERS):
            options.register_opts(site.trove_options(manager),
                                  group=manager)
        file = self.folder / 'trove.conf'
        file.write_text(
            f'[DEFAULT]\nguest_config = {self.guest_file}\n{text}')
        options([], project='trove', default_config_files=[str(file)],
                default_config_dirs=[folder] if folder else [])
        return options

    def site(self, text: str = '', guest: str = '',
             versions: Iterable[site.Version] = ()) -> site.Site:
        """Return an installation with these files and rows of versions."""
        self.guest_file.write_text(f'[DEFAULT]\n{guest}')
        found = site.Site(self.options(text))
        found.versions = list(versions)
        return found

    @staticmethod
    def texts(findings: Iterable[check.Finding]) -> list[str]:
        """Return kind and text of each finding: "fatal: It is wrong."."""
        return [f'{_kind(finding)}: {finding.text}' for finding in findings]


def _kind(finding: check.Finding) -> str:
    if isinstance(finding, check.NotChecked):
        return 'not checked'
    return 'fatal' if finding.fatal else 'doubt'
