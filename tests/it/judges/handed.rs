//! What Vault's own agent makes of the templates that pods bear for it: the values that Vault holds, in the text of the
//! spec. The injector that puts the agent beside a pod hands these templates to it as they are.

use std::fs;

use serde_yaml_ng::Value;

use super::tool::Tools;
use crate::agents::{Agents, TOKEN, shown};
use crate::say;
use crate::tidy::top;

/// Pods of one case, each with the file that the agent writes, and what must stand in it.
const FILES: [(&str, &str, &str); 2] = [
    (
        "web/deployment.yaml",
        "etc-web-mail-conf-44164f",
        "user = \"sales\" # {{ of web }}\npassword = p{{ss}} 'w\" $0\n",
    ),
    ("report/job.yaml", "run-report-b2d482", "sales"),
];

#[test]
fn an_agent_of_vault_writes_what_the_spec_says() {
    let Some(tools) = Tools::of_environment() else {
        return say("judges: left out the templates for agents of Vault");
    };
    let room = tempfile::tempdir().expect("a temporary folder can be made");
    let agents = Agents::new(room.path(), &tools.folder, room.path()).with_vault();
    agents.text("vault secrets enable -path=kv -version=2 kv");
    // A store of this version is made ready after the answer.
    agents.until(30, "the store", || agents.ok("vault kv put kv/shop/mail user=sales"));
    agents.text("vault kv put kv/shop/relay/smtp pass='p{{ss}} '\\''w\" $0'");
    fs::write(room.path().join("token"), TOKEN).expect("the folder is ours");
    for (pod, name, wanted) in FILES {
        let path = top()
            .join("tests/cases/kubernetes/an_agent_of_vault_writes_files/expected/deployments/kubernetes")
            .join(pod);
        let object: Value =
            serde_yaml_ng::from_str(&fs::read_to_string(&path).expect("the case has it")).expect("an object is YAML");
        let annotations = &object["spec"]["template"]["metadata"]["annotations"];
        let key = format!("vault.hashicorp.com/agent-inject-template-{name}");
        let template = annotations[key.as_str()].as_str().expect("the pod bears it");
        fs::write(room.path().join("template"), template).expect("the folder is ours");
        let config = "exit_after_auth = true\n\
            auto_auth {\n  method \"token_file\" {\n    config = {\n      token_file_path = \"token\"\n    }\n  }\n}\n\
            template_config {\n  exit_on_retry_failure = true\n}\n\
            template {\n  source = \"template\"\n  destination = \"written\"\n}\n";
        fs::write(room.path().join("agent.hcl"), config).expect("the folder is ours");
        let ran = agents.sh("vault agent -config=agent.hcl");
        let written = fs::read_to_string(room.path().join("written"));
        let written = written.unwrap_or_else(|error| panic!("{pod}: {error}\n{}", shown(&ran.stdout)));
        assert_eq!(written, wanted, "{pod}: {}", shown(&ran.stderr));
    }
    say(&format!(
        "judges: an agent of Vault writes {} files as the spec says",
        FILES.len()
    ));
}
