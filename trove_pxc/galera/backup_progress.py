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

"""The progress of a backup or a restore in words, for users.

Pure. The taskmanager records the text, and the API shows it.
"""

from trove_pxc.galera import backups

_GIB = 1 << 30
_MIB = 1 << 20
_MINUTE = 60
_HOUR = 3600
#: the steps that read or write the data of which the sizes are known
_COUNTED = (backups.Step.COPY, backups.Step.STORE, backups.Step.FETCH)


def describe(progress: backups.Progress) -> str:
    """One line, as "fetch the backup, 1.2 of 2.0 GiB, 45 MiB/s".

    It contains why there is no progress, if the guest reports that.
    """
    parts = [progress.step.value]
    if progress.step in _COUNTED and progress.data_bytes:
        parts.append(_amount(progress.data_bytes, progress.total_bytes))
        parts.append(f'{progress.rate / _MIB:.1f} MiB/s')
        left = progress.estimate_seconds
        if left is not None:
            parts.append(f'about {duration(left)} left')
    if progress.waits_for:
        parts.append(f'waiting: {progress.waits_for}')
    return ', '.join(parts)


def _amount(done: int, total: int) -> str:
    unit, name = (_GIB, 'GiB') if max(done, total) >= _GIB else (_MIB, 'MiB')
    if not total:
        return f'{done / unit:.1f} {name}'
    return f'{done / unit:.1f} of {max(done, total) / unit:.1f} {name}'


def duration(seconds: float) -> str:
    """About so long: "20 s", "12 min", "1 h 5 min"."""
    if seconds < _MINUTE:
        return f'{seconds:.0f} s'
    hours, rest = divmod(int(seconds), _HOUR)
    minutes = f'{rest // _MINUTE} min'
    return f'{hours} h {minutes}' if hours else minutes
