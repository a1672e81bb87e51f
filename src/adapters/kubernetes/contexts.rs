//! The contexts of kubeconfigs: what could be connected to. Reads files and sends nothing.

use std::path::Path;

use kube::config::Kubeconfig;

use crate::{
    error::{Error, ErrorKind, Result},
    fleet::Text,
};

/// One context of a kubeconfig.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundContext {
    /// Its name.
    pub name: String,
    /// The cluster it leads to, as the kubeconfig calls it.
    pub cluster: String,
    /// That cluster's address, which tells clusters apart whatever they are called.
    pub server: Text,
    /// As whom.
    pub user: String,
    /// The namespace it begins in; empty where it names none.
    pub namespace: String,
    /// Whether it is the current one.
    pub current: bool,
}

/// The contexts of `kubeconfig`, else of `KUBECONFIG` (a list of files) or `~/.kube/config`, in the order of the file.
/// None where there is no such file and nobody named one.
pub fn contexts(kubeconfig: Option<&Path>) -> Result<Vec<FoundContext>> {
    let named = std::env::var_os("KUBECONFIG").is_some_and(|list| !list.is_empty());
    let read = match kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let file = match read {
        Ok(file) => file,
        Err(kube::config::KubeconfigError::ReadConfig(cause, _))
            if kubeconfig.is_none() && !named && cause.kind() == std::io::ErrorKind::NotFound =>
        {
            return Ok(Vec::new());
        }
        Err(cause) => {
            return Err(Error::new(ErrorKind::Config, "the kubeconfig cannot be used")
                .because(&cause)
                .hint("check it with `kubectl config view`"));
        }
    };
    let server = |cluster: &str| {
        let found =
            file.clusters.iter().find(|it| it.name == cluster).and_then(|it| it.cluster.as_ref()?.server.clone());
        Text::from(found.unwrap_or_default().trim_end_matches('/').to_owned())
    };
    let found = file.contexts.iter().filter_map(|it| {
        let context = it.context.as_ref()?;
        Some(FoundContext {
            name: it.name.clone(),
            cluster: context.cluster.clone(),
            server: server(&context.cluster),
            user: context.user.clone().unwrap_or_default(),
            namespace: context.namespace.clone().unwrap_or_default(),
            current: file.current_context.as_deref() == Some(&*it.name),
        })
    });
    Ok(found.collect())
}
