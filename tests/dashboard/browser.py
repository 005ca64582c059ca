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
"""A headless Chromium in the lab's network, driven by its own protocol.

For tests/dashboard alone.
"""

import base64
import contextlib
import json
from pathlib import Path
import subprocess
import tempfile
from typing import Any

import websocket

from lab import netns
from lab import waiting
from lab import web

PORT = 9222
PATIENCE = 60


class Browser:
    """One window, with a temporary profile."""

    def __init__(self, namespace: str, address: str) -> None:
        self._namespace = namespace
        self._address = address
        self._number = 0

    def __enter__(self) -> 'Browser':
        with contextlib.ExitStack() as undo:
            profile = undo.enter_context(tempfile.TemporaryDirectory(
                ignore_cleanup_errors=True))
            process = subprocess.Popen(netns.inside(self._namespace, [
                'chromium', '--headless=new', '--no-sandbox',
                '--disable-gpu', '--no-proxy-server', '--hide-scrollbars',
                '--window-size=1280,700', f'--user-data-dir={profile}',
                f'--remote-debugging-port={PORT}',
                '--remote-allow-origins=*', 'about:blank']),
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            undo.callback(process.wait, PATIENCE)
            undo.callback(process.terminate)
            with netns.entered(netns.path(self._namespace)):
                self._socket = websocket.create_connection(
                    waiting.until('the browser', _window, PATIENCE),
                    timeout=2 * PATIENCE)
            undo.callback(self._socket.close)
            self._undo = undo.pop_all()
        self._call('Page.enable')
        return self

    def __exit__(self, *error: Any) -> None:
        self._undo.close()

    def go(self, path: str) -> None:
        self.run(f'location.href = {json.dumps(self._address + path)}')
        self.loaded()

    def run(self, code: str) -> Any:
        """The value of an expression in the page."""
        answer = self._call('Runtime.evaluate', expression=code,
                            returnByValue=True)
        if 'exceptionDetails' in answer:
            raise AssertionError(f'{code}: {answer["exceptionDetails"]}')
        return answer['result'].get('value')

    def post(self, path: str, **fields: str) -> None:
        """Send a form as the page's own would, and read the answer."""
        self.run(f"""(() => {{
            const form = document.createElement('form');
            form.method = 'post';
            form.action = {json.dumps(path)};
            const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
            const fields = {json.dumps(fields)};
            fields.csrfmiddlewaretoken = token;
            for (const name in fields) {{
                const field = document.createElement('input');
                field.name = name;
                field.value = fields[name];
                form.appendChild(field);
            }}
            document.body.appendChild(form);
            form.submit();
        }})()""")
        self.loaded()

    def loaded(self) -> None:
        """Wait for the page that the last step has requested."""
        waiting.pause(0.5)

        def complete() -> bool:
            try:
                return bool(self.run("document.readyState == 'complete'"))
            except (AssertionError, KeyError) as error:
                raise waiting.NotYet(str(error)) from error
        waiting.until('the page', complete, PATIENCE)

    def text(self, selector: str) -> str:
        """The text of all matching elements, hidden or not."""
        return str(self.run(
            f'[...document.querySelectorAll({json.dumps(selector)})].map('
            "one => one.textContent.replace(/\\s+/g, ' ').trim())"
            ".join(' | ')"))

    def shoot(self, file: Path) -> None:
        shot = self._call('Page.captureScreenshot', format='png')
        file.write_bytes(base64.b64decode(shot['data']))

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        self._socket.send(json.dumps({
            'id': self._number, 'method': method, 'params': parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get('id') == self._number:
                return dict(answer['result'])


def _window() -> str:
    """The URL of the protocol of the window."""
    try:
        answer = web.ask(web.request('GET', f'http://127.0.0.1:{PORT}/json'))
    except OSError as error:
        raise waiting.NotYet(str(error)) from error
    found = [one for one in answer.body if one['type'] == 'page']
    return str(found[0]['webSocketDebuggerUrl']) if found else ''
