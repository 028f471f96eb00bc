#!/usr/bin/env bash
# Inside an image: makes a distribution's root file system boot as a bare machine in a container. It has systemd, sshd
# with keys that the lab gives it, and the user "vagrant" with sudo, as a Vagrant box has.
set -euo pipefail

if command -v dnf >/dev/null; then
  dnf -q -y install systemd dbus openssh-server sudo iproute procps-ng
  sshd=sshd
else
  sshd=ssh
fi

systemctl enable "$sshd.service"
systemctl set-default multi-user.target
# Nothing to wait for, no console to log in at, no devices to manage.
systemctl mask systemd-firstboot.service systemd-networkd-wait-online.service systemd-udevd.service \
  systemd-udev-trigger.service getty.target console-getty.service

# Who reaches sshd may go on: the firewall is up by then, and so is the engine.
mkdir -p "/etc/systemd/system/$sshd.service.d"
printf '[Unit]\nAfter=firewalld.service podman.socket\n' >"/etc/systemd/system/$sshd.service.d/50-lab.conf"

# Each machine gets its identity when it first boots, its host key and the keys that open it from the lab.
: >/etc/machine-id
rm -f /etc/ssh/ssh_host_*
cat >/etc/ssh/sshd_config.d/00-lab.conf <<'RULES'
HostKey /etc/ssh/ssh_host_ed25519_key
AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/lab_keys
UseDNS no
RULES

id vagrant >/dev/null 2>&1 || useradd --create-home --shell /bin/bash vagrant
printf 'vagrant ALL=(ALL) NOPASSWD: ALL\n' >/etc/sudoers.d/vagrant
chmod 0440 /etc/sudoers.d/vagrant
