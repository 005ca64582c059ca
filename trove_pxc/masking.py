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

"""Masks passwords and keys in the logs of a process.

At debug level, Trove logs each statement of the guest, including ``IDENTIFIED
BY`` and the password, the key that encrypts the messages of a new instance,
and at every start the value of each option that is not marked as secret.
oslo.messaging logs exceptions of RPC methods, and Python prints those that end
a thread. Installed by the classes that Trove loads: the API extension, and the
managers of the taskmanager and of the guest. ``tests/faults`` checks the logs
of a whole lab.
"""

import collections
from collections.abc import Iterator
import contextlib
import functools
import json
import logging
import re
import threading
from typing import Any
from urllib import parse

from trove_pxc.compat import secret_options

LOG = logging.getLogger(__name__)

HIDDEN = '***'
_KEY_LOGGER = 'trove.instance.models'
_OPTIONS = ('instance_rpc_encr_key', 'inst_rpc_key_encr_key',
            'taskmanager_rpc_encr_key')
# A literal without an end is masked as well, because a line may be cut off.
# So the start of a literal always matches, and the time is linear in the
# length of the text.
_LITERAL = (r"""(?:'(?:[^'\\]++|\\.|'')*+'?|"(?:[^"\\]++|\\.|"")*+"?)""")
_ANYHOW = re.IGNORECASE | re.DOTALL
_PATTERNS = (
    re.compile(rf'(IDENTIFIED\b[^\'"]{{0,200}}){_LITERAL}', _ANYHOW),
    re.compile(rf'(PASSWORD\s*[(=]\s*){_LITERAL}', _ANYHOW),
    re.compile(rf"""(['"]\w*password['"]\s*:\s*){_LITERAL}""", _ANYHOW),
    # Trove logs requests with their headers.
    re.compile(r'(X-\w+-Token\s*:\s*)\S+', _ANYHOW),
)
_KEY = re.compile(r'(\bkey = )\S+')
#: runs of backslashes and of quotes, and other characters
_PIECES = re.compile(r"""\\+|'+|"+|[^\\'"]""", re.DOTALL)
_QUOTES = '\'"'
#: a shorter password may be part of words; it is masked only in quotes
_SHORTEST = 4
#: of a longer password, which no server accepts, only the usual quotings
#: are masked
_LONGEST = 1000
#: characters that are never quoted
_PLAIN = re.compile('[A-Za-z0-9]+')


class _Password:
    """A password to mask, and how it is found in a text.

    Most texts do not contain it. Its longest part that is never quoted shows
    this quickly. The pattern is only compiled when it is needed.
    """

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self._text = text
        self._core = max(_PLAIN.findall(text), key=len, default='')

    def mask(self, text: str) -> str:
        if self._core not in text:
            return text
        return self._pattern.sub(HIDDEN, text)

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(_forms(self._text))


class _Hidden:
    """The passwords that this process masks now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: collections.Counter[str] = collections.Counter()
        self._sorted: tuple[_Password, ...] = ()

    def add(self, passwords: set[str]) -> None:
        with self._lock:
            self._uses.update(passwords)
            self._sort()

    def remove(self, passwords: set[str]) -> None:
        with self._lock:
            self._uses.subtract(passwords)
            self._uses = +self._uses
            self._sort()

    def _sort(self) -> None:
        """Sort the longest first, because another may be a part of it."""
        self._sorted = tuple(sorted(
            map(_Password, self._uses), key=lambda one: one.length,
            reverse=True))

    def mask(self, text: str) -> str:
        for password in self._sorted:
            text = password.mask(text)
        return text


_hidden = _Hidden()


class MaskedRecord(logging.LogRecord):
    """A log record without the passwords that are masked now."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.args:
            self.args = _masked_value(self.args)
        if self.exc_info and self.exc_info[1] is not None:
            failure = masked_error(self.exc_info[1])
            self.exc_info = (type(failure), failure, self.exc_info[2])

    def getMessage(self) -> str:
        text = masked(super().getMessage())
        if self.name == _KEY_LOGGER:
            text = _KEY.sub(rf'\g<1>{HIDDEN}', text)
        return text


def masked(text: str) -> str:
    """Replace passwords, and literals in statements, by ``***``."""
    text = _hidden.mask(text)
    for pattern in _PATTERNS:
        text = pattern.sub(rf'\g<1>{HIDDEN}', text)
    return text


def masked_error(failure: BaseException) -> BaseException:
    """Return the error, or one with the same name and a masked text.

    The latter if the error or one of its causes contains a password. It has no
    causes.
    """
    if all(masked(str(one)) == str(one) for one in _with_causes(failure)):
        return failure
    kind = type(type(failure).__name__, (Exception,), {
        '__module__': type(failure).__module__})
    made: BaseException = kind(masked(str(failure)))
    return made.with_traceback(failure.__traceback__)


def _with_causes(failure: BaseException) -> list[BaseException]:
    """Return the error and its causes, each once; there may be a cycle."""
    found: list[BaseException] = []
    following: BaseException | None = failure
    while following is not None and all(
            following is not one for one in found):
        found.append(following)
        following = following.__cause__ or following.__context__
    return found


@contextlib.contextmanager
def hiding(*passwords: object) -> Iterator[None]:
    """Mask these texts in the block, however they are quoted.

    :param passwords: values that are not strings are ignored.
    """
    hidden = {password for password in passwords
              if isinstance(password, str) and password}
    _hidden.add(hidden)
    try:
        yield
    finally:
        _hidden.remove(hidden)


def passwords_in(body: object) -> Iterator[str]:
    """Yield the passwords in the body of a request or an argument of an RPC.

    As strings, even if a password is a number or a list.
    """
    waiting: list[tuple[object, bool]] = [(body, False)]
    while waiting:
        one, secret = waiting.pop()
        if isinstance(one, dict):
            waiting += [(value, secret or is_password(key))
                        for key, value in one.items()]
        elif isinstance(one, list | tuple):
            waiting += [(value, secret) for value in one]
        elif secret and isinstance(one, str | int | float):
            yield str(one)


def install() -> None:
    """Mask the logs of this process; repeating it is safe.

    Trove's services create the classes of this package before they log their
    options: trove-api the extension, the taskmanager and the guest agent their
    manager. Each of these calls this function first.
    """
    logging.setLogRecordFactory(MaskedRecord)
    threading.excepthook = _log_end_of_thread
    secret_options.mark(_OPTIONS)


def _log_end_of_thread(failure: threading.ExceptHookArgs) -> None:
    """Log an error that ended a thread, instead of printing it unmasked."""
    if failure.exc_type is SystemExit or failure.exc_value is None:
        return
    LOG.error('An unexpected error ended %s',
              failure.thread.name if failure.thread else 'a thread',
              exc_info=failure.exc_value)


def _forms(password: str) -> str:
    """Return a pattern of a password, plain and quoted.

    Python's repr, JSON and SQL write backslashes before some characters, and
    double them if quoted text is quoted again. A URL has per cent signs. The
    pattern does not backtrack, so its time is linear.
    """
    if len(password) > _LONGEST:
        return '|'.join(re.escape(form) for form in sorted({
            password, *(quote(password)[1:-1]
                        for quote in (repr, ascii, json.dumps))}))
    pieces = _PIECES.findall(password)
    first = re.escape(password[0]) if password[0] in _QUOTES else ''
    inside = rf'(?<![\\{first}])' + ''.join(
        _form(piece, before[:1] == '\\')
        for before, piece in zip(['', *pieces], pieces, strict=False))
    if len(password) < _SHORTEST:
        return rf"""(?<=['"]){inside}(?=\\*['"])"""
    return '|'.join((inside, *(
        re.escape(quoted(password, errors='replace'))
        for quoted in (parse.quote, parse.quote_plus))))


def _form(piece: str, follows_backslashes: bool) -> str:
    """Return a pattern of backslashes, quotes or one character."""
    if piece[0] == '\\':
        return rf'\\{{{len(piece)},}}+'
    if piece[0] in _QUOTES:
        return rf'(?:\\*+{piece[0]}){{{len(piece)},}}+'
    escapes = [
        r'\\++'.join(map(re.escape, escaped[1:-1].split('\\')[1:]))
        for escaped in (ascii(piece), json.dumps(piece))
        if escaped[1] == '\\']
    # The pattern of preceding backslashes also matches those of an escape.
    some, any_number = ('', '') if follows_backslashes else (
        r'\\++', r'\\*+')
    return '(?:' + '|'.join((
        any_number + re.escape(piece),
        *(some + escape for escape in escapes))) + ')'


def is_password(key: object) -> bool:
    """Whether this key names a password."""
    return str(key).lower().endswith('password')


def _masked_value(value: Any) -> Any:
    """Mask an argument of a record, which a formatter may write itself."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, BaseException):
        return masked_error(value)
    if isinstance(value, dict):
        return {key: (HIDDEN if one is not None and is_password(key)
                      else _masked_value(one)) for key, one in value.items()}
    if type(value) in (tuple, list):
        return type(value)(map(_masked_value, value))
    return value
