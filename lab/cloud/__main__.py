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

"""The cloud's daemon: ``python -m lab.cloud --home LAB_HOME ...``.

It runs in the controller's network namespace, and otherwise on the host,
because it creates namespaces and loop devices. SIGTERM ends it; the guests
continue to run.
"""

import argparse
import logging
import signal
import sys
from typing import Any

from werkzeug import serving

from lab.cloud import app
from lab import home as lab_home


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr,
        format='%(asctime)s %(levelname)s %(name)s: %(message)s')
    logging.getLogger('werkzeug').setLevel(logging.WARNING)
    home = lab_home.Home(arguments.home)
    home.make()
    signal.signal(signal.SIGTERM, _stop)
    server = serving.make_server(
        arguments.listen, arguments.port, _application(home),
        threaded=True)
    logging.info('the cloud of %s answers at %s:%d', home.root,
                 arguments.listen, arguments.port)
    server.serve_forever()
    return 0


def _application(home: lab_home.Home) -> Any:
    application = app.Application(home)
    if not home.with_keystone:
        return application
    # Its libraries take a second to import.
    from lab.cloud import door
    return door.guarded(home, application)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m lab.cloud',
        description='The one-machine cloud of the lab.')
    parser.add_argument('--home', required=True, help='the lab\'s folder')
    parser.add_argument('--listen', default='127.0.0.1',
                        help='the address to listen at (%(default)s)')
    parser.add_argument('--port', type=int, default=lab_home.CLOUD_PORT,
                        help='the port to listen at (%(default)s)')
    return parser


def _stop(number: int, frame: object) -> None:
    sys.exit(0)


if __name__ == '__main__':
    sys.exit(main())
