//! Makes the folder of the dashboard's files when the dashboard was not built, so that the server builds alone.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=../web/dist");
    std::fs::create_dir_all("../web/dist")
}
