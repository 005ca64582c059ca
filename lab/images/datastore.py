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

"""Guest images: a Docker data-root with the image of a datastore version.

The command line imports ``add``. The cloud's image service reads the result
in the lab's images. It needs root and Docker's engine from Debian. It starts a
separate engine and stops it at its end.
"""

from collections.abc import Iterator
import contextlib
import dataclasses
import datetime
import json
import os
from pathlib import Path
import shutil
import subprocess
import tempfile
from typing import Any
import uuid

from lab import errors
from lab.guest import docker
from lab import home as lab_home
from lab.images import oci
from lab import process
from lab import report as lab_report
from lab import waiting

REPOSITORY = 'trove-lab'
ENGINE_TIMEOUT = 30.0
ENGINE_LOG_TAIL = 5


@dataclasses.dataclass
class GuestImage:
    """The data of a guest image for the cloud's image service."""

    id: str
    name: str
    manager: str
    version: str
    reference: str
    digest: str
    source: str
    size: int
    created: str
    tags: list[str]


def images(home: lab_home.Home) -> list[GuestImage]:
    """All guest images, the oldest first."""
    found = []
    for path in home.images.glob('*/image.json'):
        found.append(GuestImage(**json.loads(path.read_text())))
    return sorted(found, key=lambda image: image.created)


def add(home: lab_home.Home, manager: str, version: str, source: str,
        report: lab_report.Report | None = None) -> str:
    """Prepare a guest image from a database image.

    :param manager: the datastore manager, ``mariadb`` or ``pxc``
    :param version: the datastore version's name, which is the tag that
        Trove's guest uses
    :param source: an archive of ``docker save``, an OCI archive, or the name
        of an image in a registry that can be reached
    :returns: the ID of the Glance image
    :raises LabError: if the source is not an image
    """
    report = report or lab_report.Report()
    key = _source_key(source)
    reference = f'{REPOSITORY}/{manager}:{version}'
    for image in reversed(images(home)):
        if (image.reference, image.source) == (reference, key):
            return image.id
    image_id = str(uuid.uuid4())
    with report.step(f'preparing the guest image for {reference}'):
        with tempfile.TemporaryDirectory(
                dir=home.images, prefix='.build-') as scratch:
            folder = Path(scratch) / 'image'
            (folder / 'docker').mkdir(parents=True)
            with _engine(home, folder / 'docker', Path(scratch),
                         online=not _is_file(source)) as engine:
                details = _bring_in(engine, source, Path(scratch),
                                    reference)
            _write(folder, GuestImage(
                image_id, f'{REPOSITORY}-{manager}-{version}', manager,
                version, reference, str(details['Id']), key,
                int(details['Size']), _now(), ['trove', manager]))
            folder.rename(home.images / image_id)
    return image_id


def remove(home: lab_home.Home, image_id: str) -> None:
    """Remove a guest image; guests from it keep their copy."""
    shutil.rmtree(home.images / image_id)


def _bring_in(engine: docker.Engine, source: str, scratch: Path,
              reference: str) -> dict[str, Any]:
    if _is_file(source):
        archive = Path(source)
        if not oci.is_docker_archive(archive):
            archive = scratch / 'converted.tar'
            oci.convert(Path(source), archive)
        name = engine.load(archive)
    else:
        name = source
        try:
            engine.pull(source)
        except docker.DockerError as error:
            raise errors.LabError(
                f'{source} is not a file, and it cannot be pulled from its '
                f'registry: {error}. If the registry cannot be reached, '
                f'give the image as an archive: '
                f'"docker save {source} > FILE.tar"') from error
    repository, _, tag = reference.rpartition(':')
    details = engine.image(name)
    engine.tag(details['Id'], repository, tag)
    for other in details.get('RepoTags') or ():
        if other != reference:
            engine.untag(other)
    return details


@contextlib.contextmanager
def _engine(home: lab_home.Home, root: Path, scratch: Path,
            online: bool) -> Iterator[docker.Engine]:
    """Run a separate Docker engine, without containers.

    :param online: whether it has the host's network, to pull an image
    """
    run = Path(tempfile.mkdtemp(prefix='trove-lab-', dir='/run'))
    config = scratch / 'daemon.json'
    config.write_text('{}')
    log = scratch / 'dockerd.log'
    argv = ['unshare', '--mount', '--pid', '--fork', '--mount-proc',
            '--kill-child=SIGKILL', *([] if online else ['--net']),
            'dockerd', f'--config-file={config}', f'--data-root={root}',
            f'--exec-root={run}/exec', f'--pidfile={run}/pid',
            f'--host=unix://{run}/docker.sock', '--bridge=none',
            '--iptables=false', '--ip6tables=false', '--ip-forward=false',
            '--storage-driver=overlay2']
    with log.open('wb') as output:
        child = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env=process.environment(home), start_new_session=True)
    engine = docker.Engine(run / 'docker.sock')
    try:
        _wait_for(engine, child, log)
        yield engine
    finally:
        _end(child)
        shutil.rmtree(run, ignore_errors=True)


def _wait_for(engine: docker.Engine, child: 'subprocess.Popen[bytes]',
              log: Path) -> None:
    def ready() -> bool:
        if child.poll() is not None:
            tail = log.read_text(errors='replace').splitlines()
            raise errors.LabError(
                'dockerd, which prepares the guest image, failed to start: '
                + ' / '.join(tail[-ENGINE_LOG_TAIL:]))
        return engine.answers()

    waiting.until('dockerd, which prepares the guest image', ready,
                  ENGINE_TIMEOUT, 0.05)


def _end(child: 'subprocess.Popen[bytes]') -> None:
    """Stop the engine cleanly, so that its databases are closed."""
    for pid in _children(child.pid):
        process.end(pid)
    child.wait()


def _children(pid: int) -> list[int]:
    path = Path(f'/proc/{pid}/task/{pid}/children')
    try:
        return [int(child) for child in path.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _write(folder: Path, image: GuestImage) -> None:
    (folder / 'image.json').write_text(
        json.dumps(dataclasses.asdict(image), indent=2) + '\n')


def _is_file(source: str) -> bool:
    return os.path.exists(source)


def _source_key(source: str) -> str:
    """A key by which an unchanged source is recognised."""
    if not _is_file(source):
        if source.startswith(('/', './', '../')) or source.endswith('.tar'):
            raise errors.LabError(f'there is no file {source}')
        return source
    details = os.stat(source)
    return (f'{os.path.realpath(source)} {details.st_size} '
            f'{details.st_mtime_ns}')


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).strftime('%Y-%m-%dT%H:%M:%SZ')
