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

"""The metrics of a member in Prometheus' text format.

Pure. view collects them with each status, guestagent/metrics serves them.

Metrics of the server have the names of mysqld_exporter, so that existing
dashboards and rules for Galera work. Sources: "Galera Status
Variables" of the Galera Cluster documentation; "Exposition formats" of the
Prometheus documentation, version 0.0.4.
"""

from collections.abc import Iterator
from collections.abc import Mapping
import dataclasses
import enum
import math

CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
OF_SERVER = 'mysql_global_status_'

_WORDS = {'on': 1.0, 'yes': 1.0, 'primary': 1.0, 'off': 0.0, 'no': 0.0,
          'non-primary': 0.0, 'disconnected': 0.0}
# Galera's value for "no number", for example of a view outside a component.
_NONE = 2.0 ** 63


class Kind(enum.StrEnum):
    """A gauge, or a counter since the start of the server.

    A counter is declared as untyped, as in mysqld_exporter, because some
    readers add "_total" to the name of a counter.
    """

    GAUGE = 'gauge'
    COUNTER = 'untyped'


@dataclasses.dataclass(frozen=True, slots=True)
class Metric:
    """A metric of each member.

    :ivar name: the name of the server's status row, or the whole name.
    """

    name: str
    kind: Kind
    meaning: str


WSREP = (
    Metric('wsrep_cluster_status', Kind.GAUGE,
           'Whether the node is in a primary component.'),
    Metric('wsrep_cluster_size', Kind.GAUGE,
           'Members of the component that the node is in.'),
    Metric('wsrep_cluster_conf_id', Kind.GAUGE,
           'Number of the view: it grows when a member comes or goes.'),
    Metric('wsrep_local_state', Kind.GAUGE,
           '1 joining, 2 donor, 3 joined, 4 synced, 0 none of these.'),
    Metric('wsrep_ready', Kind.GAUGE, 'Whether it takes statements.'),
    Metric('wsrep_connected', Kind.GAUGE,
           'Whether it is connected to a component.'),
    Metric('wsrep_last_committed', Kind.COUNTER,
           'Number of the last write set that was committed.'),
    Metric('wsrep_flow_control_paused', Kind.GAUGE,
           'Part of the time that flow control has stopped writes for, '
           'since the counters were reset.'),
    Metric('wsrep_flow_control_paused_ns', Kind.COUNTER,
           'Nanoseconds that flow control has stopped writes for.'),
    Metric('wsrep_flow_control_sent', Kind.COUNTER,
           'How often this node asked the others to pause.'),
    Metric('wsrep_flow_control_recv', Kind.COUNTER,
           'How often any node asked for it.'),
    Metric('wsrep_local_recv_queue', Kind.GAUGE,
           'Write sets that have come and wait to be applied.'),
    Metric('wsrep_local_recv_queue_avg', Kind.GAUGE,
           'The same, on average since the counters were reset.'),
    Metric('wsrep_local_send_queue', Kind.GAUGE,
           'Write sets that wait to be sent.'),
    Metric('wsrep_local_send_queue_avg', Kind.GAUGE,
           'The same, on average since the counters were reset.'),
    Metric('wsrep_local_cert_failures', Kind.COUNTER,
           'Transactions of this node that failed certification.'),
    Metric('wsrep_local_bf_aborts', Kind.COUNTER,
           'Transactions of this node that those of others ended.'),
    Metric('wsrep_cert_interval', Kind.GAUGE,
           'Transactions of others that come between, on average.'),
    Metric('wsrep_cert_deps_distance', Kind.GAUGE,
           'Transactions that could be applied side by side, on average.'),
    Metric('wsrep_local_commits', Kind.COUNTER,
           'Transactions of this node that were committed.'),
    Metric('wsrep_replicated_bytes', Kind.COUNTER,
           'Bytes that were sent to the others.'),
    Metric('wsrep_received_bytes', Kind.COUNTER,
           'Bytes that came from the others.'),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    """A metric and its values, each with its labels."""

    metric: Metric
    values: tuple[tuple[Mapping[str, str], float], ...]


def from_status(rows: Mapping[str, str]) -> dict[str, float]:
    """The metrics of WSREP in the status rows of a server.

    :param rows: by name in lower case. Values that are not numbers are
        ignored.
    """
    found = {}
    for metric in WSREP:
        value = _number(rows.get(metric.name, ''))
        if value is not None:
            found[metric.name] = value
    return found


def of_server(metrics: Mapping[str, float]) -> Iterator[Sample]:
    """The metrics of the server as samples."""
    for metric in WSREP:
        if metric.name in metrics:
            named = dataclasses.replace(metric, name=OF_SERVER + metric.name)
            yield Sample(named, (({}, metrics[metric.name]),))


def text(samples: Iterator[Sample]) -> str:
    """All samples in the text format of Prometheus."""
    lines = []
    for sample in samples:
        name = sample.metric.name
        lines.append(f'# HELP {name} {sample.metric.meaning}')
        lines.append(f'# TYPE {name} {sample.metric.kind}')
        lines.extend(f'{name}{_labels(labels)} {_digits(value)}'
                     for labels, value in sample.values)
    return ''.join(f'{line}\n' for line in lines)


def _number(word: str) -> float | None:
    known = _WORDS.get(word.strip().lower())
    if known is not None:
        return known
    try:
        value = float(word)
    except ValueError:
        return None
    return value if math.isfinite(value) and value < _NONE else None


def _digits(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ''
    inner = ','.join(f'{name}="{_escaped(value)}"'
                     for name, value in labels.items())
    return f'{{{inner}}}'


def _escaped(value: str) -> str:
    return (value.replace('\\', r'\\').replace('"', r'\"')
            .replace('\n', r'\n'))
