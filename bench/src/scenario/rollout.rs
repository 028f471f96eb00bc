//! Rollouts to lab hosts, next to Ansible doing the same work and next to one `ssh host true`.

use std::path::{Path, PathBuf};

use tokio::{process::Command, task::JoinSet};

use super::{
    ScenarioError, Stage,
    lab::{Lab, timed},
};
use crate::{context::Context, report::Figure, rest::machine_at_rest};

/// Hosts of the lab; the first half meets the deployer first, the second half Ansible.
const HOSTS: usize = 20;
const HALF: usize = HOSTS / 2;
/// Sizes at which nothing is to do.
const SIZES: [usize; 3] = [3, 10, 20];
/// Rounds of the quick ones, and of Ansible; medians are reported.
const ROUNDS: usize = 5;
const ANSIBLE_ROUNDS: usize = 2;
/// An image of 50 MB in layers as a program's image has them: the last one changes with each release.
const LAYERS: usize = 20;
const LAYER_BYTES: usize = 2_500_000;
/// Hosts that get it.
const SHIPPED_TO: usize = 3;

const PLAYBOOK: &str = include_str!("../../ansible/rollout.yaml");
const AGENT_IMAGE: &str = include_str!("../../ansible/agent-image.sh");
const COMPOSE: &str = include_str!("../../ansible/compose.yaml");

/// Everything in one lab.
struct Scene {
    lab: Lab,
    deployer: PathBuf,
    image: String,
    big_image: String,
    /// Names and addresses.
    hosts: Vec<(String, String)>,
}

/// Rolls out, with both, and compares.
///
/// # Errors
/// When the engine, the deployer or Ansible fails.
pub async fn rollout(context: &Context) -> Result<Vec<Figure>, ScenarioError> {
    let number = std::process::id();
    let mut scene = Scene {
        lab: Lab::new(context, "r")?,
        deployer: context.program("deployer"),
        image: format!("localhost/metric-flow-bench-{number}/agent:1"),
        big_image: format!("localhost/metric-flow-bench-{number}/big:1"),
        hosts: Vec::new(),
    };
    let figures = measure(context, &mut scene).await;
    // Whatever happened, nothing is to be left.
    let down = scene.lab.run("down", &[]).await;
    let mut remove = scene.lab.podman();
    remove.args(["rmi", "--force", "--ignore", &scene.image, &scene.big_image]);
    let removed = timed(remove).await;
    let figures = figures?;
    down?;
    removed?;
    Ok(figures)
}

async fn measure(context: &Context, scene: &mut Scene) -> Result<Vec<Figure>, ScenarioError> {
    context.say(format_args!("{HOSTS} hosts, the agent's image, a server"));
    scene.lab.up(HOSTS).await?;
    scene.hosts = read_hosts(&scene.lab.folder())?;
    let gateway = scene
        .hosts
        .first()
        .and_then(|(_, address)| address.rsplit_once('.'))
        .map(|(net, _)| format!("{net}.1"))
        .unwrap_or_default();
    let stage = Stage::open_on(&context.program("socket-server"), "0.0.0.0:0").await?;
    let server = format!("http://{gateway}:{}", stage.server.address.port());
    scene.prepare(context, &server, &stage.api_key).await?;
    // Twenty hosts that have just started are busy for a while yet.
    machine_at_rest().await?;

    context.say(format_args!(
        "first rollout to {HALF} hosts, the deployer, then Ansible"
    ));
    let ours = timed(scene.rollout(0..HALF)).await?.0;
    machine_at_rest().await?;
    let theirs = timed(scene.ansible(HALF..HOSTS)).await?.0;
    timed(scene.rollout(0..HOSTS)).await?;
    timed(scene.ansible(0..HOSTS)).await?;

    let mut figures = Vec::new();
    for size in SIZES {
        context.say(format_args!("nothing to do on {size} hosts"));
        let (mut ssh, mut deployer, mut ansible) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            ssh.push(scene.ssh(size).await?);
            deployer.push(timed(scene.rollout(0..size)).await?.0);
            if round < ANSIBLE_ROUNDS {
                ansible.push(timed(scene.ansible(0..size)).await?.0);
            }
        }
        let (ssh, deployer, ansible) = (median(ssh), median(deployer), median(ansible));
        figures.push(
            Figure::at_most(
                format!("nothing to do on {size} hosts, to one ssh exec a host in parallel"),
                deployer / ssh,
                1.25,
                "×",
            )
            .against(format!("deployer: {deployer:.2} s; ssh: {ssh:.2} s")),
        );
        figures.push(
            Figure::at_least(
                format!("nothing to do on {size} hosts, Ansible's time to the deployer's"),
                ansible / deployer,
                15.0,
                "×",
            )
            .against(format!("Ansible: {ansible:.2} s")),
        );
    }
    figures.push(
        Figure::at_least(
            format!("first rollout of the agent to {HALF} hosts, image built here, Ansible's time to the deployer's"),
            theirs / ours,
            5.0,
            "×",
        )
        .against(format!("deployer: {ours:.1} s; Ansible: {theirs:.1} s")),
    );
    figures.push(scene.one_byte(context).await?);
    stage.close().await;
    Ok(figures)
}

impl Scene {
    fn file(&self, name: &str) -> PathBuf {
        self.lab.place().join(name)
    }

    fn names(&self, range: std::ops::Range<usize>) -> String {
        let names: Vec<&str> = self.hosts[range].iter().map(|(name, _)| name.as_str()).collect();
        names.join(",")
    }

    /// Files for both, and the image.
    async fn prepare(&self, context: &Context, server: &str, api_key: &str) -> Result<(), ScenarioError> {
        let folder = self.lab.folder();
        std::fs::write(self.file("agent-image.sh"), AGENT_IMAGE)?;
        std::fs::write(self.file("rollout.yaml"), PLAYBOOK)?;
        self.compose(&self.image, server, api_key)?;
        let mut image = Command::new("bash");
        image
            .arg(self.file("agent-image.sh"))
            .arg(context.program("node-client"))
            .arg(&self.image)
            .arg(self.file("image"));
        timed(image).await?;

        let mut inventory = String::new();
        for (name, address) in &self.hosts {
            inventory.push_str(&format!("{name} ansible_host={address}\n"));
            // The deployer's user may do little as root; Ansible needs a Python that may do all.
            let mut sudo = self.lab.podman();
            sudo.args(["exec", &self.lab.container(name), "sh", "-c"])
                .arg("echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/99-ansible");
            timed(sudo).await?;
        }
        inventory.push_str(&format!(
            "[all:vars]\nansible_user=deploy\nansible_ssh_private_key_file={0}/id_ed25519\n\
             ansible_python_interpreter=/usr/bin/python3\nimage={1}\narchive={2}\nserver={server}\napi_key={api_key}\n",
            folder.display(),
            self.image,
            self.file("image/agent.tar").display(),
        ));
        std::fs::write(self.file("inventory.ini"), inventory)?;
        let settings = format!(
            "[defaults]\nforks = {HOSTS}\nlocal_tmp = {1}\n[ssh_connection]\npipelining = true\n\
             control_path_dir = {1}\nssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={0}/known_hosts\n",
            folder.display(),
            self.file("ansible").display(),
        );
        std::fs::write(self.file("ansible.cfg"), settings)?;
        Ok(())
    }

    fn compose(&self, image: &str, server: &str, api_key: &str) -> Result<(), ScenarioError> {
        let text = COMPOSE
            .replace("IMAGE", image)
            .replace("SERVER_URL", server)
            .replace("KEY_TEXT", api_key);
        Ok(std::fs::write(self.file("compose.yaml"), text)?)
    }

    fn rollout(&self, range: std::ops::Range<usize>) -> Command {
        let mut command = Command::new(&self.deployer);
        command
            .args(["rollout", "--hosts"])
            .arg(self.lab.folder().join("hosts.toml"))
            .args(["--host", &self.names(range)])
            .current_dir(self.lab.place());
        command
    }

    fn ansible(&self, range: std::ops::Range<usize>) -> Command {
        let mut command = Command::new("ansible-playbook");
        command
            .args([
                "--inventory",
                "inventory.ini",
                "--limit",
                &self.names(range),
                "rollout.yaml",
            ])
            .env("ANSIBLE_CONFIG", self.file("ansible.cfg"))
            .current_dir(self.lab.place());
        command
    }

    /// `ssh HOST true` on each host at once, until the last has ended.
    async fn ssh(&self, hosts: usize) -> Result<f64, ScenarioError> {
        let folder = self.lab.folder();
        let mut all = JoinSet::new();
        let started = tokio::time::Instant::now();
        for (_, address) in &self.hosts[..hosts] {
            let mut ssh = Command::new("ssh");
            ssh.arg("-F").arg("none").arg("-i").arg(folder.join("id_ed25519"));
            ssh.args(["-o", "BatchMode=yes", "-o"]);
            ssh.arg(format!(
                "UserKnownHostsFile={}",
                folder.join("known_hosts").display()
            ));
            ssh.arg(format!("deploy@{address}")).arg("true");
            all.spawn(timed(ssh));
        }
        while let Some(joined) = all.join_next().await {
            joined.map_err(std::io::Error::other)??;
        }
        Ok(started.elapsed().as_secs_f64())
    }

    /// What each host receives when one byte of a large image has changed.
    async fn one_byte(&self, context: &Context) -> Result<Figure, ScenarioError> {
        context.say("one byte of an image of 50 MB");
        let folder = self.file("big");
        std::fs::create_dir_all(&folder)?;
        let mut recipe = format!("FROM {}\n", self.image);
        for layer in 0..LAYERS {
            let bytes: Vec<u8> = (0..LAYER_BYTES).map(|_| rand::random()).collect();
            std::fs::write(folder.join(format!("layer{layer}")), bytes)?;
            recipe.push_str(&format!("COPY layer{layer} /\n"));
        }
        std::fs::write(folder.join("Containerfile"), recipe)?;
        let text = std::fs::read_to_string(self.file("compose.yaml"))?.replace(&self.image, &self.big_image);
        std::fs::write(self.file("compose.yaml"), text)?;
        self.build_big(&folder).await?;
        timed(self.rollout(0..SHIPPED_TO)).await?;

        let last = folder.join(format!("layer{}", LAYERS - 1));
        let mut bytes = std::fs::read(&last)?;
        if let Some(byte) = bytes.first_mut() {
            *byte = byte.wrapping_add(1);
        }
        std::fs::write(&last, bytes)?;
        self.build_big(&folder).await?;
        let before = self.received().await?;
        let (seconds, _) = timed(self.rollout(0..SHIPPED_TO)).await?;
        let received = (self.received().await? - before) / SHIPPED_TO as f64;
        let whole = (LAYERS * LAYER_BYTES) as f64;
        Ok(Figure::at_most(
            "one byte changed in an image of 50 MB (20 layers): share that each host receives",
            received / whole * 100.0,
            10.0,
            "%",
        )
        .against(format!(
            "{:.1} MB a host in {seconds:.1} s; the changed layer has {:.1} MB",
            received / 1e6,
            LAYER_BYTES as f64 / 1e6
        )))
    }

    async fn build_big(&self, folder: &Path) -> Result<(), ScenarioError> {
        let mut build = self.lab.podman();
        build.args([
            "build",
            "--quiet",
            "--layers",
            "--format",
            "docker",
            "--tag",
            &self.big_image,
        ]);
        build.arg(folder);
        timed(build).await.map(drop)
    }

    /// Bytes that the first hosts have received so far, together.
    async fn received(&self) -> Result<f64, ScenarioError> {
        let mut sum = 0.0;
        for (name, _) in &self.hosts[..SHIPPED_TO] {
            let mut read = self.lab.podman();
            read.args(["exec", &self.lab.container(name), "cat"])
                .arg("/sys/class/net/eth0/statistics/rx_bytes");
            sum += timed(read).await?.1.trim().parse::<f64>().unwrap_or(0.0);
        }
        Ok(sum)
    }
}

/// Names and addresses from the lab's hosts.toml, in its order.
fn read_hosts(folder: &Path) -> Result<Vec<(String, String)>, ScenarioError> {
    let text = std::fs::read_to_string(folder.join("hosts.toml"))?;
    let values = |name: &str| -> Vec<String> {
        let prefix = format!("{name} = \"");
        text.lines()
            .filter_map(|line| line.strip_prefix(&prefix))
            .map(|rest| rest.trim_end_matches('"').to_owned())
            .collect()
    };
    Ok(values("name").into_iter().zip(values("address")).collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
