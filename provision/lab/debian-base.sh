#!/usr/bin/env bash
# Writes the root file system of a bare Debian machine as a tar archive to stdout: systemd, sshd and sudo, but no
# engine and no firewall. It is the lab's base where no image can be pulled; `bootstrap.sh` makes a host of it.
#
#   provision/lab/debian-base.sh [SUITE] >base.tar
set -euo pipefail

readonly suite=${1:-bookworm}
readonly packages=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,sudo,iproute2,procps,ca-certificates,netbase

if ! command -v mmdebstrap >/dev/null; then
  echo "debian-base.sh needs mmdebstrap; install it: apt install mmdebstrap" >&2
  exit 1
fi

# Documentation and translations are half of the image, and nobody reads them in a lab.
mmdebstrap --quiet --variant=minbase --include="$packages" \
  --aptopt='Acquire::Retries "5"' --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-include=/usr/share/locale/locale.alias' \
  --dpkgopt='force-unsafe-io' \
  "$suite" -
