# Licensed under the Apache License, Version 2.0 (the "License"); you may
# not use this file except in compliance with the License. You may obtain
# a copy of the License at
#
#      http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
# WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
# License for the specific language governing permissions and limitations
# under the License.

import configparser
import os
import pathlib
import subprocess

import setuptools

TOP = pathlib.Path(__file__).resolve().parent


def name_the_version_without_history() -> None:
    """Give pbr setup.cfg's version where no git history can be read.

    pbr counts the commits since the last tag. An archive of the tree has
    none, a shallow clone has some of them, and git refuses to read a checkout
    that belongs to another user.
    """
    if (TOP / 'PKG-INFO').exists() or knows_its_version():
        return
    settings = configparser.ConfigParser()
    settings.read(TOP / 'setup.cfg')
    os.environ.setdefault('PBR_VERSION', settings['metadata']['version'])


def knows_its_version() -> bool:
    """Whether git has a tag of this very tree, or commits to count."""
    try:
        if pathlib.Path(git('rev-parse', '--show-toplevel')) != TOP:
            # An archive, unpacked somewhere in another project.
            return False
        if (git('rev-parse', '--is-shallow-repository') == 'false'
                and git('rev-list', '--count', 'HEAD') != '1'):
            return True
        return bool(git('describe', '--exact-match', '--match', '[0-9]*'))
    except (OSError, subprocess.CalledProcessError):
        return False


def git(*words: str) -> str:
    return subprocess.run(['git', *words], cwd=TOP, check=True, text=True,
                          capture_output=True).stdout.strip()


name_the_version_without_history()
setuptools.setup(
    setup_requires=['pbr>=6.1.1'],
    package_data={'trove_pxc': ['py.typed', 'guestagent/start/*.sh']},
    pbr=True)
