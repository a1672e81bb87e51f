//! What exists, across platforms, in one typed vocabulary. Pure: no input or output, no clock, no colour.

pub mod attention;
pub mod backing;
pub mod cluster;
pub mod delta;
pub mod document;
pub mod endpoint;
pub mod environment;
pub mod field;
pub mod health;
pub mod ids;
pub mod image;
pub mod lock;
pub mod log;
pub mod node;
pub mod object;
pub mod pipeline;
pub mod placement;
pub mod query;
pub mod resource;
#[cfg(test)]
pub(crate) mod sample;
pub mod sanitize;
pub mod service;
pub mod spread;
pub mod store;
pub mod task;
pub mod text;
pub mod time;
pub mod usage;

pub use attention::Attention;
pub use backing::{Backing, BackingSort};
pub use cluster::{Cluster, Quorum};
pub use delta::{Delta, Scope};
pub use document::Document;
pub use endpoint::{Endpoint, Purpose, TestReport};
pub use environment::{Environment, EnvironmentRules, Environments};
pub use field::{Context, Field, Order, Value, bytes_brief};
pub use health::Health;
pub use ids::{ConnectionId, EnvironmentId, Kind, ResourceId};
pub use image::Image;
pub use lock::Lock;
pub use node::{Availability, Capacity, Node, NodeRole, NodeState, Purchase};
pub use object::{Cell, Column, Columns, Definition, Object};
pub use pipeline::{Gate, Pipeline, Run, RunState, Stage};
pub use query::Query;
pub use resource::Resource;
pub use service::{
    Bounds, Budget, Configuration, Mode, Port, PortMode, Replicas, Rollout, RolloutState, Route, Service,
};
pub use spread::Spread;
pub use store::Store;
pub use task::{Task, TaskState};
pub use text::{Interner, Text, counted};
pub use time::Timestamp;
pub use usage::{Amount, Usage};
