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

"""Loads the modules and the programs of the folder tools.

The names of the programs have no suffix. They import the modules.
"""

import importlib
import importlib.machinery
import importlib.util
import pathlib
import sys
import textwrap
from types import ModuleType
from typing import Any

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.append(str(TOP / 'tools'))
seams = importlib.import_module('seams')
sources = importlib.import_module('sources')


def tool(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(
        name, str(TOP / 'tools' / name))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def modules(**texts: str) -> list[Any]:
    """Modules of the package, by name: "api__cluster" is in api/."""
    return [sources.Module(f'trove_pxc/{name.replace("__", "/")}.py',
                           textwrap.dedent(text))
            for name, text in texts.items()]
