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

"""The message of a request, as it is stored while the request waits.

Imported by manager. It is encrypted with the key that protects it in the
message broker, because it has the token of the user and the contents of
modules.
"""

from collections.abc import Mapping
import json
from typing import Any
import zlib

from trove.common import cfg
from trove.common import context as trove_context
from trove.common import crypto_utils

from trove_pxc.protocols import Context

CONF = cfg.CONF


def pack(context: Context, arguments: Mapping[str, Any]) -> str:
    """Return the encrypted message, in characters of base64.

    :param arguments: as oslo.messaging received them, so JSON can have them.
    """
    plain = json.dumps(
        {'context': context.to_dict(), 'arguments': arguments})
    encrypted = crypto_utils.encrypt_data(
        zlib.compress(plain.encode()), CONF.taskmanager_rpc_encr_key)
    return str(crypto_utils.encode_data(encrypted))


def unpack(message: str) -> tuple[Context, dict[str, Any]]:
    """Return the context and the arguments of a message."""
    encrypted = crypto_utils.decode_data(message)
    found = json.loads(zlib.decompress(crypto_utils.decrypt_data(
        encrypted, CONF.taskmanager_rpc_encr_key)))
    context: Context = trove_context.TroveContext.from_dict(found['context'])
    return context, dict(found['arguments'])
