#!/usr/bin/env bats
# bootstrap.sh against a folder that stands for a machine: the real dnf, rpm and createrepo where they are installed,
# and stand-ins for what needs a booted system.

setup() {
  [ "$(id -u)" -eq 0 ] || skip "bootstrap.sh is root's"
  bootstrap=$BATS_TEST_DIRNAME/bootstrap.sh
  work=$(mktemp -d)
  machine=$work/machine
  mkdir -p "$machine/etc" "$work/bin"
  printf 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\n' >"$machine/etc/os-release"
  printf 'root:x:0:0:root:/root:/bin/bash\n' >"$machine/etc/passwd"
  export BOOTSTRAP_ROOT=$machine PATH=$work/bin:$PATH STATE=$work
  key="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG3ZxqJMu4QXjvXHnB8pyx7fS3k7bqFh3zUnfK5b5y7Q me"

  # What is on is a line in a file; everything that is asked for exists.
  stand_in systemctl '
    for word in "$@"; do case $word in enable | is-enabled | list-unit-files) verb=$word ;; esac; unit=$word; done
    case $verb in
      # More than a pipe holds, as of a machine with many units.
      list-unit-files) echo "$unit enabled"; seq 20000 ;;
      is-enabled) grep -qx "$unit" "$STATE/enabled" 2>/dev/null ;;
      enable) echo "$unit" >>"$STATE/enabled" ;;
    esac'
  stand_in useradd 'echo "${!#}:x:$(id -u):$(id -g)::/home/${!#}:/bin/bash" >>"$BOOTSTRAP_ROOT/etc/passwd"'
  stand_in visudo 'exit 0'
}

teardown() { [ -z "${work:-}" ] || rm -rf "$work"; }

stand_in() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$work/bin/$1"
  chmod +x "$work/bin/$1"
}

# Package managers whose database is a file of names.
pretend_packages() {
  stand_in rpm 'grep -qx -- "${@: -1}" "$STATE/packages" 2>/dev/null'
  stand_in dnf 'for word in "$@"; do case $word in -* | install) ;; *) echo "$word" >>"$STATE/packages" ;; esac; done'
}

all_of_dnf() {
  sed -n '/^TABLE$/q;/^what/,$p' <(sed -n "/cat <<'TABLE'/,/^TABLE/p" "$bootstrap" | tail -n +2) |
    awk -F'|' '$1 ~ /^(engine|rootless|firewall|login|time|tools) / { print $2 }' | tr -s ' ' '\n' | grep .
}

@test "a fresh machine is made a host, and a second run changes nothing" {
  pretend_packages
  run "$bootstrap" --key "$key"
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  [[ $output == *"changed: packages: podman"* ]]
  [[ $output == *"changed: user deploy"* ]]
  grep -qxF "$key" "$machine/home/deploy/.ssh/authorized_keys"
  [ "$(stat -c %a "$machine/home/deploy/.ssh/authorized_keys")" = 600 ]
  [ "$(stat -c %a "$machine/etc/sudoers.d/50-metric-flow")" = 440 ]
  grep -q '^PasswordAuthentication no$' "$machine/etc/ssh/sshd_config.d/10-metric-flow.conf"
  grep -q '^deploy:524288:65536$' "$machine/etc/subuid"
  grep -qx firewalld.service "$work/enabled"
  grep -qx podman-restart.service "$work/enabled"
  grep -q '^Restart=on-failure$' "$machine/etc/systemd/system/podman-restart.service.d/50-metric-flow.conf"
  grep -q '^Restart=on-failure$' "$machine/etc/systemd/user/podman-restart.service.d/50-metric-flow.conf"

  run "$bootstrap" --key "$key"
  [ "$status" -eq 0 ]
  [ "$output" = "nothing to change" ]
}

@test "--check changes nothing and tells every drift by its exit status" {
  pretend_packages
  run "$bootstrap" --check --key "$key"
  [ "$status" -eq 2 ]
  [[ $output == *"not so: user deploy"* ]]
  [ ! -e "$machine/etc/sudoers.d" ]
  [ ! -e "$work/packages" ]

  "$bootstrap" --key "$key" >/dev/null 2>&1
  run "$bootstrap" --check --key "$key"
  [ "$status" -eq 0 ]
  [ "$output" = "as wanted" ]

  echo "PasswordAuthentication yes" >"$machine/etc/ssh/sshd_config.d/10-metric-flow.conf"
  run "$bootstrap" --check --key "$key"
  [ "$status" -eq 2 ]
  [ "$output" = "not so: sshd takes keys only" ]
}

@test "another user takes nothing from the first" {
  pretend_packages
  "$bootstrap" --key "$key" >/dev/null 2>&1
  "$bootstrap" --user other --key "$key" >/dev/null 2>&1
  for user in deploy other; do
    grep -rqx "$user ALL=(root) NOPASSWD: /usr/bin/podman system dial-stdio" "$machine/etc/sudoers.d"
    run "$bootstrap" --check --user "$user" --key "$key"
    [ "$status" -eq 0 ] || { echo "$output"; false; }
  done
}

@test "an unknown option, a bad user, a bad key and an unknown system are refused before anything changes" {
  pretend_packages
  run "$bootstrap" --frobnicate
  [ "$status" -eq 64 ]
  run "$bootstrap" --user 'a b'
  [ "$status" -eq 64 ]
  run "$bootstrap" --key 'not a key'
  [ "$status" -eq 64 ]
  run "$bootstrap" --help
  [ "$status" -eq 0 ]
  [[ $output == *"--check"* ]]
  printf 'ID=plan9\n' >"$machine/etc/os-release"
  run "$bootstrap"
  [ "$status" -eq 1 ]
  [[ $output == *"neither"* ]]
  [ ! -e "$work/packages" ]
}

@test "a change that does not hold is a failure, not a success" {
  pretend_packages
  stand_in dnf 'exit 0'
  run "$bootstrap"
  [ "$status" -eq 1 ]
  [[ $output == *"did not hold after the change: packages"* ]]
}

# --- the real dnf and rpm, with a repository of packages that hold nothing

stub_repository() {
  for program in dnf rpm rpmbuild createrepo_c; do
    command -v "$program" >/dev/null || skip "$program is not installed"
  done
  mkdir -p "$work/specs" "$work/repo"
  local name
  for name in $(all_of_dnf); do
    [ "$name" = "${LEFT_OUT:-}" ] && continue
    printf 'Name: %s\nVersion: 1\nRelease: 1\nSummary: stub\nLicense: MIT\nBuildArch: noarch\n%%description\nstub\n%%files\n' \
      "$name" >"$work/specs/$name.spec"
    rpmbuild --quiet -bb --define "_topdir $work/build" --define "_rpmdir $work/repo" \
      --define "_build_id_links none" --define "__os_install_post %{nil}" "$work/specs/$name.spec" >/dev/null 2>&1
  done
  createrepo_c --quiet "$work/repo"
  local real
  real=$(command -v dnf)
  stand_in dnf "exec $real --releasever=9 --disablerepo='*' --repofrompath=stub,file://$work/repo --enablerepo=stub \\
    --nogpgcheck --setopt=cachedir=$work/cache --setopt=reposdir=$work/none \"\$@\""
}

@test "dnf itself installs the packages of the table, once" {
  stub_repository
  run "$bootstrap" --key "$key"
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  rpm --root "$machine" -q podman firewalld chrony
  run "$bootstrap" --check --key "$key"
  [ "$status" -eq 0 ] || { echo "$output"; false; }
  rpm --root "$machine" --erase --nodeps chrony
  run "$bootstrap" --check --key "$key"
  [ "$status" -eq 2 ]
  [ "$output" = "not so: packages: chrony " ]
}

@test "a package that no repository has stops the script with the package manager's words" {
  LEFT_OUT=netavark stub_repository
  run "$bootstrap" --key "$key"
  [ "$status" -eq 1 ]
  [[ $output == *netavark* ]]
  [[ $output == *"could not bring this about"* || $output == *"did not hold"* ]]
}
