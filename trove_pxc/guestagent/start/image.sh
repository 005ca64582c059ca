# shellcheck shell=sh
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

# Finds what the database image contains: the server, Galera's library, and
# the programs of each SST method.

find_server() {
    PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
    # A build from source may be installed in a separate folder.
    for folder in /usr/local/*/bin /usr/local/*/sbin /opt/*/bin /opt/*/sbin
    do
        PATH=$PATH:$folder
    done
    for name in $SERVER_COMMANDS; do
        if server=$(command -v "$name"); then
            server=$(readlink -f "$server")
            basedir=${server%/*bin/*}
            basedir_option=${NEEDS_BASEDIR:+--basedir=$basedir}
            # A 5.6 from source has mysql_install_db in scripts.
            export PATH="$PATH:$basedir/bin:$basedir/scripts"
            return 0
        fi
    done
    die "the image has none of the programs $SERVER_COMMANDS;" \
        "check docker_image and the datastore version's name"
}

find_provider() {
    for provider in $PROVIDER_PATHS; do
        if [ -e "$provider" ]; then
            return 0
        fi
    done
    die "the image has none of Galera's libraries $PROVIDER_PATHS;" \
        "check docker_image and the datastore version's name"
}

# Prints the programs of an SST method that the image lacks.
sst_lacks() {
    for need in $(sst_needs "$1"); do
        found=
        for program in $(echo "$need" | tr '|' ' '); do
            if command -v "$program" > /dev/null; then
                found=yes
            fi
        done
        [ -n "$found" ] || printf ' %s' "$need"
    done
}

# Whether the joiners of a new cluster may use the fastest SST method. It must
# be encrypted if the members encrypt their traffic.
may_form() {
    method=$FORMATION_SST
    if [ -e "$IDENTITY_DIR/key.pem" ]; then
        method=$FORMATION_SST+tls
        case " $CAN_ENCRYPT " in
        *" $method "*) ;;
        *) return 1 ;;
        esac
    fi
    [ -z "$(sst_lacks "$method")" ]
}

print_version() {
    find_server
    find_provider
    "$server" --no-defaults --version
    for method in $SST_METHODS; do
        echo "SST method $method: lacks$(sst_lacks "$method")"
    done
}
