//! Whether a row is what a filter asks for.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    Comparison, Subject, Test, Wanted,
    quantity::{Quantity, Unit},
};
use crate::fleet::{
    field::{Context, Field, Value, natural},
    health::Health,
    ids::{Kind, ResourceId},
    image::Image,
    object::Cell,
    resource::Resource,
    text::Text,
};

/// A word to look for, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    text: String,
    ascii: bool,
    /// Where its rarest byte is: looking for that one first passes over most texts without a second look.
    rarest: usize,
}

/// Bytes of names on platforms, the commonest first.
const COMMON: &[u8] = b"esratnio-0l1cduphm.g2w_byfkv34567x89jzq";

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let commonness = |byte: u8| COMMON.iter().position(|common| *common == byte).unwrap_or(COMMON.len());
        let rarest = text.bytes().enumerate().max_by_key(|(_, byte)| commonness(*byte)).map_or(0, |(at, _)| at);
        Self { ascii: text.is_ascii(), text, rarest }
    }

    /// Whether it is in `text`, in either case.
    pub(super) fn is_in(&self, text: &str) -> bool {
        if !self.ascii {
            return text.to_lowercase().contains(&self.text);
        }
        let (text, needle) = (text.as_bytes(), self.text.as_bytes());
        let Some(rarest) = needle.get(self.rarest) else { return true };
        let Some(spare) = text.len().checked_sub(needle.len()) else { return false };
        let places = text.get(self.rarest..=self.rarest + spare).unwrap_or_default();
        // Most words on platforms are in lower case, and looking for just that is many times faster.
        let same = |here: &[u8]| here == needle || here.eq_ignore_ascii_case(needle);
        let here = |at: usize| text.get(at..at + needle.len()).is_some_and(same);
        if rarest.is_ascii_alphabetic() {
            memchr::memchr2_iter(*rarest, rarest.to_ascii_uppercase(), places).any(here)
        } else {
            memchr::memchr_iter(*rarest, places).any(here)
        }
    }

    /// Whether it is all of `text`, in either case.
    pub(super) fn is(&self, text: &str) -> bool {
        if self.ascii { text.eq_ignore_ascii_case(&self.text) } else { text.to_lowercase() == self.text }
    }

    /// Whether what has this has `other` too.
    pub(super) fn contains(&self, other: &Self) -> bool {
        self.text.contains(&other.text)
    }

    /// Whether it begins with `other`.
    pub(super) fn begins_with(&self, other: &Self) -> bool {
        self.text.starts_with(&other.text)
    }

    /// The word for an empty field.
    pub(super) fn is_none(&self) -> bool {
        self.text == "none"
    }

    /// The sign for a field that is not empty.
    pub(super) fn is_anything(&self) -> bool {
        self.text == "*"
    }
}

impl Test {
    pub(super) fn holds(&self, resource: &Resource, context: Context<'_>) -> bool {
        match self {
            Self::Words(needles) => main_words(resource, |text| needles.iter().any(|needle| needle.is_in(text))),
            Self::Fuzzy(letters) => letters.occur_in(resource.name()),
            Self::Has(subject, wanted) => {
                subject.holds(resource, context, |value| wanted.iter().any(|wanted| wanted.is_in(value, context)))
            }
            Self::Is(subject, wanted) => {
                subject.holds(resource, context, |value| wanted.iter().any(|wanted| wanted.is(value, context)))
            }
            Self::Compares(Subject::Field(field), comparison, wanted) => {
                comparison.holds(wanted, &field.of(resource, context), context)
            }
            Self::Compares(subject, comparison, wanted) => {
                subject.holds(resource, context, |value| comparison.holds(wanted, value, context))
            }
            Self::Label(labels) => labels_of(resource, context).iter().any(|(key, value)| {
                labels
                    .iter()
                    .any(|(name, wanted)| name.is(key) && wanted.as_ref().is_none_or(|wanted| wanted.is_in(value)))
            }),
        }
    }
}

impl Subject {
    /// Whether `accept` holds for what it is of `resource`.
    fn holds<'a>(&self, resource: &'a Resource, context: Context<'a>, accept: impl FnMut(&Value<'a>) -> bool) -> bool {
        match self {
            Self::Field(field) => spoken(*field, resource, context, accept),
            Self::Column { word, field, written } => match context.called(word).or(*field) {
                Some(field) => spoken(field, resource, context, accept),
                None => main_words(resource, |text| written.is_in(text)),
            },
        }
    }
}

impl Wanted {
    pub(super) fn new(text: &str) -> Self {
        Self { words: Needle::new(text), quantity: Quantity::parse(text) }
    }

    fn is_in(&self, value: &Value<'_>, context: Context<'_>) -> bool {
        match value {
            Value::None => self.words.is_none(),
            _ if self.words.is_anything() => true,
            Value::Text(text) => self.words.is_in(text),
            // `health:fail` while it is being typed.
            Value::Health(health) => health.word().starts_with(&*self.words.text),
            Value::When(_) | Value::Due(_) | Value::Ratio(..) if self.quantity.is_none_or(Quantity::is_time) => {
                value.display(context.now).starts_with(&*self.words.text)
            }
            Value::Number(_)
            | Value::Bytes(_)
            | Value::Percent(_)
            | Value::Ratio(..)
            | Value::Millis(_)
            | Value::Cores { .. }
            | Value::Memory { .. }
            | Value::When(_)
            | Value::Due(_) => self.compare(value, context) == Some(Ordering::Equal),
        }
    }

    fn is(&self, value: &Value<'_>, context: Context<'_>) -> bool {
        match value {
            Value::Text(text) => self.words.is(text) || self.words.is_anything(),
            Value::Health(health) => self.words.is(health.word()) || self.words.is_anything(),
            Value::None
            | Value::Number(_)
            | Value::Bytes(_)
            | Value::Percent(_)
            | Value::Ratio(..)
            | Value::Millis(_)
            | Value::Cores { .. }
            | Value::Memory { .. }
            | Value::When(_)
            | Value::Due(_) => self.is_in(value, context),
        }
    }

    /// How `value` compares to what is wanted; `None` where they cannot be compared.
    #[expect(clippy::cast_precision_loss, reason = "a filter is written with a few digits")]
    fn compare(&self, value: &Value<'_>, context: Context<'_>) -> Option<Ordering> {
        if let Value::Health(health) = value {
            let wanted = Health::ALL.into_iter().find(|wanted| self.words.is(wanted.word()))?;
            return Some(health.cmp(&wanted));
        }
        if let Value::Text(text) = value {
            return Some(natural(text).cmp(natural(&self.words.text)));
        }
        let quantity = self.quantity?;
        let since = |at: i64| context.now.0.saturating_sub(at) as f64;
        let (amount, unit) = match value {
            Value::Number(number) => (*number as f64, Unit::One),
            Value::Bytes(bytes) => (*bytes as f64, Unit::Bytes),
            Value::Percent(percent) => (f64::from(*percent), Unit::Percent),
            Value::Ratio(part, whole) if quantity.unit == Unit::Percent => {
                (if *whole == 0 { 100.0 } else { *part as f64 / *whole as f64 * 100.0 }, Unit::Percent)
            }
            Value::Ratio(part, _) => (*part as f64, Unit::One),
            Value::Millis(millis) => (*millis as f64, Unit::Millis),
            // A share is one of what is allowed, and there is none where everything is.
            Value::Cores { most: 0, .. } | Value::Memory { most: 0, .. } if quantity.unit == Unit::Percent => {
                return None;
            }
            Value::Cores { used, most } | Value::Memory { used, most } if quantity.unit == Unit::Percent => {
                (*used as f64 / *most as f64 * 100.0, Unit::Percent)
            }
            // `500m` are minutes everywhere else.
            Value::Cores { used, .. } if quantity.unit == Unit::Millis => (*used as f64 * MINUTE, Unit::Millis),
            Value::Cores { used, .. } => (*used as f64 / 1e3, Unit::One),
            Value::Memory { used, .. } => (*used as f64, Unit::Bytes),
            Value::When(at) => (since(at.0), Unit::Millis),
            Value::Due(at) => (-since(at.0), Unit::Millis),
            Value::None | Value::Text(_) | Value::Health(_) => return None,
        };
        // Without a unit, a number means the field's own: percent, bytes, and seconds for times.
        let wanted = match quantity.unit {
            Unit::One if unit == Unit::Millis && !matches!(value, Value::Millis(_)) => quantity.amount * 1e3,
            Unit::One => quantity.amount,
            same if same == unit => quantity.amount,
            Unit::Millis | Unit::Bytes | Unit::Percent => return None,
        };
        amount.partial_cmp(&wanted)
    }
}

/// Milliseconds: what the `m` of a quantity is read as.
const MINUTE: f64 = 60e3;

impl Quantity {
    fn is_time(self) -> bool {
        self.unit == Unit::Millis
    }
}

impl Comparison {
    fn holds(self, wanted: &Wanted, value: &Value<'_>, context: Context<'_>) -> bool {
        wanted.compare(value, context).is_some_and(|ordering| self.accepts(ordering))
    }

    const fn accepts(self, ordering: Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

/// Whether `accept` holds for one of the words that a plain word looks at: what people call the row and where it is.
fn main_words(resource: &Resource, mut accept: impl FnMut(&str) -> bool) -> bool {
    let environment = resource.environment().map(|environment| &*environment.0);
    let mut optional = |text: Option<&Text>| text.is_some_and(|text| accept(text));
    if optional(Some(resource.name())) {
        return true;
    }
    let own = match resource {
        Resource::Cluster(it) => optional(it.fault.as_ref()) || accept(&it.native),
        Resource::Node(it) => {
            optional(it.zone.as_ref())
                || optional(it.group.as_ref())
                || optional(it.address.as_ref())
                || accept(it.role.word())
                || accept(it.state.word())
                || accept(it.availability.word())
        }
        Resource::Service(it) => {
            accept(&it.group)
                || it.image.as_ref().is_some_and(|image| accept(&image.reference))
                || it.rollout.as_ref().is_some_and(|rollout| accept(rollout.state.word()))
        }
        Resource::Task(it) => {
            optional(it.node_name.as_ref())
                || optional(it.message.as_ref())
                || accept(it.state.word())
                || accept(&it.native_state)
                || accept(&it.group)
                || it.image.as_ref().is_some_and(|image| accept(&image.reference))
        }
        Resource::Pipeline(it) => {
            accept(&it.native)
                || it.runs.first().is_some_and(|run| {
                    accept(&run.number)
                        || accept(run.state.word())
                        || run.commit.as_ref().is_some_and(|commit| accept(commit))
                })
        }
        Resource::Endpoint(it) => optional(it.message.as_ref()) || accept(&it.url),
        Resource::Backing(it) => accept(it.sort.word()) || accept(&it.detail) || accept(&it.group),
        Resource::Lock(it) => accept(&it.holder) || accept(&it.reason),
        Resource::Definition(it) => accept(&it.native) || accept(&it.group) || it.short.iter().any(|it| accept(it)),
        Resource::Object(it) => {
            let words = |cell: &Cell| if let Cell::Words(words) = cell { accept(words) } else { false };
            it.cells.iter().any(words) || accept(&it.group)
        }
    };
    own || environment.is_some_and(&mut accept) || accept(&resource.id().connection.0)
}

/// Whether `accept` holds for the field's value, or for another way people name the same thing: an image by its full
/// reference or digest, a node or a service by its id, a state by the platform's own word, a leader as a manager.
fn spoken<'a>(
    field: Field,
    resource: &'a Resource,
    context: Context<'a>,
    mut accept: impl FnMut(&Value<'a>) -> bool,
) -> bool {
    if accept(&field.of(resource, context)) {
        return true;
    }
    let mut also = |text: Option<&'a str>| text.is_some_and(|text| accept(&Value::Text(Cow::Borrowed(text))));
    match (field, resource) {
        (Field::Image | Field::Digest, _) => {
            image_of(resource).is_some_and(|image| also(Some(&image.reference)) || also(image.digest.as_deref()))
        }
        (Field::State, Resource::Task(it)) => also(Some(&it.native_state)),
        (Field::State, Resource::Node(it)) => also(Some(it.availability.word())),
        (Field::Role, Resource::Node(it)) => also(Some("manager").filter(|_| it.role.votes())),
        (Field::Node, Resource::Task(it)) => also(it.node.as_deref()),
        (Field::Service, Resource::Task(it)) => also(it.service.as_deref()),
        _ => false,
    }
}

fn image_of(resource: &Resource) -> Option<&Image> {
    match resource {
        Resource::Service(it) => it.image.as_ref(),
        Resource::Task(it) => it.image.as_deref(),
        Resource::Cluster(_)
        | Resource::Node(_)
        | Resource::Pipeline(_)
        | Resource::Endpoint(_)
        | Resource::Backing(_)
        | Resource::Lock(_)
        | Resource::Definition(_)
        | Resource::Object(_) => None,
    }
}

/// The labels of a node or a service; a task goes by those of its service.
fn labels_of<'a>(resource: &'a Resource, context: Context<'a>) -> &'a [(Text, Text)] {
    match resource {
        Resource::Node(it) => &it.labels,
        Resource::Service(it) => &it.labels,
        Resource::Task(it) => {
            let id = it.service.clone().map(|key| ResourceId::new(it.id.connection.clone(), Kind::Service, key));
            let service = id.and_then(|id| context.store.get(&id)).and_then(Resource::as_service);
            service.map_or(&[], |service| &service.labels)
        }
        Resource::Cluster(_)
        | Resource::Pipeline(_)
        | Resource::Endpoint(_)
        | Resource::Backing(_)
        | Resource::Lock(_)
        | Resource::Definition(_)
        | Resource::Object(_) => &[],
    }
}
