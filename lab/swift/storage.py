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

"""The account, container and object server of Swift in one process.

Only ``lab.services.swift`` runs it, in Swift's Python environment. Swift
starts a process for each server; one process for all saves 80 MB.
"""

import sys
from typing import Any
import warnings

import eventlet
from eventlet import wsgi
from swift.common import http_protocol
from swift.common import utils
from swift.common import wsgi as swift_wsgi


def main(folder: str, kinds: list[str]) -> None:
    """Run the servers.

    :param folder: of the files KIND-server.conf
    """
    utils.monkey_patch()
    warnings.filterwarnings(
        'ignore', message='capitalize_response_headers is disabled')
    threads = [_started(f'{folder}/{kind}-server.conf', f'{kind}-server')
               for kind in kinds]
    for thread in threads:
        thread.wait()


def _started(configuration: str, name: str) -> Any:
    application, conf, _logger, _ = swift_wsgi.init_request_processor(
        configuration, name, verbose=True)
    utils.FALLOCATE_RESERVE, utils.FALLOCATE_IS_PERCENT = (
        utils.config_fallocate_value(conf['fallocate_reserve']))
    return eventlet.spawn(
        wsgi.server, swift_wsgi.get_socket(conf), application,
        utils.NullLogger(), protocol=http_protocol.SwiftHttpProtocol,
        capitalize_response_headers=False)


if __name__ == '__main__':
    main(sys.argv[1], sys.argv[2:])
