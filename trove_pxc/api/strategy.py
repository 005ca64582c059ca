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

"""The API strategy that trove-api loads: option ``api_strategy``.

Other modules do not import it.
"""

from trove.common import cfg
from trove.common.strategies.cluster import base

from trove_pxc.api import cluster
from trove_pxc.api import views
from trove_pxc import conf

conf.register(cfg.CONF)


class GaleraAPIStrategy(base.BaseAPIStrategy):
    """The cluster class and its views."""

    @property
    def cluster_class(self) -> type[cluster.GaleraCluster]:
        return cluster.GaleraCluster

    @property
    def cluster_view_class(self) -> type[views.GaleraClusterView]:
        return views.GaleraClusterView

    @property
    def mgmt_cluster_view_class(self) -> type[views.GaleraMgmtClusterView]:
        return views.GaleraMgmtClusterView
