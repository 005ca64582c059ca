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

"""The paths of a lab's state, and the names that it uses in the kernel.

Every module of the lab may import it. It starts and mounts nothing.
"""

from collections.abc import Mapping
import hashlib
import json
import os
from pathlib import Path
import secrets
from typing import Any

from lab import errors

DEFAULT_ROOT = '/var/lib/trove-pxc-lab'
DEFAULT_API_PORT = 8779
#: added to the port of trove-api, it is the port of Keystone
KEYSTONE_STEP = 1000
#: the subnets of each network of the cloud, each as the address of the
#: controller, which is the gateway
NETWORKS = {
    'lab-net': ('10.88.0.1/16',),
    'lab-net-ipv6': ('fd10:88::1/64',),
    'lab-net-dual': ('10.89.0.1/16', 'fd10:89::1/64'),
}
#: the host name of the controller in guests, and its addresses
CONTROLLER_NAME = 'controller'
CONTROLLER_ADDRESSES = ('10.88.0.1', 'fd10:88::1')
BRIDGE = 'br0'
CLOUD_PORT = 9696
TROVE_PORT = 8779
KEYSTONE_PORT = 5000
SWIFT_PORT = 8080
#: of the names of accounts in Swift
SWIFT_PREFIX = 'AUTH_'
PROJECT = 'demo'
MARK = 'TROVE_PXC_LAB'
LIBRARY = 'library'


class Home:
    """The folder of one lab, and all names that derive from it."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        # Links are resolved, as in the kernel's lists of mounts.
        self.root = Path(os.path.realpath(root))

    @classmethod
    def from_environment(
            cls, environ: Mapping[str, str] = os.environ) -> 'Home':
        """The lab of the variable LAB_HOME.

        :raises LabError: it is relative to a folder that was removed
        """
        root = environ.get('LAB_HOME') or DEFAULT_ROOT
        try:
            return cls(root)
        except FileNotFoundError:
            raise errors.LabError(
                f'LAB_HOME={root} is relative to a folder that does not '
                f'exist any more: change to another folder') from None

    @property
    def lab_id(self) -> str:
        """Eight characters, derived from the folder.

        Short, because the name of a network interface has at most 15.
        """
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()
        return f'lab{digest[:5]}'

    @property
    def controller(self) -> str:
        """The name of the controller's network namespace."""
        return f'{self.lab_id}-ctl'

    @property
    def bridge(self) -> str:
        """The bridge of all guests, in the controller's namespace."""
        return BRIDGE

    @property
    def checkout(self) -> Path:
        """The source tree of this code."""
        return Path(__file__).resolve().parent.parent

    @property
    def logs(self) -> Path:
        return self.root / 'logs'

    @property
    def run(self) -> Path:
        """Pid files and sockets."""
        return self.root / 'run'

    @property
    def cloud(self) -> Path:
        return self.root / 'cloud'

    @property
    def guests(self) -> Path:
        return self.root / 'guests'

    @property
    def images(self) -> Path:
        return self.root / 'images'

    @property
    def cache(self) -> Path:
        """Files for a fast next ``up``; ``down`` keeps them."""
        return self.root / 'cache'

    @property
    def venv(self) -> Path:
        return self.root / 'venv'

    @property
    def etc(self) -> Path:
        """The configuration of Trove's services."""
        return self.root / 'etc'

    @property
    def own_options(self) -> Path:
        """Option files of the user, which override trove.conf.

        ``down`` keeps them.
        """
        return self.root / 'trove.conf.d'

    @property
    def rabbitmq(self) -> Path:
        return self.root / 'rabbitmq'

    @property
    def mariadb(self) -> Path:
        return self.root / 'mariadb'

    @property
    def keystone(self) -> Path:
        """Its configuration and keys, and the users' logins."""
        return self.root / 'keystone'

    @property
    def venv_keystone(self) -> Path:
        return self.root / 'venv-keystone'

    @property
    def swift(self) -> Path:
        """Its configuration, rings and disks, with all objects."""
        return self.root / 'swift'

    @property
    def venv_swift(self) -> Path:
        return self.root / 'venv-swift'

    @property
    def lock_file(self) -> Path:
        return self.root / 'lock'

    @property
    def settings_file(self) -> Path:
        return self.root / 'settings.json'

    @property
    def secrets_file(self) -> Path:
        return self.root / 'secrets.json'

    @property
    def names(self) -> frozenset[str]:
        """The names in its folder that a lab creates."""
        return frozenset(path.name for path in (
            self.logs, self.run, self.cloud, self.guests, self.images,
            self.cache, self.venv, self.etc, self.own_options, self.rabbitmq,
            self.mariadb, self.keystone, self.venv_keystone, self.swift,
            self.venv_swift, self.settings_file, self.secrets_file,
            self.lock_file, self.root / LIBRARY))

    @property
    def exists(self) -> bool:
        return self.settings_file.exists()

    @property
    def cloud_url(self) -> str:
        """The cloud's REST API, for programs on the controller."""
        return f'http://127.0.0.1:{CLOUD_PORT}'

    @property
    def api_port(self) -> int:
        """The port on the machine's loopback for trove-api."""
        return int(self.settings().get('api_port', DEFAULT_API_PORT))

    @property
    def api_url(self) -> str:
        return f'http://127.0.0.1:{self.api_port}/v1.0/{PROJECT}'

    @property
    def with_keystone(self) -> bool:
        """Whether Keystone authenticates requests; else all are accepted."""
        return bool(self.settings().get('keystone', False))

    @property
    def plain(self) -> bool:
        """Whether Trove is installed without this project."""
        return bool(self.settings().get('plain', False))

    @property
    def library(self) -> Path:
        """The folder from which the lab's programs import the lab's code.

        In a plain lab it contains nothing else of the checkout.
        """
        return self.root / LIBRARY if self.plain else self.checkout

    @property
    def keystone_port(self) -> int:
        """The port on the machine's loopback for Keystone."""
        return int(self.settings().get(
            'keystone_port', self.api_port + KEYSTONE_STEP))

    @property
    def keystone_url(self) -> str:
        """The URL of Keystone on the machine."""
        return f'http://127.0.0.1:{self.keystone_port}/v3'

    @property
    def identity_url(self) -> str:
        """The URL of Keystone on the controller."""
        return f'http://127.0.0.1:{KEYSTONE_PORT}/v3'

    @property
    def swift_url(self) -> str:
        """The URL of Swift, to which a project's ID is appended.

        It is for the controller, and for guests with an IPv4 address.
        """
        return f'{self._swift}/v1/{SWIFT_PREFIX}'

    @property
    def swift_login_url(self) -> str:
        """Where Swift gives tokens in a lab without Keystone."""
        return f'{self._swift}/auth/v1.0'

    @property
    def _swift(self) -> str:
        return f'http://{CONTROLLER_ADDRESSES[0]}:{SWIFT_PORT}'

    def settings(self) -> dict[str, Any]:
        return _read_json(self.settings_file)

    def set(self, **values: Any) -> None:
        """Store settings; the others are not changed."""
        _write_json(self.settings_file, {**self.settings(), **values})

    def secret(self, name: str) -> str:
        """A random password of this lab, created at the first call."""
        known = _read_json(self.secrets_file)
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            _write_json(self.secrets_file, known, mode=0o600)
        return str(known[name])

    def make(self) -> None:
        """Create the folders that all parts of the lab need."""
        for folder in (self.root, self.logs, self.run, self.cloud,
                       self.guests, self.images, self.cache, self.etc):
            folder.mkdir(parents=True, exist_ok=True)
        if self.plain:
            self._make_library()
        # It contains the guests' volumes with their data.
        self.cloud.chmod(0o700)

    def _make_library(self) -> None:
        self.library.mkdir(exist_ok=True)
        link = self.library / 'lab'
        code = self.checkout / 'lab'
        # A running program of the lab may use this link.
        if not link.is_symlink() or link.readlink() != code:
            link.unlink(missing_ok=True)
            link.symlink_to(code)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise errors.LabError(
            f'{path} is not valid JSON ({error}); remove the lab with '
            f'"lab down --purge" and start again') from error
    if not isinstance(content, dict):
        raise errors.LabError(f'{path} contains no JSON object; remove it')
    return content


def _write_json(path: Path, content: Mapping[str, Any],
                mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix('.new')
    descriptor = os.open(
        fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, 'w') as file:
        json.dump(content, file, indent=2, sort_keys=True)
        file.write('\n')
    fresh.replace(path)
