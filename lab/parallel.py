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
"""Runs independent tasks at the same time.

Every module of the lab may import it.
"""

from collections.abc import Callable, Iterable
from concurrent import futures
from typing import TypeVar

T = TypeVar('T')
R = TypeVar('R')


def run(*tasks: Callable[[], object]) -> None:
    """Run all tasks at the same time; return when all have ended.

    :raises: the error of the first task, in the order given, that failed
    """
    with futures.ThreadPoolExecutor(len(tasks)) as pool:
        for running in [pool.submit(task) for task in tasks]:
            running.result()


def each(function: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """The function's results for all items, computed at the same time."""
    todo = list(items)
    if not todo:
        return []
    with futures.ThreadPoolExecutor(len(todo)) as pool:
        return list(pool.map(function, todo))
