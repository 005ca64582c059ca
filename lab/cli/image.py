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
"""lab image: database images that are built on this machine.

Imported by ``lab.cli.main``.
"""

import argparse
from pathlib import Path
import shutil

from lab.cli import command
from lab import errors
from lab import home as lab_home
from lab.images import archive
from lab.images import build
from lab import lock
from lab import packages
from lab import report as lab_report
from lab import venv

GROUP = 'Builds database images from the packages of Debian.'
BUILD = """\
Builds a database image with MariaDB and Galera from the packages of a release
of Debian, and writes it as an archive in the format of "docker save". It takes
about a minute. It needs a Debian mirror (LAB_DEBIAN_MIRROR sets another one),
but no registry and no running lab. The result is cached. For example:

  lab image build --suite trixie --output mariadb-11.8.tar
  lab datastore add --manager mariadb --datastore mariadb --version 11.8 \\
      --image mariadb-11.8.tar
"""


def register(commands: command.Commands) -> None:
    group = command.add_group(
        commands, 'image', 'build a database image', GROUP)
    parser = command.add(
        group, 'build', "build one from Debian's packages", BUILD, _build)
    parser.add_argument(
        '--suite', choices=sorted(build.SUITES), default=build.SUITE,
        help='the release of Debian: ' + ', '.join(
            f'{suite} has MariaDB {version}'
            for suite, version in build.SUITES.items())
        + '; default: %(default)s')
    parser.add_argument('--output', required=True, metavar='FILE.tar',
                        type=Path, help='the file of the archive')


def _build(home: lab_home.Home, options: argparse.Namespace) -> int:
    output: Path = options.output
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise errors.LabError(
            f'--output {output} cannot be written: name a file in a folder '
            f'that exists')
    report = lab_report.Report()
    home.make()
    with lock.held(home):
        packages.install(home, report, venv.base_python())
        made = build.ensure_database_image(home, report, options.suite)
        fresh = output.with_name(f'{output.name}.new')
        shutil.copyfile(made, fresh)
        fresh.replace(output)
    print(f'{output}: {archive.tag(output)}')
    return 0
