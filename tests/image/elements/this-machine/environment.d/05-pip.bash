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
# Inside the chroot pip uses the same certificates as outside. requests, which
# is a part of pip, prefers the second variable to the first.
if [ -f /tmp/in_target.d/ca-certificates.crt ]; then
    export PIP_CERT=/tmp/in_target.d/ca-certificates.crt
    export REQUESTS_CA_BUNDLE=$PIP_CERT
    export CURL_CA_BUNDLE=$PIP_CERT
fi
