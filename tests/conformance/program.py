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

"""The conformance kit: its arguments, its lab, its report.

Standard library and the lab's modules only, until it continues in the lab's
own Python, which has the database's client.
"""

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import shlex
import subprocess
import sys

from lab import errors
from lab import home as lab_home
from lab import report as lab_report
from lab import venv
from trove_pxc.galera import dialect as dialects
from trove_pxc.galera import errors as galera_errors

NAME = 'conformance'
TOP = Path(__file__).resolve().parents[2]
PROGRAM = TOP / 'lab' / 'lab'
HOME = '/var/lib/trove-pxc-lab-conformance'
PORT = '8788'
FAILED, REFUSED, INTERRUPTED = 1, 2, 130
ENTERED = 'TROVE_PXC_CONFORMANCE_ENTERED'
DESCRIPTION = """\
Checks a database image with this plugin: it creates a cluster of three from
it through Trove, in a lab on this machine, and runs the operations of users
and operators and causes failures. After each check it inspects the databases
themselves: all members must be Synced, in one history and encrypted, and have
every row whose commit was acknowledged.

The checks: create of three; the image's programs; encryption on the network;
each SST method of the version (and its default); IST; kill -9 of one server
and of all; reboot and loss of power of all guests; rotation of certificates;
grow; shrink; databases; users; delete. If a check fails, the run continues.
If the image lacks the programs for a check, the report says so; this is no
failure.

The kit needs root on Debian 12 with 2 cores, 8 GiB of memory and 15 GB of
disk, like the lab, and nothing else: no Trove, no Docker, no other database.
It takes about a quarter of an hour on an idle machine, and some minutes more
the first time.
"""
EPILOG = """\
Progress is printed to standard error. At the end the report is printed to
standard output and written to the file of --output: versions, and a table
with each check, its result, its seconds and a remark. It contains no
password, so you can paste it into a bug report. If a check fails, the logs of
the servers at that time are in LAB_HOME/logs/conformance.

The exit code is 0 if no check failed, 1 if a check failed, 2 if the run could
not start.

The kit uses a separate lab, in LAB_HOME (default {home})
and with LAB_API_PORT (default {port}). The lab is taken down at the end.

examples:
  an image of a registry that this machine can reach:
    tests/conformance/run percona/percona-xtradb-cluster:8.4 \\
        --manager pxc --version 8.4
  the same from a file, without a registry:
    docker save percona/percona-xtradb-cluster:8.4 -o pxc.tar
    tests/conformance/run pxc.tar --manager pxc --version 8.4
  an image that the lab builds itself:
    ./lab/lab image build --suite trixie --output mariadb.tar
    tests/conformance/run mariadb.tar --manager mariadb --version 11.8
"""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Keeps the line ends of the texts, and room for an option's name."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=24)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f'tests/{NAME}/run', description=DESCRIPTION,
        epilog=EPILOG.format(home=HOME, port=PORT),
        formatter_class=Formatter)
    made.add_argument(
        'image', metavar='IMAGE|ARCHIVE',
        help='the name of an image in a registry, or an archive as "docker '
             'save" writes it')
    made.add_argument('--manager', required=True,
                      choices=('mariadb', 'pxc'),
                      help='the guest manager of the image')
    made.add_argument('--version', required=True, metavar='X.Y',
                      help='the series of its server, such as 8.4')
    made.add_argument('--output', type=Path, metavar='FILE',
                      help='file for the report; default: '
                           f'{NAME}-MANAGER-VERSION.txt')
    made.add_argument('--only', action='append', default=[], metavar='WORD',
                      help='run only the checks whose name contains this '
                           'word, and the create; may be given again')
    made.add_argument('--patience', type=float, default=600, metavar='S',
                      help='seconds that each step may take; default: '
                           '%(default)g')
    made.add_argument('--keep', action='store_true',
                      help='keep the lab and the cluster at the end')
    return made


def main(arguments: Sequence[str]) -> int:
    """Run all of it; return the exit code."""
    options = parser().parse_args(arguments)
    if options.output is None:
        options.output = Path(
            f'{NAME}-{options.manager}-{options.version}.txt')
    try:
        refusal = refused(options)
        if refusal:
            print(f'{NAME}: {refusal}', file=sys.stderr)
            return REFUSED
        return _begin(options, arguments)
    except errors.LabError as error:
        print(f'{NAME}: {error}', file=sys.stderr)
        return REFUSED
    except subprocess.CalledProcessError:
        # It has printed the reason.
        return REFUSED
    except KeyboardInterrupt:
        print(f'{NAME}: interrupted; "LAB_HOME={os.environ["LAB_HOME"]} '
              f'lab/lab down" clears up', file=sys.stderr)
        return INTERRUPTED


def refused(options: argparse.Namespace) -> str:
    """Why the run cannot start; '' if it can."""
    try:
        dialects.for_version(options.manager, options.version)
    except galera_errors.UnsupportedVersion as error:
        return str(error)
    folder = options.output.absolute().parent
    if options.output.is_dir() or not os.access(folder, os.W_OK):
        return f'--output {options.output} cannot be written; name another'
    if os.geteuid() != 0:
        return 'only root can make the lab: run it as root'
    return ''


def _begin(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    os.environ.setdefault('LAB_HOME', HOME)
    os.environ.setdefault('LAB_API_PORT', PORT)
    home = lab_home.Home.from_environment()
    if os.environ.get(ENTERED) != str(home.root):
        _lab('up')
        _enter(home, arguments)
    del os.environ[ENTERED]
    try:
        return _run(home, options)
    finally:
        if not options.keep:
            _lab('down')


def _enter(home: lab_home.Home, arguments: Sequence[str]) -> None:
    """Continue in the lab's Python."""
    python = str(venv.python(home))
    os.environ[ENTERED] = str(home.root)
    os.execv(python, [python, str(TOP / 'tests' / NAME / 'run'), *arguments])


def _lab(*words: str) -> None:
    subprocess.run([str(PROGRAM), *words], check=True, stdout=sys.stderr)


def _run(home: lab_home.Home, options: argparse.Namespace) -> int:
    # Only the lab's Python has what these modules import.
    from tests.conformance import check
    from tests.conformance import subject as subjects
    from tests.conformance import suite
    from tests.conformance import table
    from tests.conformance import versions

    report = lab_report.Report()
    datastore = f'{NAME}-{options.manager}'
    _lab('datastore', 'add', '--manager', options.manager, '--datastore',
         datastore, '--version', options.version, '--image', options.image)
    subject = subjects.Subject(home, options.manager, options.version,
                               datastore, options.patience)
    known = versions.of_run(home, options.image, _command(options))
    checks = [one for one in suite.checks(subject)
              if wanted(options, one.name)]
    seen: dict[str, str] = {}

    def look(one: check.Check) -> check.Check:
        """Read the versions while there is a cluster."""
        def run() -> str:
            try:
                return one.run()
            finally:
                seen.update(versions.of_subject(subject) or {})
        return check.Check(one.name, run, one.own)

    results = check.run(
        [look(checks[0]), *checks[1:]], subject.prepare,
        lambda one: subject.keep_logs(
            home.logs / NAME / one.name.replace(' ', '-')), report,
        subjects.EXPECTED)
    text = table.report({**known, **seen}, results)
    options.output.write_text(text)
    print(text, end='')
    report.say(f'the report is in {options.output}')
    return 0 if all(result.outcome.good for result in results) else FAILED


def wanted(options: argparse.Namespace, name: str) -> bool:
    """Whether --only selects a check."""
    return not options.only or name.startswith('create') or any(
        word in name for word in options.only)


def _command(options: argparse.Namespace) -> str:
    only = [word for each in options.only for word in ('--only', each)]
    return shlex.join([
        f'tests/{NAME}/run', options.image, '--manager', options.manager,
        '--version', options.version, *only])
