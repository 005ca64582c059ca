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

"""Where a lab keeps its state, and the names that it gives in the kernel.

Every module of the lab may import it. It knows paths and names only; it
starts and mounts nothing.
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
#: from trove-api's port on the machine to Keystone's
KEYSTONE_STEP = 1000
#: the subnets of each network of the cloud, each as the address that the
#: controller has in it; it is the gateway there
NETWORKS = {
    'lab-net': ('10.88.0.1/16',),
    'lab-net-ipv6': ('fd10:88::1/64',),
    'lab-net-dual': ('10.89.0.1/16', 'fd10:89::1/64'),
}
#: what guests call the controller, and the addresses that the name has
CONTROLLER_NAME = 'controller'
CONTROLLER_ADDRESSES = ('10.88.0.1', 'fd10:88::1')
BRIDGE = 'br0'
CLOUD_PORT = 9696
TROVE_PORT = 8779
KEYSTONE_PORT = 5000
PROJECT = 'demo'
MARK = 'TROVE_PXC_LAB'
LIBRARY = 'library'


class Home:
    """The folder of one lab, and everything that is named after it."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        # As the kernel names mounts and loop devices, links resolved.
        self.root = Path(os.path.realpath(root))

    @classmethod
    def from_environment(
            cls, environ: Mapping[str, str] = os.environ) -> 'Home':
        """The lab that LAB_HOME names.

        :raises LabError: it is relative to a folder that is gone
        """
        root = environ.get('LAB_HOME') or DEFAULT_ROOT
        try:
            return cls(root)
        except FileNotFoundError:
            raise errors.LabError(
                f'LAB_HOME={root} is relative to a folder that is gone: '
                f'change to one that is there') from None

    @property
    def lab_id(self) -> str:
        """Eight characters, the same for the same folder.

        Short, because a network interface's name has at most 15.
        """
        digest = hashlib.sha256(str(self.root).encode()).hexdigest()
        return f'lab{digest[:5]}'

    @property
    def controller(self) -> str:
        """The name of the controller's network namespace."""
        return f'{self.lab_id}-ctl'

    @property
    def bridge(self) -> str:
        """The bridge of all guests, inside the controller's namespace."""
        return BRIDGE

    @property
    def checkout(self) -> Path:
        """The source tree that this lab code runs from."""
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
        """What makes the next ``up`` fast; survives ``down``."""
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
        """Files that come after trove.conf: whoever uses the lab writes them.

        They survive ``down``.
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
        """What of its folder a lab has made."""
        return frozenset(path.name for path in (
            self.logs, self.run, self.cloud, self.guests, self.images,
            self.cache, self.venv, self.etc, self.own_options, self.rabbitmq,
            self.mariadb, self.keystone, self.venv_keystone,
            self.settings_file, self.secrets_file, self.lock_file,
            self.root / LIBRARY))

    @property
    def exists(self) -> bool:
        return self.settings_file.exists()

    @property
    def cloud_url(self) -> str:
        """The cloud's REST API, as seen inside the controller."""
        return f'http://127.0.0.1:{CLOUD_PORT}'

    @property
    def api_port(self) -> int:
        """The port on the machine's loopback that leads to trove-api."""
        return int(self.settings().get('api_port', DEFAULT_API_PORT))

    @property
    def api_url(self) -> str:
        return f'http://127.0.0.1:{self.api_port}/v1.0/{PROJECT}'

    @property
    def with_keystone(self) -> bool:
        """Whether Keystone says who asks; else it is believed."""
        return bool(self.settings().get('keystone', False))

    @property
    def plain(self) -> bool:
        """Whether Trove is without this project, but for who installs it."""
        return bool(self.settings().get('plain', False))

    @property
    def library(self) -> Path:
        """Where the lab's programs find the lab's own code.

        In a plain lab that is all that they find of the checkout.
        """
        return self.root / LIBRARY if self.plain else self.checkout

    @property
    def keystone_port(self) -> int:
        """The port on the machine's loopback that leads to Keystone."""
        return int(self.settings().get(
            'keystone_port', self.api_port + KEYSTONE_STEP))

    @property
    def keystone_url(self) -> str:
        """Keystone, as the machine sees it."""
        return f'http://127.0.0.1:{self.keystone_port}/v3'

    @property
    def identity_url(self) -> str:
        """Keystone, as seen inside the controller."""
        return f'http://127.0.0.1:{KEYSTONE_PORT}/v3'

    def settings(self) -> dict[str, Any]:
        return _read_json(self.settings_file)

    def set(self, **values: Any) -> None:
        """Store settings; those that are not named stay."""
        _write_json(self.settings_file, {**self.settings(), **values})

    def secret(self, name: str) -> str:
        """A random password of this lab, made when first asked for."""
        known = _read_json(self.secrets_file)
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            _write_json(self.secrets_file, known, mode=0o600)
        return str(known[name])

    def make(self) -> None:
        """Create the folders that every part may rely on."""
        for folder in (self.root, self.logs, self.run, self.cloud,
                       self.guests, self.images, self.cache, self.etc):
            folder.mkdir(parents=True, exist_ok=True)
        if self.plain:
            self._make_library()
        # The guests' volumes lie there, with whatever is on them.
        self.cloud.chmod(0o700)

    def _make_library(self) -> None:
        self.library.mkdir(exist_ok=True)
        link = self.library / 'lab'
        code = self.checkout / 'lab'
        # A program of the lab may have come by this link itself.
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
            f'{path} is not readable as JSON ({error}); remove the lab with '
            f'"lab down --purge" and start again') from error
    if not isinstance(content, dict):
        raise errors.LabError(f'{path} holds no JSON object; remove it')
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
