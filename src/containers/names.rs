//! Names of containers in the files of their engines.

use std::collections::HashMap;

use serde::Deserialize;

/// Parses the name in Docker's `config.v2.json`, where it begins with a slash.
pub(crate) fn docker_name(config: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Config {
        name: String,
    }
    let config: Config = serde_json::from_slice(config).ok()?;
    let name = config.name.trim_start_matches('/');
    (!name.is_empty()).then(|| name.to_owned())
}

/// Parses `containers.json` of containers-storage, which Podman and CRI-O use:
/// the first name of each container by its ID.
pub(crate) fn storage_names(containers: &[u8]) -> HashMap<String, String> {
    #[derive(Deserialize)]
    struct Stored {
        id: String,
        #[serde(default)]
        names: Option<Vec<String>>,
    }
    let stored: Vec<Stored> = serde_json::from_slice(containers).unwrap_or_default();
    stored
        .into_iter()
        .filter_map(|stored| Some((stored.id, stored.names?.into_iter().next()?)))
        .collect()
}

/// Parses the name that Kubernetes or nerdctl put into the annotations of an OCI
/// bundle's `config.json`.
pub(crate) fn bundle_name(config: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        annotations: HashMap<String, String>,
    }
    let mut config: Config = serde_json::from_slice(config).ok()?;
    let keys = ["io.kubernetes.cri.container-name", "nerdctl/name"];
    let mut names = keys
        .iter()
        .filter_map(|key| config.annotations.remove(*key));
    names.find(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_engine_keeps_names_in_its_own_way() {
        let docker = br#"{"ID":"5f","Name":"/web","State":{"Running":true}}"#;
        assert_eq!(docker_name(docker).as_deref(), Some("web"));
        let storage = br#"[{"id":"5f","names":["db","k8s_db"],"layer":"x"},{"id":"60"},
            {"id":"61","names":null},{"id":"62","names":[]}]"#;
        let expected = HashMap::from([("5f".to_owned(), "db".to_owned())]);
        assert_eq!(storage_names(storage), expected);
        let cri = br#"{"annotations":{"io.kubernetes.cri.container-name":"app","x":"y"}}"#;
        assert_eq!(bundle_name(cri).as_deref(), Some("app"));
        let nerdctl = br#"{"annotations":{"nerdctl/name":"job"}}"#;
        assert_eq!(bundle_name(nerdctl).as_deref(), Some("job"));
    }

    #[test]
    fn what_is_malformed_or_has_none_gives_no_name() {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            r#"{"Name":"/"}"#,
            r#"{"Name":7}"#,
            "null",
        ] {
            assert_eq!(docker_name(text.as_bytes()), None, "{text}");
            assert_eq!(bundle_name(text.as_bytes()), None, "{text}");
            assert_eq!(storage_names(text.as_bytes()), HashMap::new(), "{text}");
        }
        let empty = br#"{"annotations":{"nerdctl/name":""}}"#;
        assert_eq!(bundle_name(empty), None);
        assert_eq!(storage_names(br#"[{"names":["x"]}]"#), HashMap::new());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (docker_name(&bytes), bundle_name(&bytes), storage_names(&bytes));
        }
    }
}
