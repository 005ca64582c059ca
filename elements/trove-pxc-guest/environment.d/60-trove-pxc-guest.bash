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

# shellcheck shell=bash
# What pip installs in the environment of the guest agent: a folder or a wheel
# on the building host, or a package from PyPI.
export DIB_TROVE_PXC_SOURCE=${DIB_TROVE_PXC_SOURCE:-}
export DIB_TROVE_PXC_REQUIREMENT=${DIB_TROVE_PXC_REQUIREMENT:-trove-pxc}

# Database images to add, so that guests do not pull them: NAME:TAG in a
# registry, or the path of an archive of "docker save", separated by spaces. A
# name after a "=" is the name that the guests use.
export DIB_TROVE_PXC_DATABASE_IMAGES=${DIB_TROVE_PXC_DATABASE_IMAGES:-}
