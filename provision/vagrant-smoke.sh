#!/usr/bin/env bash
# Runs the repository's own Vagrantfile for real, with Debian's vagrant and libvirt under QEMU's software emulation and
# a box made from packages: up, ssh, bootstrap, a second up, provision again, destroy. As root on Debian; it installs
# what it needs, takes about twenty-five minutes on an idle machine with two cores, and starves others meanwhile.
#
#   provision/vagrant-smoke.sh [DEPLOYER]     DEPLOYER: the program that reads the hosts.toml, when there is one
set -euo pipefail

readonly deployer=${1:-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly here
readonly box_version=2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/metric-flow/vagrant-box-$box_version
readonly cache
work=$(mktemp -d)
readonly work
started=()

say() { echo "$(date +%T) $*"; }
fail() { say "FAILED: $*" >&2; exit 1; }

in_lab() { (cd "$work/project" && "$@"); }

finish() {
  local status=$? process
  [ ! -d "$work/project" ] || in_lab vagrant destroy -f >/dev/null 2>&1 || true
  for process in ${started[@]+"${started[@]}"}; do kill "$process" 2>/dev/null || true; done
  # libvirt keeps its own copy of the box, which `vagrant destroy` leaves.
  rm -rf "$work" /var/tmp/metric-flow-smoke /var/lib/libvirt/images/metric-flow-smoke_vagrant_box_image*
  exit "$status"
}
trap finish EXIT

install_tools() {
  say "installing vagrant, libvirt and QEMU"
  DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends vagrant vagrant-libvirt libvirt-daemon \
    libvirt-daemon-system libvirt-clients libvirt-daemon-driver-qemu qemu-system-x86 qemu-utils dnsmasq-base ebtables \
    mmdebstrap e2fsprogs iptables openssh-client >/dev/null
}

# Where systemd does not run, the daemons are ours, and end with us.
start_libvirt() {
  if virsh --connect qemu:///system list >/dev/null 2>&1; then return 0; fi
  mkdir -p /run/libvirt
  virtlogd &
  started+=($!)
  libvirtd &
  started+=($!)
  local attempt
  for attempt in {1..60}; do
    if virsh --connect qemu:///system list >/dev/null 2>&1; then return 0; fi
    [ "$attempt" -lt 60 ] || fail "libvirtd does not answer"
    sleep 1
  done
}

# The disk has no boot loader; the kernel and its first file system are given to QEMU beside it. So nothing in the
# machine may make that file system anew, which takes minutes under emulation; nor does a disk that is thrown away need
# each package on it for certain.
make_box() {
  if [ -f "$cache/smoke.box" ]; then return 0; fi
  say "making the box from packages"
  local root=$work/root public
  # "$1" is mmdebstrap's to expand: the folder of the new system.
  # shellcheck disable=SC2016
  mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Retries "5"' \
    --include=systemd,systemd-sysv,systemd-resolved,dbus,libpam-systemd,openssh-server,sudo,iproute2,netbase,procps,ca-certificates,linux-image-cloud-amd64,initramfs-tools,rsync,e2fsprogs \
    --customize-hook='printf "virtio_blk\nvirtio_pci\nvirtio_net\next4\n" >>"$1/etc/initramfs-tools/modules"' \
    --customize-hook='chroot "$1" update-initramfs -u -k all' \
    --customize-hook='echo update_initramfs=no >"$1/etc/initramfs-tools/update-initramfs.conf"' \
    --customize-hook='echo force-unsafe-io >"$1/etc/dpkg/dpkg.cfg.d/unsafe-io"' \
    --customize-hook='chroot "$1" useradd --create-home --shell /bin/bash vagrant' \
    --customize-hook='chroot "$1" systemctl enable systemd-networkd systemd-resolved ssh' \
    bookworm "$root" >&2
  printf 'vagrant ALL=(ALL) NOPASSWD: ALL\n' >"$root/etc/sudoers.d/vagrant"
  chmod 0440 "$root/etc/sudoers.d/vagrant"
  install -d -m 0700 "$root/home/vagrant/.ssh"
  public=$(find / -xdev -path '*vagrant*/keys/vagrant.pub' -print -quit 2>/dev/null)
  [ -n "$public" ] || fail "vagrant's own public key is not where its package puts it"
  install -m 0600 "$public" "$root/home/vagrant/.ssh/authorized_keys"
  chroot "$root" chown -R vagrant:vagrant /home/vagrant/.ssh
  echo '/dev/vda / ext4 defaults 0 1' >"$root/etc/fstab"
  # DHCP on the first interface only: the others have the addresses of the Vagrantfile.
  printf '[Match]\nName=ens5 enp0s5 eth0\n[Network]\nDHCP=yes\n' >"$root/etc/systemd/network/10-first.network"
  : >"$root/etc/machine-id"

  mkdir -p "$cache" "$work/box"
  cp -L "$root"/boot/vmlinuz-* "$cache/vmlinuz"
  cp -L "$root"/boot/initrd.img-* "$cache/initrd.img"
  # libvirt's QEMU is another user.
  chmod 0644 "$cache/vmlinuz" "$cache/initrd.img"
  truncate -s 3G "$work/disk.raw"
  mke2fs -q -t ext4 -d "$root" "$work/disk.raw"
  qemu-img convert -O qcow2 "$work/disk.raw" "$work/box/box.img"
  echo '{"provider":"libvirt","format":"qcow2","virtual_size":3}' >"$work/box/metadata.json"
  echo 'Vagrant.configure("2") { |config| }' >"$work/box/Vagrantfile"
  tar -C "$work/box" -czf "$cache/smoke.box.new" metadata.json Vagrantfile box.img
  mv "$cache/smoke.box.new" "$cache/smoke.box"
  rm -rf "$root" "$work/disk.raw" "$work/box"
}

domains() { virsh --connect qemu:///system list --all --name | grep -c '^project_' || true; }

main() {
  [ "$(id -u)" -eq 0 ] || fail "this must run as root"
  install_tools
  start_libvirt
  make_box

  mkdir -p "$work/project/provision"
  cp "$here/Vagrantfile" "$work/project/"
  cp "$here/provision/bootstrap.sh" "$work/project/provision/"
  # QEMU runs as another user, and reads the kernel from here.
  install -d -m 0755 /var/tmp/metric-flow-smoke
  cp "$cache/vmlinuz" "$cache/initrd.img" /var/tmp/metric-flow-smoke/
  export VAGRANT_HOME=$work/vagrant VAGRANT_DEFAULT_PROVIDER=libvirt
  export LAB_HOSTS=2 LAB_MEMORY=768 LAB_CPUS=1 LAB_SUBNET=192.168.157 LAB_BOX=metric-flow-smoke LAB_BOOT_TIMEOUT=1800
  export LAB_BOX_URL=file://$cache/smoke.box LAB_LIBVIRT_DRIVER=qemu LAB_LIBVIRT_CPU=maximum
  export LAB_KERNEL=/var/tmp/metric-flow-smoke/vmlinuz LAB_INITRD=/var/tmp/metric-flow-smoke/initrd.img
  export LAB_CMDLINE="root=/dev/vda rw console=ttyS0"

  local since=$SECONDS host number
  say "vagrant up"
  in_lab vagrant up --no-parallel
  say "up after $((SECONDS - since)) s"
  for number in 1 2; do
    host=node$number
    [ "$(in_lab vagrant ssh "$host" -c hostname | tr -d '\r')" = "$host" ] || fail "$host has another name"
    in_lab vagrant ssh "$host" -c "ip -br address" | grep "192.168.157.1$number/" >/dev/null || fail "$host has another address"
    in_lab vagrant ssh "$host" -c "sudo bash -s -- --check" <"$work/project/provision/bootstrap.sh" ||
      fail "--check finds drift on $host"
    say "$host: name, address and --check are right"
  done
  local inventory=$work/project/hosts.toml
  [ "$(grep -c '^host_key = "ssh-ed25519 ' "$inventory")" -eq 2 ] || fail "hosts.toml lacks host keys"
  for number in 1 2; do
    # A file: ssh closes every other way to read it before it looks.
    sed -n "s/^host_key = \"\(.*\)\"/192.168.157.1$number \1/p" "$inventory" | sed -n "${number}p" >"$work/known_hosts"
    ssh -i "$work/project/.vagrant/lab/id_ed25519" -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes \
      -o UserKnownHostsFile="$work/known_hosts" \
      "deploy@192.168.157.1$number" sudo -n firewall-cmd --state || fail "the pinned key does not open node$number"
  done
  if [ -n "$deployer" ]; then "$deployer" status --hosts "$inventory" || [ $? -eq 2 ]; fi

  say "a second vagrant up changes nothing"
  local before
  before=$(sha256sum "$inventory")
  in_lab vagrant up --no-parallel | tee "$work/second" >&2
  ! grep -q 'changed:' "$work/second" || fail "a second up changed something"
  [ "$(sha256sum "$inventory")" = "$before" ] || fail "a second up changed hosts.toml"

  say "vagrant provision again finds nothing to change"
  in_lab vagrant provision | tee "$work/again" >&2
  [ "$(grep -c 'nothing to change' "$work/again")" -eq 2 ] || fail "provisioning again changed something"

  say "vagrant destroy leaves nothing"
  in_lab vagrant destroy -f
  [ "$(domains)" -eq 0 ] || fail "machines are left"
  [ ! -e "$inventory" ] || fail "hosts.toml is left"
  [ ! -e "$work/project/.vagrant/lab" ] || fail "keys are left"
  rm -rf /var/tmp/metric-flow-smoke
  say "all of it holds, after $((SECONDS - since)) s"
}

main
