#!/bin/bash
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

# DevStack plugin of trove-pxc: installs the package, enables it in Trove,
# builds the guest image, registers the datastores, and checks the
# installation. In each phase it runs after Trove's own plugin.

# Save xtrace
_XTRACE_TROVE_PXC=$(set +o | grep xtrace)
set +o xtrace

# Install the package into the environment of Trove's services.
function install_trove_pxc {
    setup_develop "$TROVE_PXC_DIR"
}

# The managers of TROVE_PXC_DATASTORES, each once.
function _trove_pxc_managers {
    local entry
    for entry in $TROVE_PXC_DATASTORES; do
        echo "${entry%%:*}"
    done | sort -u
}

function _trove_pxc_database_image {
    local variable="TROVE_PXC_IMAGE_${1^^}"
    echo "${!variable}"
}

# Enable the package in trove.conf and in the file for the guests. Trove's
# plugin writes both earlier in this phase, and starts the services later.
function configure_trove_pxc {
    local manager
    for manager in $(_trove_pxc_managers); do
        iniset "$TROVE_CONF" "$manager" api_strategy \
            trove_pxc.api.strategy.GaleraAPIStrategy
        iniset "$TROVE_CONF" "$manager" taskmanager_strategy \
            trove_pxc.taskmanager.strategy.GaleraTaskManagerStrategy
        iniset "$TROVE_CONF" "$manager" guestagent_strategy \
            trove_pxc.guestagent.strategy.GaleraGuestAgentStrategy
        iniset "$TROVE_CONF" "$manager" root_controller \
            trove_pxc.api.root.GaleraRootController
        # Trove's plugin opens the ports between members to everyone.
        iniset "$TROVE_CONF" "$manager" tcp_ports 3306
        # Longer than state_change_wait_time, which DevStack raises.
        iniset "$TROVE_CONF" "$manager" member_stop_timeout \
            $(( ${TROVE_STATE_CHANGE_WAIT_TIME:-180} + 60 ))
        iniset "$TROVE_GUESTAGENT_CONF" "$manager" docker_image \
            "$(_trove_pxc_database_image "$manager")"
    done
    iniset "$TROVE_CONF" DEFAULT taskmanager_manager \
        trove_pxc.taskmanager.manager.Manager
    iniset "$TROVE_CONF" DEFAULT agent_heartbeat_expiry 180
    iniset "$TROVE_CONF" database max_pool_size 64
}

# Build the guest image with the elements of Trove and of this package.
function build_trove_pxc_image {
    local output=$1
    local embed="" entry
    if [[ "$TROVE_PXC_EMBED_DATABASE" == "True" ]]; then
        for entry in $TROVE_PXC_DATASTORES; do
            embed+="$(_trove_pxc_database_image "${entry%%:*}"):${entry##*:} "
        done
    fi
    pip_install diskimage-builder
    env ELEMENTS_PATH="$TROVE_DIR/integration/scripts/files/elements:$TROVE_PXC_DIR/elements" \
        DEV_MODE=false SYNC_LOG_TO_CONTROLLER=False \
        GUEST_USERNAME="$TROVE_IMAGE_OS" DISTRO_NAME="$TROVE_IMAGE_OS" \
        DIB_RELEASE="$TROVE_IMAGE_OS_RELEASE" \
        DIB_CLOUD_INIT_ETC_HOSTS=localhost \
        DIB_CLOUD_INIT_DATASOURCES="ConfigDrive, OpenStack" \
        DIB_REPOLOCATION_guest_agent="$TROVE_DIR" \
        DIB_REPOREF_guest_agent="$(git -C "$TROVE_DIR" rev-parse HEAD)" \
        DIB_TROVE_PXC_SOURCE="$TROVE_PXC_DIR" \
        DIB_TROVE_PXC_DATABASE_IMAGES="$embed" \
        disk-image-create -a amd64 -t qcow2 -o "$output" \
        --image-size "$TROVE_PXC_IMAGE_SIZE" \
        base vm cloud-init-datasources pip-cache "$TROVE_IMAGE_OS-minimal" \
        guest-agent "$TROVE_IMAGE_OS-docker" trove-pxc-guest
}

# Upload the guest image to Glance, with the tag by which the datastore
# versions find it. An existing image is not changed.
function upload_trove_pxc_image {
    local file=$TROVE_PXC_IMAGE_FILE
    if [[ -n "$(openstack --os-cloud trove image list \
            --tag "$TROVE_PXC_IMAGE_TAG" -c ID -f value)" ]]; then
        echo "A guest image with the tag $TROVE_PXC_IMAGE_TAG already exists"
        return 0
    fi
    if [[ -z "$file" ]]; then
        if [[ "$TROVE_PXC_BUILD_IMAGE" != "True" ]]; then
            echo "No guest image: TROVE_PXC_BUILD_IMAGE is False and" \
                "TROVE_PXC_IMAGE_FILE is not set"
            return 0
        fi
        file=$HOME/images/$TROVE_PXC_IMAGE_NAME.qcow2
        mkdir -p "$(dirname "$file")"
        build_trove_pxc_image "$file"
    fi
    if [[ ! -f "$file" ]]; then
        die $LINENO "The guest image $file does not exist"
    fi
    openstack --os-cloud trove image create "$TROVE_PXC_IMAGE_NAME" \
        --private --disk-format qcow2 --container-format bare \
        --tag trove --tag "$TROVE_PXC_IMAGE_TAG" \
        --property hw_rng_model=virtio --file "$file"
}

# Register the datastores; replaces "redstack kick-start percona-cluster".
function kick_start_trove_pxc {
    local entry manager version known="" default
    for entry in $TROVE_PXC_DATASTORES; do
        manager=${entry%%:*}
        version=${entry##*:}
        default=--default
        if [[ " $known " == *" $manager "* ]]; then
            default=""
        fi
        known+=" $manager"
        # shellcheck disable=SC2086 # no argument if there is no default
        "$TROVE_BIN_DIR/trove-pxc-manage" --config-file "$TROVE_CONF" \
            datastore add --manager "$manager" --version "$version" \
            --image-tags "$TROVE_PXC_IMAGE_TAG" $default
    done
}

# A warning is printed; a failure ends stack.sh.
function check_trove_pxc {
    local result=0
    "$TROVE_BIN_DIR/trove-pxc-status" --config-file "$TROVE_CONF" \
        upgrade check || result=$?
    if (( result > 1 )); then
        die $LINENO "The check of trove-pxc failed; see the lines above"
    fi
}

if is_service_enabled trove; then
    if [[ "$1" == "stack" && "$2" == "install" ]]; then
        echo_summary "Installing trove-pxc"
        install_trove_pxc
    elif [[ "$1" == "stack" && "$2" == "post-config" ]]; then
        echo_summary "Configuring trove-pxc"
        configure_trove_pxc
    elif [[ "$1" == "stack" && "$2" == "extra" ]]; then
        echo_summary "Registering the datastores of trove-pxc"
        upload_trove_pxc_image
        kick_start_trove_pxc
        check_trove_pxc
    fi
fi

# Restore xtrace
$_XTRACE_TROVE_PXC
