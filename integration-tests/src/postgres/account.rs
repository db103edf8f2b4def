//! The user that Postgres runs as: `initdb` refuses root.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

use rustix::process::geteuid;

/// A user other than root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// The number of the user's own group.
    pub gid: u32,
}

impl Account {
    /// Gives the user to drop to: none when this process is not root's, else `postgres`, else `nobody`.
    #[must_use]
    pub fn to_drop_to() -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let nobody = Self { uid: 65534, gid: 65534 };
        Some(Self::of("postgres", &users).or_else(|| Self::of("nobody", &users)).unwrap_or(nobody))
    }

    /// Gives the user a file or folder.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn give(&self, path: &Path) -> io::Result<()> {
        chown(path, Some(self.uid), Some(self.gid))
    }

    /// Whether the user can walk down to this folder: every folder on the way lets it through.
    #[must_use]
    pub fn can_reach(&self, folder: &Path) -> bool {
        folder.ancestors().all(|folder| {
            fs::metadata(folder).is_ok_and(|of| {
                let class = match () {
                    () if of.uid() == self.uid => 0o100,
                    () if of.gid() == self.gid => 0o010,
                    () => 0o001,
                };
                of.mode() & class != 0
            })
        })
    }

    fn of(name: &str, users: &str) -> Option<Self> {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next()? == name).then_some(())?;
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            (uid != 0).then_some(Self { uid, gid })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name_and_root_is_never_taken() {
        let users = "root:x:0:0::/root:/bin/sh\npostgresql:x:7:7::/:/bin/sh\npostgres:x:101:104::/:/bin/sh\n";
        assert_eq!(Account::of("postgres", users), Some(Account { uid: 101, gid: 104 }));
        assert_eq!(Account::of("root", users), None);
        assert_eq!(Account::of("nobody", users), None);
    }

    #[test]
    fn a_closed_folder_on_the_way_is_seen() {
        use std::os::unix::fs::PermissionsExt;
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("inner");
        fs::create_dir(&inner).unwrap();
        let stranger = Account { uid: 65533, gid: 65533 };
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o711)).unwrap();
        assert!(stranger.can_reach(&inner));
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!stranger.can_reach(&inner));
    }
}
