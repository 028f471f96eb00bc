#!/usr/bin/env bash
# Makes the base image of the build stages from the system's own packages and tools, since no registry may be
# reached. The Rust toolchain and Node are not in it: they are mounted when images are built, and so are the caches of
# their packages, which is why both are told to fetch nothing.
#
#   base.sh TAG
set -euo pipefail

tag=$1
podman image exists "$tag" && exit 0

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Retries "5"' \
  --include=gcc,libc6-dev,ca-certificates,libatomic1,libstdc++6 "$suite" "$folder/root.tar" >&2
podman import --quiet \
  --change ENV=PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/node/bin \
  --change ENV=CARGO_HOME=/opt/cargo --change ENV=CARGO_TARGET_DIR=/opt/target --change ENV=CARGO_NET_OFFLINE=true \
  --change ENV=npm_config_cache=/opt/npm --change ENV=npm_config_offline=true \
  "$folder/root.tar" "$tag" >&2
