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

"""The Python environments: Trove with this checkout, Keystone, and Swift.

Imported by ``lab.up`` and the command line. A stamp describes the contents,
so that an environment is changed only if other contents are needed.
"""

import hashlib
import os
from pathlib import Path
import subprocess
import sys

from lab import errors
from lab import home as lab_home
from lab import report as lab_report

DEFAULT_TROVE = '26.0.0'
REQUIREMENTS = (
    'python-troveclient==8.11.0',
    'python-openstackclient',
    # For the installation of the checkout, which uses no separate build
    # environment, to avoid a second download.
    'pbr>=6.0.0',
    'setuptools>=64',
    'wheel',
)
KEYSTONE = ('keystone==30.0.0', 'gunicorn==27.0.1', 'PyMySQL>=1.1.0')
#: the wheel of PyECLib contains liberasurecode
SWIFT = ('swift==2.38.0', 'keystonemiddleware')
DISTRIBUTION = 'trove-pxc'
STAMP = 'lab-stamp'
CHECKOUT_STAMP = 'lab-checkout-stamp'


def trove_version(home: lab_home.Home) -> str:
    """The release of Trove that this lab runs."""
    return str(home.settings().get('trove_version', DEFAULT_TROVE))


def python(home: lab_home.Home) -> Path:
    return home.venv / 'bin' / 'python'


def is_ready(home: lab_home.Home) -> bool:
    """Whether the environment has the requirements of this checkout."""
    return _read(home.venv, STAMP) == _wanted(
        _requirements(home)) and (home.plain or _checkout_is_ready(home))


def is_usable(home: lab_home.Home) -> bool:
    """Whether an environment exists, of any checkout."""
    return bool(_read(home.venv, STAMP)) and python(home).exists()


def ensure(home: lab_home.Home, report: lab_report.Report) -> None:
    """Build or complete the environment."""
    if _read(home.venv, STAMP) != _wanted(_requirements(home)):
        with report.step(f'Python environment: Trove {trove_version(home)} '
                         f'and its clients'):
            _build(home, home.venv, _requirements(home))
    if home.plain:
        _take_checkout_out(home, report)
    else:
        if not _checkout_is_ready(home):
            with report.step(f'Python environment: {home.checkout}'):
                _install_checkout(home)
        _compile_checkout(home)


def keystone_is_ready(home: lab_home.Home) -> bool:
    """Whether the environment of Keystone is complete."""
    return _read(home.venv_keystone, STAMP) == _wanted(KEYSTONE)


def ensure_keystone(home: lab_home.Home, report: lab_report.Report) -> None:
    """Build the environment of Keystone, separate from that of Trove."""
    if not keystone_is_ready(home):
        with report.step('Python environment: Keystone'):
            _build(home, home.venv_keystone, KEYSTONE)


def swift_is_ready(home: lab_home.Home) -> bool:
    """Whether the environment of Swift is complete."""
    return _read(home.venv_swift, STAMP) == _wanted(SWIFT)


def ensure_swift(home: lab_home.Home, report: lab_report.Report) -> None:
    """Build the environment of Swift, separate from that of Trove."""
    if not swift_is_ready(home):
        with report.step('Python environment: Swift'):
            _build(home, home.venv_swift, SWIFT)


def _build(home: lab_home.Home, folder: Path,
           requirements: tuple[str, ...]) -> None:
    for stamp in (STAMP, CHECKOUT_STAMP):
        (folder / stamp).unlink(missing_ok=True)
    _run(home, folder, [base_python(), '-m', 'venv', '--clear', str(folder)])
    _pip(home, folder, *requirements)
    (folder / STAMP).write_text(_wanted(requirements))


def _take_checkout_out(home: lab_home.Home,
                       report: lab_report.Report) -> None:
    """Remove this project; Trove and its clients stay, as on PyPI."""
    (home.venv / CHECKOUT_STAMP).unlink(missing_ok=True)
    with report.step('Python environment: without this project'):
        _run(home, home.venv, [
            str(python(home)), '-m', 'pip', 'uninstall', '--quiet', '--yes',
            '--disable-pip-version-check', DISTRIBUTION])


def _install_checkout(home: lab_home.Home) -> None:
    if (home.checkout / 'setup.cfg').exists():
        # Also what Trove does not require, for example zstandard.
        _pip(home, home.venv, '--no-build-isolation', '--editable',
             str(home.checkout))
    (home.venv / CHECKOUT_STAMP).write_text(_checkout_wanted(home))


def _compile_checkout(home: lab_home.Home) -> None:
    """Compile this project, as pip does when it installs a package.

    Guests can only read the checkout: each start of an agent would compile
    it again.
    """
    _run(home, home.venv, [str(python(home)), '-m', 'compileall', '-q',
                           str(home.checkout / 'trove_pxc')])


def _pip(home: lab_home.Home, folder: Path, *arguments: str) -> None:
    _run(home, folder, [
        str(folder / 'bin' / 'python'), '-m', 'pip', 'install', '--quiet',
        '--disable-pip-version-check', *arguments])


def _run(home: lab_home.Home, folder: Path, argv: list[str]) -> None:
    log = home.logs / f'{folder.name}.log'
    environ = {name: value for name, value in os.environ.items()
               if name not in ('PBR_VERSION', 'PYTHONPATH')}
    with log.open('ab') as output:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=output,
                              stderr=subprocess.STDOUT, env=environ)
    if done.returncode:
        raise errors.LabError(
            f'the Python environment {folder} could not be built; see the '
            f'end of {log}. Check that PyPI can be reached and has Trove '
            f'{trove_version(home)}')


def base_python() -> str:
    """The interpreter for a new environment."""
    return getattr(sys, '_base_executable', None) or sys.executable


def _checkout_is_ready(home: lab_home.Home) -> bool:
    return _read(home.venv, CHECKOUT_STAMP) == _checkout_wanted(home)


def _requirements(home: lab_home.Home) -> tuple[str, ...]:
    return (f'trove=={trove_version(home)}', *REQUIREMENTS)


def _wanted(requirements: tuple[str, ...]) -> str:
    return _digest(sys.version, *requirements)


def _checkout_wanted(home: lab_home.Home) -> str:
    described = [home.checkout / name
                 for name in ('setup.cfg', 'requirements.txt')]
    return _digest(str(home.checkout), *(
        one.read_text() if one.exists() else '' for one in described))


def _digest(*parts: str) -> str:
    return hashlib.sha256('\0'.join(parts).encode()).hexdigest()


def _read(folder: Path, stamp: str) -> str:
    try:
        return (folder / stamp).read_text()
    except FileNotFoundError:
        return ''
