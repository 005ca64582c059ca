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

"""Passwords kept out of what is logged, whoever logs it.

At debug level Trove logs each statement of the guest, ``IDENTIFIED BY`` and
what follows included, the key that encrypts an instance's messages when it
is made, and at every start the value of each option that is not marked as a
secret; oslo.messaging logs whatever an RPC method raises. Imported where
Trove loads us, by the API's extension and the guest's manager;
``tests/faults`` proves on a whole lab that nothing is left.
"""

import collections
from collections.abc import Iterator
import contextlib
import json
import logging
import re
import threading
from typing import Any
from urllib import parse

from trove.common import cfg

HIDDEN = '***'
_KEY_LOGGER = 'trove.instance.models'
_OPTIONS = ('instance_rpc_encr_key', 'inst_rpc_key_encr_key',
            'taskmanager_rpc_encr_key')
_LITERAL = r"""(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")"""
_PATTERNS = (
    re.compile(rf'(IDENTIFIED\b[^\'"]*){_LITERAL}', re.IGNORECASE | re.DOTALL),
    re.compile(rf'(PASSWORD\s*[(=]\s*){_LITERAL}', re.IGNORECASE | re.DOTALL),
    re.compile(rf"""(['"]\w*password['"]\s*:\s*){_LITERAL}""",
               re.IGNORECASE | re.DOTALL),
)
_KEY = re.compile(r'(\bkey = )\S+')
#: a shorter one is part of other words, and hidden between quotes alone
_SHORTEST = 4


class _Hidden:
    """The passwords that are at work in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._texts: collections.Counter[str] = collections.Counter()

    def add(self, texts: set[str]) -> None:
        with self._lock:
            self._texts.update(texts)

    def remove(self, texts: set[str]) -> None:
        with self._lock:
            self._texts.subtract(texts)
            self._texts += collections.Counter()

    def mask(self, text: str) -> str:
        if not self._texts:
            return text
        with self._lock:
            known = sorted(self._texts, key=len, reverse=True)
        for one in known:
            text = text.replace(one, HIDDEN)
        return text


_hidden = _Hidden()


class MaskedRecord(logging.LogRecord):
    """A record whose text and traceback are masked when they are made."""

    def getMessage(self) -> str:
        text = masked(super().getMessage())
        if self.name == _KEY_LOGGER:
            text = _KEY.sub(rf'\g<1>{HIDDEN}', text)
        return text

    # Formatters keep there what they made of exc_info.
    @property
    def exc_text(self) -> str | None:
        return self._exc_text

    @exc_text.setter
    def exc_text(self, text: str | None) -> None:
        self._exc_text = masked(text) if text else text


def masked(text: str) -> str:
    """The text with ``***`` for what a statement or a password gives away."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf'\g<1>{HIDDEN}', text)
    return _hidden.mask(text)


@contextlib.contextmanager
def hiding(*passwords: Any) -> Iterator[None]:
    """Mask these very texts, however they are quoted, for so long.

    :param passwords: those that are no texts are left out.
    """
    texts = {form for password in passwords
             if isinstance(password, str) and password
             for form in _forms(password)}
    _hidden.add(texts)
    try:
        yield
    finally:
        _hidden.remove(texts)


def passwords_in(body: Any) -> Iterator[str]:
    """All that a request's body, or an RPC's argument, calls a password."""
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            for key, value in one.items():
                if isinstance(value, str) and str(key).endswith('password'):
                    yield value
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one


def install() -> None:
    """Mask from now on; it does no harm to do it again."""
    logging.setLogRecordFactory(MaskedRecord)
    for option in cfg.common_opts:
        if option.name in _OPTIONS:
            option.secret = True


def _forms(password: str) -> set[str]:
    """As it is, and as Python, JSON, SQL and a URL quote it."""
    backslashes = password.replace('\\', '\\\\')
    forms = {
        password, repr(password)[1:-1], ascii(password)[1:-1],
        json.dumps(password)[1:-1],
        json.dumps(password, ensure_ascii=False)[1:-1],
        password.replace("'", "''"), backslashes.replace("'", "''"),
        backslashes.replace("'", "\\'").replace('"', '\\"'),
        parse.quote(password, errors='replace'),
        parse.quote_plus(password, errors='replace')}
    forms |= {repr(form)[1:-1] for form in forms}
    if len(password) >= _SHORTEST:
        return forms
    return {f'{quote}{form}{quote}' for form in forms for quote in '\'"'}
