#!/usr/bin/env bash
# Turns a fresh machine into a host that the deployer can work on.
set -euo pipefail

# Printed and not read from this file: the script may come through a pipe.
usage() {
  cat <<'USAGE'
Turns a fresh machine into a host that the deployer can work on. Run it as root, as often as you like:

  bootstrap.sh [--key "ssh-ed25519 AAAA… me"]... [--user deploy]   make it so; says each thing that it changed
  bootstrap.sh --check …                                           change nothing; exit 2 when something is not so
  bootstrap.sh --image …                                           inside an image that is being built: start nothing

Afterwards sshd takes keys only, of root as well: have a key of your own on the machine first.

RHEL, Rocky Linux, AlmaLinux and CentOS Stream 9 and 10, Fedora, Debian 12 and later, Ubuntu 24.04 and later.
Exit status: 0 as wanted, 1 failed, 2 `--check` found drift, 64 wrong arguments.
USAGE
}

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
$user ALL=(root) NOPASSWD: /usr/sbin/nft -s list table inet firewalld
$user ALL=(root) NOPASSWD: /usr/bin/ls -lnR --full-time /etc/firewalld
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

# Podman's own unit tries once after a boot, and while firewalld sets its rules: it removes those that the engine is just
# making, so that a container does not start, or starts and is not reached. When one fails, the unit takes the others down.
boot_rules() {
  cat <<'RULES'
# Written by bootstrap.sh: containers are started when the firewall is there, and again when one does not start.
[Unit]
After=firewalld.service
StartLimitIntervalSec=10min
StartLimitBurst=30

[Service]
KillMode=process
Restart=on-failure
RestartSec=5s
RULES
  [ "$1" = system ] || return 0
  cat <<'RULES'
# firewalld has its name on the bus before it has set its rules, and answers after that.
ExecStartPre=-/bin/sh -c 'systemctl -q is-active firewalld.service || exit 0; for try in 1 2 3 4 5; do timeout 30 firewall-cmd -q --state && exit 0; sleep 1; done'
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
  # A last line without an end would swallow the new one.
  [ -z "$(tail -c 1 "$folder/authorized_keys" 2>/dev/null)" ] || echo >>"$folder/authorized_keys"
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

# A file for each user: one more takes nothing from those before. sudo passes over names with a dot in them.
sudo_file() {
  case $user in
    deploy) echo /etc/sudoers.d/50-metric-flow ;;
    *) echo "/etc/sudoers.d/50-metric-flow-$user" ;;
  esac
}

sudo_is_set() { same_file "$(sudo_file)" "$(sudo_rules)" 440; }

set_sudo() {
  local draft
  draft=$(mktemp)
  sudo_rules >"$draft"
  visudo -cqf "$draft" || { rm -f "$draft"; return 1; }
  rm -f "$draft"
  write_file "$(sudo_file)" "$(sudo_rules)" 440
}

# --- sshd

# One line of the settings that sshd goes by, whichever file they are from.
sshd_setting() { sshd -T 2>/dev/null | awk -v name="$1" '$1 == name { print $2 }'; }

# An earlier file, or an sshd_config that includes none, would leave our rules without effect.
sshd_obeys() { ! booted || [ "$(sshd_setting passwordauthentication)" != yes ]; }

sshd_is_set() { same_file /etc/ssh/sshd_config.d/10-metric-flow.conf "$(sshd_rules)" 600 && sshd_obeys; }

set_sshd() {
  write_file /etc/ssh/sshd_config.d/10-metric-flow.conf "$(sshd_rules)" 600
  if booted; then
    # A mistake here would lock everyone out: take the file away again rather than reload.
    sshd -t || { rm -f /etc/ssh/sshd_config.d/10-metric-flow.conf; return 1; }
    systemctl try-reload-or-restart "$(cell "unit of sshd")"
    if ! sshd_obeys; then
      echo "bootstrap: /etc/ssh/sshd_config, or a file before 10-metric-flow.conf, allows passwords; remove that line" >&2
      return 1
    fi
  fi
}

# --- services

# Without `grep -q`: it would end before systemctl, and `pipefail` takes that for a unit that does not exist.
unit_exists() { systemctl ${root:+--root="$root"} list-unit-files "$1" 2>/dev/null | grep "^$1" >/dev/null; }

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

# What is asked of the firewall, or told it, for ssh: `add` or `query`. The service is port 22; sshd may have others.
ssh_rules() {
  echo "--$1-service=ssh"
  sshd_setting port | awk -v verb="$1" '$1 != 22 { print "--" verb "-port=" $1 "/tcp" }'
}

ssh_is_open() {
  local rule
  if booted; then
    for rule in $(ssh_rules query); do
      firewall-cmd --quiet "$rule" 2>/dev/null || return 1
      firewall-cmd --quiet --permanent "$rule" 2>/dev/null || return 1
    done
  else
    [ -n "$root" ] || firewall-offline-cmd --quiet --query-service=ssh 2>/dev/null
  fi
}

# Never `--reload`: it would throw away the engine's own rules. What runs and what is kept are set one by one.
open_ssh() {
  local rule
  if booted; then
    for rule in $(ssh_rules add); do
      firewall-cmd --quiet "$rule" 2>/dev/null || return 1
      firewall-cmd --quiet --permanent "$rule" 2>/dev/null || return 1
    done
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

boot_rules_file() { echo "/etc/systemd/$1/podman-restart.service.d/50-metric-flow.conf"; }

boot_is_set() {
  same_file "$(boot_rules_file system)" "$(boot_rules system)" 644 &&
    same_file "$(boot_rules_file user)" "$(boot_rules user)" 644
}

set_boot() {
  write_file "$(boot_rules_file system)" "$(boot_rules system)" 644
  write_file "$(boot_rules_file user)" "$(boot_rules user)" 644
  ! booted || systemctl daemon-reload
}

state_folder_is_there() { [ -d "$root/var/lib/metric-flow" ] && [ "$(stat -c %a "$root/var/lib/metric-flow")" = 750 ]; }

make_state_folder() {
  local owner
  owner=$(awk -F: -v user="$user" '$1 == user { print $3 ":" $4 }' "$root/etc/passwd")
  install -d -m 0750 -o "${owner%:*}" -g "${owner#*:}" "$root/var/lib/metric-flow"
}

main() {
  arguments "$@"
  [ "$(id -u)" -eq 0 ] || fail "this must run as root, by sudo for instance"
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
  need "containers start after a boot when the firewall is there, and again when one does not" boot_is_set set_boot

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
    echo "things changed: $changed"
  fi
}

main "$@"
