#!/usr/bin/env bash
# Turns a fresh machine into a host that the deployer can work on. Run it as root, as often as you like:
#
#   bootstrap.sh [--key "ssh-ed25519 AAAA… me"]... [--user deploy]   make it so; says each thing that it changed
#   bootstrap.sh --check …                                           change nothing; exit 2 when something is not so
#   bootstrap.sh --image …                                           inside an image that is being built: start nothing
#
# RHEL, Rocky Linux, AlmaLinux and CentOS Stream 9 and 10, Fedora, Debian 12 and later, Ubuntu 24.04 and later.
# Exit status: 0 as wanted, 1 failed, 2 `--check` found drift, 64 wrong arguments.
set -euo pipefail

# Everything that differs between distributions. One row per thing, one column per package manager.
table() {
  cat <<'TABLE'
what          | dnf                              | apt
refresh       | true                             | apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 update
install       | dnf -q -y install                | apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold --no-install-recommends install
engine        | podman netavark aardvark-dns     | podman netavark aardvark-dns runc crun slirp4netns fuse-overlayfs iptables nftables netbase
rootless      | shadow-utils                     | uidmap dbus-user-session libpam-systemd
firewall      | firewalld                        | firewalld
login         | openssh-server sudo              | openssh-server sudo
time          | chrony                           | chrony
tools         | iproute procps-ng curl tar       | iproute2 procps curl tar ca-certificates
unit of sshd  | sshd.service                     | ssh.service
unit of time  | chronyd.service                  | chrony.service
TABLE
}

# What the deploy user may do as root without a password: reach the engine, set the firewall, keep services over a
# reboot, read logs. Who can reach root's engine can become root: the limit is against mistakes, not against malice.
sudo_rules() {
  cat <<RULES
# Written by bootstrap.sh: what the deployer needs.
Defaults:$user !requiretty
$user ALL=(root) NOPASSWD: /usr/bin/podman system dial-stdio
$user ALL=(root) NOPASSWD: /usr/bin/firewall-cmd *
$user ALL=(root) NOPASSWD: /usr/bin/systemctl enable --now podman.socket
$user ALL=(root) NOPASSWD: /usr/bin/systemctl enable podman-restart.service
$user ALL=(root) NOPASSWD: /usr/bin/systemctl enable --now podman-restart.service
$user ALL=(root) NOPASSWD: /usr/bin/systemctl disable podman-restart.service
$user ALL=(root) NOPASSWD: /usr/bin/systemctl is-enabled podman-restart.service
$user ALL=(root) NOPASSWD: /usr/bin/journalctl --no-pager *
RULES
}

# One connection per host carries many channels, so sessions and starts are not what is limited here; ways in are.
sshd_rules() {
  cat <<'RULES'
# Written by bootstrap.sh. In sshd the first value wins, and this file is read before the others.
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitEmptyPasswords no
X11Forwarding no
LoginGraceTime 30
MaxStartups 60:30:200
AllowStreamLocalForwarding yes
RULES
}

# A machine without CAP_SYS_RESOURCE cannot raise limits, and the engine's own defaults would stop every container.
engine_rules() {
  cat <<'RULES'
# Written by bootstrap.sh: this machine may not raise resource limits.
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
pids_limit = 0

[engine]
runtime = "runc"
RULES
}

# Files are looked up and written below this folder: a test's, or none.
readonly root=${BOOTSTRAP_ROOT:-}
user=deploy
keys=()
check=false
image=false
changed=0
drift=0
refreshed=false

usage() {
  sed -n '2,/^set -/{/^set -/d;s/^# \{0,1\}//;p}' "$0"
}

wrong() {
  echo "bootstrap: $1; \`--help\` shows how to call it" >&2
  exit 64
}

fail() {
  echo "bootstrap: $1" >&2
  exit 1
}

arguments() {
  while [ $# -gt 0 ]; do
    case $1 in
      --check) check=true ;;
      --image) image=true ;;
      --key) [ $# -gt 1 ] || wrong "--key needs a public key"; keys+=("$2"); shift ;;
      --user) [ $# -gt 1 ] || wrong "--user needs a name"; user=$2; shift ;;
      --help | -h) usage; exit 0 ;;
      *) wrong "there is no option \"$1\"" ;;
    esac
    shift
  done
  [[ $user =~ ^[a-z_][a-z0-9_-]{0,30}$ ]] || wrong "\"$user\" is no name for a user"
  local key
  for key in ${keys[@]+"${keys[@]}"}; do
    [[ $key =~ ^(ssh-|ecdsa-|sk-)[a-z0-9@.-]+\ [A-Za-z0-9+/=]+(\ .*)?$ ]] || wrong "\"${key:0:24}…\" is no public key"
  done
}

# The column of the table that fits this machine.
find_family() {
  local release=$root/etc/os-release id="" like=""
  [ -r "$release" ] || fail "there is no /etc/os-release; this is no distribution that is known here"
  id=$(sed -n 's/^ID=//p' "$release" | tr -d '"')
  like=$(sed -n 's/^ID_LIKE=//p' "$release" | tr -d '"')
  case " $id $like " in
    *" rhel "* | *" fedora "* | *" centos "*) family=dnf column=2 ;;
    *" debian "* | *" ubuntu "*) family=apt column=3 ;;
    *) fail "\"$id\" is neither of the RHEL nor of the Debian family; install the packages of the table by hand" ;;
  esac
}

cell() {
  table | awk -F'|' -v row="$1" -v column="$column" '{
    name = $1; gsub(/^ +| +$/, "", name)
    if (name == row) { value = $column; gsub(/^ +| +$/, "", value); print value }
  }'
}

# need WHAT TEST CHANGE: runs CHANGE unless TEST already holds, and says so.
need() {
  local what=$1 holds=$2 change=$3
  if $holds; then return 0; fi
  drift=$((drift + 1))
  if $check; then
    echo "not so: $what"
    return 0
  fi
  $change || fail "could not bring this about: $what"
  $holds || fail "this did not hold after the change: $what"
  changed=$((changed + 1))
  echo "changed: $what"
}

booted() { ! $image && [ -z "$root" ] && [ -d /run/systemd/system ]; }

# --- packages

is_installed() {
  case $family in
    dnf) rpm ${root:+--root "$root"} -q --quiet --whatprovides "$1" >/dev/null 2>&1 ;;
    apt) [ "$(dpkg-query ${root:+--root="$root"} -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
  esac
}

missing_packages() {
  local row package packages
  for row in engine rootless firewall login time tools; do
    read -ra packages <<<"$(cell "$row")"
    for package in "${packages[@]}"; do
      # curl-minimal serves as curl on RHEL, and the two exclude each other.
      is_installed "$package" || echo "$package"
    done
  done
}

packages_are_there() { [ -z "$missing" ]; }

install_packages() {
  local command packages
  export DEBIAN_FRONTEND=noninteractive
  if ! $refreshed; then
    read -ra command <<<"$(cell refresh)"
    "${command[@]}" >/dev/null
    refreshed=true
  fi
  read -ra command <<<"$(cell install)"
  read -ra packages <<<"$(tr '\n' ' ' <<<"$missing")"
  [ "$family" = dnf ] && [ -n "$root" ] && command+=("--installroot=$root")
  "${command[@]}" "${packages[@]}" >&2
  missing=$(missing_packages)
}

# --- files

# same_file PATH CONTENT MODE: whether PATH is exactly that.
same_file() {
  [ -f "$root$1" ] && [ "$(cat "$root$1")" = "$2" ] && [ "$(stat -c %a "$root$1")" = "$3" ]
}

write_file() {
  install -D -m "0$3" /dev/null "$root$1.new"
  printf '%s\n' "$2" >"$root$1.new"
  mv "$root$1.new" "$root$1"
}

# --- the deploy user

user_exists() { grep -q "^$user:" "$root/etc/passwd"; }

make_user() { useradd ${root:+--prefix "$root"} --create-home --shell /bin/bash "$user"; }

home() { echo "$root$(awk -F: -v user="$user" '$1 == user { print $6 }' "$root/etc/passwd")"; }

key_is_there() { grep -qxF -- "$key" "$(home)/.ssh/authorized_keys" 2>/dev/null; }

add_key() {
  local folder owner
  folder=$(home)/.ssh
  owner=$(awk -F: -v user="$user" '$1 == user { print $3 ":" $4 }' "$root/etc/passwd")
  install -d -m 0700 "$folder"
  printf '%s\n' "$key" >>"$folder/authorized_keys"
  chmod 0600 "$folder/authorized_keys"
  chown -R "$owner" "$folder"
}

has_subordinate_ids() { grep -q "^$user:" "$root/etc/subuid" && grep -q "^$user:" "$root/etc/subgid"; } 2>/dev/null

# The next free block of 65536, after the highest in use.
add_subordinate_ids() {
  local file start
  for file in subuid subgid; do
    touch "$root/etc/$file"
    grep -q "^$user:" "$root/etc/$file" && continue
    start=$(awk -F: 'BEGIN { top = 524288 } $2 + $3 > top { top = $2 + $3 } END { print top }' "$root/etc/$file")
    echo "$user:$start:65536" >>"$root/etc/$file"
  done
}

lingers() { [ -e "$root/var/lib/systemd/linger/$user" ]; }

make_it_linger() {
  install -d -m 0755 "$root/var/lib/systemd/linger"
  touch "$root/var/lib/systemd/linger/$user"
  # logind looks at the folder when it starts; a running one is told.
  ! booted || loginctl enable-linger "$user"
}

sudo_is_set() { same_file /etc/sudoers.d/50-metric-flow "$(sudo_rules)" 440; }

set_sudo() {
  local draft
  draft=$(mktemp)
  sudo_rules >"$draft"
  visudo -cqf "$draft" || { rm -f "$draft"; return 1; }
  rm -f "$draft"
  write_file /etc/sudoers.d/50-metric-flow "$(sudo_rules)" 440
}

# --- sshd

sshd_is_set() { same_file /etc/ssh/sshd_config.d/10-metric-flow.conf "$(sshd_rules)" 600; }

set_sshd() {
  write_file /etc/ssh/sshd_config.d/10-metric-flow.conf "$(sshd_rules)" 600
  if booted; then
    # A mistake here would lock everyone out: take the file away again rather than reload.
    sshd -t || { rm -f /etc/ssh/sshd_config.d/10-metric-flow.conf; return 1; }
    systemctl try-reload-or-restart "$(cell "unit of sshd")"
  fi
}

# --- services

unit_exists() { systemctl ${root:+--root="$root"} list-unit-files "$1" 2>/dev/null | grep -q "^$1"; }

unit_is_on() {
  systemctl ${root:+--root="$root"} is-enabled --quiet "$unit" 2>/dev/null || return 1
  if booted && [ "$must_run" = yes ]; then systemctl is-active --quiet "$unit"; fi
}

turn_unit_on() {
  systemctl ${root:+--root="$root"} enable --quiet "$unit" 2>/dev/null
  if booted; then
    # chronyd, for one, has conditions that a container does not meet, and is then skipped without an error.
    systemctl start "$unit" || [ "$must_run" = no ]
  fi
}

# --- firewall

ssh_is_open() {
  if booted; then
    firewall-cmd --quiet --query-service=ssh 2>/dev/null &&
      firewall-cmd --quiet --permanent --query-service=ssh 2>/dev/null
  else
    [ -n "$root" ] || firewall-offline-cmd --quiet --query-service=ssh 2>/dev/null
  fi
}

# Never `--reload`: it would throw away the engine's own rules. What runs and what is kept are set one by one.
open_ssh() {
  if booted; then
    firewall-cmd --quiet --add-service=ssh && firewall-cmd --quiet --permanent --add-service=ssh
  else
    firewall-offline-cmd --quiet --add-service=ssh
  fi
}

# --- the engine

may_raise_limits() {
  local effective
  effective=$(sed -n 's/^CapEff:\t//p' /proc/self/status)
  # CAP_SYS_RESOURCE is bit 24.
  (((0x$effective >> 24) & 1))
}

engine_is_set() { same_file /etc/containers/containers.conf.d/50-metric-flow.conf "$(engine_rules)" 644; }
set_engine() { write_file /etc/containers/containers.conf.d/50-metric-flow.conf "$(engine_rules)" 644; }

state_folder_is_there() { [ -d "$root/var/lib/metric-flow" ] && [ "$(stat -c %a "$root/var/lib/metric-flow")" = 750 ]; }

make_state_folder() {
  local owner
  owner=$(awk -F: -v user="$user" '$1 == user { print $3 ":" $4 }' "$root/etc/passwd")
  install -d -m 0750 -o "${owner%:*}" -g "${owner#*:}" "$root/var/lib/metric-flow"
}

main() {
  arguments "$@"
  [ "$(id -u)" -eq 0 ] || fail "this must run as root; try: sudo $0 $*"
  find_family
  [ "$family" = apt ] || [ -z "$root" ] || [ -d "$root" ] || fail "$root is no folder"

  missing=$(missing_packages)
  need "packages: $(tr '\n' ' ' <<<"$missing")" packages_are_there install_packages

  need "user $user" user_exists make_user
  local key
  if user_exists; then
    for key in ${keys[@]+"${keys[@]}"}; do
      need "key of $user: ${key:0:40}…" key_is_there add_key
    done
    need "subordinate user and group ids of $user" has_subordinate_ids add_subordinate_ids
    need "user services of $user run without a login" lingers make_it_linger
    need "folder /var/lib/metric-flow of $user" state_folder_is_there make_state_folder
  fi
  need "sudo without a password for what the deployer needs" sudo_is_set set_sudo
  need "sshd takes keys only" sshd_is_set set_sshd

  may_raise_limits || need "containers start without raising limits" engine_is_set set_engine

  local unit must_run
  for unit in "$(cell "unit of sshd")" firewalld.service podman.socket; do
    must_run=yes
    need "$unit is enabled and runs" unit_is_on turn_unit_on
  done
  for unit in podman-restart.service "$(cell "unit of time")" netavark-firewalld-reload.service; do
    must_run=no
    unit_exists "$unit" || continue
    need "$unit is enabled" unit_is_on turn_unit_on
  done
  need "ssh is open in the firewall" ssh_is_open open_ssh

  if command -v getenforce >/dev/null && [ "$(getenforce)" = Permissive ]; then
    echo "note: SELinux is permissive here; the deployer works with it enforcing"
  fi
  if $check; then
    [ "$drift" -eq 0 ] || exit 2
    echo "as wanted"
  elif [ "$changed" -eq 0 ]; then
    echo "nothing to change"
  else
    echo "$changed things changed"
  fi
}

main "$@"
