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

"""Loads a program of tests/benchmarks, whose name has no suffix."""

import importlib.machinery
import importlib.util
import pathlib
import sys
from types import ModuleType

TOP = pathlib.Path(__file__).resolve().parents[4]
FOLDER = TOP / 'tests' / 'benchmarks'


def program(name: str) -> ModuleType:
    loader = importlib.machinery.SourceFileLoader(name, str(FOLDER / name))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    try:
        loader.exec_module(module)
    finally:
        sys.path[:] = path
    return module
