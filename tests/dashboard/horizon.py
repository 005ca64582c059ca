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
"""Horizon with trove-dashboard, from PyPI, in the lab's network.

For tests/dashboard alone. It changes the environment that runs the test, as
the documentation tells operators to change that of Horizon.
"""

import contextlib
import os
from pathlib import Path
import secrets
import shutil
import subprocess
import sys
import tempfile

import openstack_dashboard.local
import trove_dashboard

from lab import home as lab_home
from lab import netns
from lab.services import base
from lab import waiting

ADDRESS = 'http://127.0.0.1:8000'
APPLICATION = 'tests.dashboard.site:application'
PATIENCE = 120

SETTINGS = f"""\
import os
DEBUG = False
ALLOWED_HOSTS = ['127.0.0.1']
SECRET_KEY = os.environ['DASHBOARD_KEY']
OPENSTACK_KEYSTONE_URL = 'http://127.0.0.1:{lab_home.KEYSTONE_PORT}/v3'
# The addresses inside the lab, where this runs.
OPENSTACK_ENDPOINT_TYPE = 'internalURL'
COMPRESS_OFFLINE = True
STATIC_ROOT = os.environ['DASHBOARD_STATIC']
SESSION_ENGINE = 'django.contrib.sessions.backends.file'
SESSION_FILE_PATH = os.environ['DASHBOARD_SESSIONS']
CACHES = {{'default': {{
    'BACKEND': 'django.core.cache.backends.locmem.LocMemCache'}}}}
"""


def install() -> None:
    """Enable the panels; the one of clusters is disabled by default."""
    local = Path(openstack_dashboard.local.__path__[0])
    shipped = Path(trove_dashboard.__path__[0]) / 'enabled'
    for file in shipped.glob('_*.py'):
        text = file.read_text().replace('DISABLED = True',
                                        'DISABLED = False')
        (local / 'enabled' / file.name).write_text(text)
    (local / 'local_settings.py').write_text(SETTINGS)


class Horizon:
    """A running server of Horizon, until the context ends."""

    def __init__(self, home: lab_home.Home) -> None:
        self._home = home

    def __enter__(self) -> 'Horizon':
        install()
        with contextlib.ExitStack() as undo:
            folder = Path(tempfile.mkdtemp())
            undo.callback(shutil.rmtree, folder)
            environment = {
                **os.environ, 'DASHBOARD_KEY': secrets.token_urlsafe(24),
                'DASHBOARD_STATIC': str(folder / 'static'),
                'DASHBOARD_SESSIONS': str(folder),
                'DJANGO_SETTINGS_MODULE': 'openstack_dashboard.settings',
                'PYTHONWARNINGS': 'ignore', 'NO_PROXY': '127.0.0.1',
                'PYTHONPATH': str(self._home.checkout)}
            for words in (['collectstatic', '--noinput'],
                          ['compress', '--force']):
                subprocess.run([sys.executable, '-m', 'django', *words],
                               env=environment, check=True,
                               stdout=subprocess.DEVNULL)
            log = undo.enter_context(
                (self._home.logs / 'horizon.log').open('w'))
            server = subprocess.Popen(
                netns.inside(self._home.controller, [
                    sys.executable, '-m', 'gunicorn', '--bind',
                    ADDRESS.removeprefix('http://'), '--no-control-socket',
                    '--threads', '6', '--timeout', str(PATIENCE),
                    APPLICATION]),
                env=environment, stdout=log, stderr=log)
            undo.callback(server.wait, PATIENCE)
            undo.callback(server.terminate)
            waiting.until('Horizon', lambda: base.answers_http(
                self._home, f'{ADDRESS}/auth/login/'), PATIENCE, 0.5)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._undo.close()
