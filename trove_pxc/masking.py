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

"""Passwords kept out of what Trove's own code logs.

At debug level Trove logs each statement of the guest, ``IDENTIFIED BY`` and
what follows included, the key that encrypts an instance's messages when it
is made, and at every start the value of each option that is not marked as a
secret. Imported where Trove loads us, by the API's extension and the
guest's manager; ``tests/faults`` proves on a whole lab that nothing is left.
"""

import logging
import re

from trove.common import cfg

HIDDEN = '***'
_LOGGERS = ('trove.guestagent.utils.mysql', 'trove.instance.models')
_OPTIONS = ('instance_rpc_encr_key', 'inst_rpc_key_encr_key',
            'taskmanager_rpc_encr_key')
_LITERAL = r"""(?:'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")"""
_PATTERNS = (
    re.compile(rf'(IDENTIFIED\b[^\'"]*){_LITERAL}', re.IGNORECASE),
    re.compile(rf'(PASSWORD\s*[(=]\s*){_LITERAL}', re.IGNORECASE),
    re.compile(r'(\bkey = )\S+'),
)


def masked(text: str) -> str:
    """The text with ``***`` for what a statement or a key gives away."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf'\g<1>{HIDDEN}', text)
    return text


class _Filter(logging.Filter):
    """Lets every record pass, masked."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        hidden = masked(text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


_FILTER = _Filter()


def install() -> None:
    """Mask from now on; it does no harm to do it again."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
    for option in cfg.common_opts:
        if option.name in _OPTIONS:
            option.secret = True
