//! Which mounted file systems store data, from the text of `/proc/mounts`.

use std::collections::HashMap;

use super::fields::{fields, lines};

/// File systems on this machine's own disks: asking for their size does not wait for a network.
const LOCAL: [&str; 19] = [
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hfsplus", "jfs", "msdos", "nilfs2",
    "ntfs", "ntfs3", "reiserfs", "ubifs", "udf", "vfat", "xfs", "zfs",
];

/// File systems that another machine or program serves: asking for their size may never return.
const SERVED: [&str; 14] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "fuseblk",
    "gfs2",
    "glusterfs",
    "lustre",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "virtiofs",
];

/// Programs' file systems that store nothing of their own.
const FUSE_WITHOUT_DATA: [&str; 7] = [
    "fuse.gvfsd-fuse",
    "fuse.lxcfs",
    "fuse.portal",
    "fuse.snapfuse",
    "fuse.squashfuse",
    "fuse.squashfuse_ll",
    "fuse.archivemount",
];

/// A mounted file system that stores data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// The device or source.
    pub(super) device: String,
    /// Where it is mounted, as the host sees it.
    pub(super) mount_point: String,
    /// Whether asking for its size may never return.
    pub(super) may_hang: bool,
}

/// The file systems that store data, each once, in the order of their mount points.
///
/// Of several mounts of one device (bind mounts, btrfs subvolumes) the shortest mount point stays: their sizes are
/// the same. A mount that lies under a later one at the same place cannot be seen.
pub(super) fn choose(text: &[u8]) -> Vec<Mount> {
    let mut visible: HashMap<String, (String, String)> = HashMap::new();
    for line in lines(text) {
        let mut columns = fields(line).map(unescape);
        if let (Some(device), Some(mount_point), Some(kind)) =
            (columns.next(), columns.next(), columns.next())
            && mount_point.starts_with('/')
        {
            visible.insert(mount_point, (device, kind));
        }
    }
    let mut chosen: HashMap<String, Mount> = HashMap::new();
    for (mount_point, (device, kind)) in visible {
        // A container's root is an overlay: it is worth showing where it is all there is.
        let local = LOCAL.contains(&kind.as_str()) || (mount_point == "/" && kind == "overlay");
        let fuse = kind.starts_with("fuse.") && !FUSE_WITHOUT_DATA.contains(&kind.as_str());
        if !local && !fuse && !SERVED.contains(&kind.as_str()) {
            continue;
        }
        let mount = Mount {
            device: device.clone(),
            mount_point,
            may_hang: !local,
        };
        match chosen.get(&device) {
            Some(other) if rank(other) <= rank(&mount) => {}
            _ => drop(chosen.insert(device, mount)),
        }
    }
    let mut mounts: Vec<Mount> = chosen.into_values().collect();
    mounts.sort_by(|left, right| left.mount_point.cmp(&right.mount_point));
    mounts
}

fn rank(mount: &Mount) -> (usize, &str) {
    (mount.mount_point.len(), &mount.mount_point)
}

/// The kernel writes blanks, tabs, line ends and backslashes as `\` and three octal digits (`mangle_path`).
fn unescape(field: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, after)) = rest.split_first() {
        match (first, octal(after.get(..3))) {
            (b'\\', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn octal(digits: Option<&[u8]>) -> Option<u8> {
    let digits = digits?;
    if !digits.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return None;
    }
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chosen(text: &str) -> Vec<(String, String, bool)> {
        choose(text.as_bytes())
            .into_iter()
            .map(|mount| (mount.mount_point, mount.device, mount.may_hang))
            .collect()
    }

    fn mount(mount_point: &str, device: &str, may_hang: bool) -> (String, String, bool) {
        (mount_point.to_owned(), device.to_owned(), may_hang)
    }

    #[test]
    fn file_systems_that_store_nothing_are_left_out() {
        let text = "proc /proc proc rw 0 0\ntmpfs /run tmpfs rw 0 0\n/dev/loop1 /snap/core squashfs ro 0 0\n\
                    systemd-1 /misc autofs rw 0 0\nlxcfs /var/lib/lxcfs fuse.lxcfs rw 0 0\n\
                    overlay /var/lib/containers/merged overlay rw 0 0\n/dev/vda / ext4 rw 0 0\n";
        assert_eq!(chosen(text), [mount("/", "/dev/vda", false)]);
    }

    #[test]
    fn one_device_is_shown_once_at_its_shortest_mount_point() {
        let text = "/dev/sda2 /home btrfs rw,subvol=/home 0 0\n/dev/sda2 / btrfs rw,subvol=/root 0 0\n\
                    /dev/sda1 /boot/efi vfat rw 0 0\n/dev/sda1 /srv/efi-copy vfat rw 0 0\n";
        assert_eq!(
            chosen(text),
            [
                mount("/", "/dev/sda2", false),
                mount("/boot/efi", "/dev/sda1", false)
            ]
        );
    }

    #[test]
    fn what_is_mounted_over_another_hides_it() {
        let text =
            "/dev/sdb1 /data ext4 rw 0 0\ntmpfs /data tmpfs rw 0 0\n/dev/sdc1 /data\\0402 xfs rw 0 0\n";
        assert_eq!(chosen(text), [mount("/data 2", "/dev/sdc1", false)]);
    }

    #[test]
    fn served_file_systems_may_hang() {
        let text = "nas:/export /mnt/nas nfs4 rw 0 0\nme@host:/ /mnt/ssh fuse.sshfs rw 0 0\n";
        let expected = [
            mount("/mnt/nas", "nas:/export", true),
            mount("/mnt/ssh", "me@host:/", true),
        ];
        assert_eq!(chosen(text), expected);
    }

    #[test]
    fn the_root_of_a_container_is_shown() {
        assert_eq!(
            chosen("overlay / overlay rw,lowerdir=/a 0 0\n"),
            [mount("/", "overlay", false)]
        );
    }

    proptest! {
        #[test]
        fn no_text_panics(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = choose(&text);
        }

        #[test]
        fn escapes_at_any_place_are_taken_apart(text in "[a\\\\0-9]{0,20}") {
            let _ = unescape(text.as_bytes());
        }
    }
}
