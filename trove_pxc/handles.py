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

"""How commands identify a cluster, for messages with a next action.

Imported by api/ and the taskmanager.
"""

from trove.cluster import models as cluster_models

from trove_pxc.protocols import Cluster


def of_cluster(cluster: Cluster) -> str:
    """Return the name or id with which a command finds this cluster.

    The name, or the id if another cluster of the project has the same name, or
    if the client would parse the name as an option.
    """
    name = str(cluster.name)
    of_name = cluster_models.DBCluster.find_all(
        tenant_id=cluster.tenant_id, name=name, deleted=False).all()
    alone = len(of_name) <= 1
    return name if alone and not name.startswith('-') else str(cluster.id)
