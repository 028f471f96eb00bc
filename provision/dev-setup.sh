#!/usr/bin/env bash
# Installs the system packages that building and testing need. Run it as root:
#
#   provision/dev-setup.sh [GROUP]...            install; without a GROUP, all of them
#   provision/dev-setup.sh --missing [GROUP]...  print the groups that lack something; changes nothing
#
# Groups: base (shell checks, Python), rust (linker), browser (Chromium), containers (Podman), lab (hosts as
# containers), bench (what the benchmarks compare with: node exporter, Ansible). Debian and Ubuntu by
# apt; Fedora, RHEL, Rocky and their kin by dnf. No service is started.
set -euo pipefail

readonly groups_known=(base rust browser containers lab bench)

# What must be there: programs in PATH, one of several where they are joined by "|".
programs_of() {
  case $1 in
    base) echo git python3 pip3 curl shellcheck bats ;;
    rust) echo cc ;;
    browser) echo "chromium|chromium-browser|google-chrome" ;;
    containers) echo podman podman-compose mmdebstrap aardvark-dns "runc|crun" "docker-registry|registry" ;;
    lab) echo podman mmdebstrap aardvark-dns runc iptables nft newuidmap ssh ;;
    bench) echo prometheus-node-exporter\|node_exporter ansible-playbook ;;
    *) echo "there is no group \"$1\"; the groups are ${groups_known[*]}" >&2 && return 1 ;;
  esac
}

apt_packages_of() {
  case $1 in
    base) echo git python3 python3-pip python3-venv curl ca-certificates shellcheck bats dnf rpm createrepo-c ;;
    rust) echo gcc libc6-dev ;;
    browser) echo chromium fonts-dejavu-core ;;
    containers) echo podman podman-compose mmdebstrap netavark aardvark-dns runc crun iptables uidmap docker-registry ;;
    lab) echo podman mmdebstrap netavark aardvark-dns runc crun iptables nftables uidmap openssh-client ;;
    # Debian's package ansible holds the collections containers.podman and ansible.posix.
    bench) echo prometheus-node-exporter ansible ;;
  esac
}

dnf_packages_of() {
  case $1 in
    base) echo git python3 python3-pip curl ca-certificates ShellCheck bats rpm-build createrepo_c ;;
    rust) echo gcc glibc-devel glibc-static ;;
    browser) echo chromium dejavu-sans-fonts ;;
    containers) echo podman podman-compose mmdebstrap netavark aardvark-dns crun iptables-nft shadow-utils docker-distribution ;;
    lab) echo podman mmdebstrap netavark aardvark-dns runc iptables-nft nftables shadow-utils openssh-clients ;;
    bench) echo node-exporter ansible-core ansible-collection-containers-podman ansible-collection-ansible-posix ;;
  esac
}

# A program counts in PATH, in the system's folders, or among Podman's own.
has_program() {
  local name
  for name in ${1//|/ }; do
    if command -v "$name" >/dev/null || [ -x "/usr/sbin/$name" ] || [ -x "/usr/lib/podman/$name" ] ||
      [ -x "/usr/libexec/podman/$name" ]; then
      return 0
    fi
  done
  return 1
}

is_missing() {
  local program programs
  programs=$(programs_of "$1")
  for program in $programs; do
    has_program "$program" || return 0
  done
  return 1
}

retry() {
  local attempt
  for attempt in 1 2 3; do
    "$@" && return 0
    echo "attempt $attempt failed: $*" >&2
    sleep $((attempt * 5))
  done
  return 1
}

# A package that starts its service on installation would change the machine more than it was asked to.
forbid_service_starts() {
  [ -e /usr/sbin/policy-rc.d ] && return 0
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
  chmod 0755 /usr/sbin/policy-rc.d
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

install_with_apt() {
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l
  local options=(-q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold)
  forbid_service_starts
  # A list that could not be renewed may still do; the installation tells.
  retry apt-get "${options[@]}" update || echo "the package lists could not be renewed; going on" >&2
  retry apt-get "${options[@]}" install --no-install-recommends "$@"
}

install_with_dnf() {
  if ! grep -q '^ID=.*fedora' /etc/os-release; then
    retry dnf -y install epel-release || echo "EPEL could not be added; some packages may be missing" >&2
  fi
  retry dnf -y --setopt=install_weak_deps=False install "$@"
}

main() {
  local missing_only=false
  if [ "${1:-}" = "--missing" ]; then
    missing_only=true
    shift
  fi
  local wanted=("$@") group
  [ ${#wanted[@]} -gt 0 ] || wanted=("${groups_known[@]}")
  for group in "${wanted[@]}"; do
    programs_of "$group" >/dev/null
  done

  if $missing_only; then
    for group in "${wanted[@]}"; do
      if is_missing "$group"; then echo "$group"; fi
    done
    return 0
  fi

  if [ "$(id -u)" -ne 0 ]; then
    echo "installing packages needs root; run: sudo $0 ${wanted[*]}" >&2
    return 1
  fi
  local packages=()
  if command -v apt-get >/dev/null; then
    for group in "${wanted[@]}"; do
      read -ra more <<<"$(apt_packages_of "$group")"
      packages+=("${more[@]}")
    done
    install_with_apt "${packages[@]}"
  elif command -v dnf >/dev/null; then
    for group in "${wanted[@]}"; do
      read -ra more <<<"$(dnf_packages_of "$group")"
      packages+=("${more[@]}")
    done
    install_with_dnf "${packages[@]}"
  else
    echo "neither apt-get nor dnf is here; install what these groups need by hand: ${wanted[*]}" >&2
    return 1
  fi

  local still=()
  for group in "${wanted[@]}"; do
    if is_missing "$group"; then still+=("$group"); fi
  done
  if [ ${#still[@]} -gt 0 ]; then
    echo "still missing after the installation: ${still[*]}" >&2
    for group in "${still[@]}"; do
      echo "  $group needs: $(programs_of "$group")" >&2
    done
    return 1
  fi
}

main "$@"
