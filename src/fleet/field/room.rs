//! Which columns there are in which room. Those of objects come from their platform, all others stand in `columns.rs`.

use std::borrow::Cow;

use super::{Align, Context, Field, Width};
use crate::fleet::{ids::Kind, object::Column};

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// 80 cells.
    Narrow,
    /// As much as a wide screen has.
    Wide,
}

/// What is known of the width of a platform's column is the width of its heading and of what stands in it.
const CELL: Width = Width { min: 4, preferred: 16 };

impl<'a> Context<'a> {
    /// The columns of `kind`, in order.
    pub fn columns(self, kind: Kind, room: Room) -> Cow<'static, [Field]> {
        let listed = match room {
            Room::Narrow => Field::default_columns(kind),
            Room::Wide => Field::wide_columns(kind),
        };
        let own = self.store.columns();
        if kind != Kind::Object || own.all.is_empty() {
            return Cow::Borrowed(listed);
        }
        let shown = |column: &Column| room == Room::Wide || !column.wide;
        let field = |(number, column): (u8, &Column)| if column.name { Field::Name } else { Field::Cell(number) };
        let mut fields: Vec<Field> = (0..).zip(&own.all).filter(|(_, it)| shown(it)).map(field).collect();
        if !own.all.iter().any(|column| column.name) {
            fields.insert(0, Field::Name);
        }
        if own.namespaced {
            let after =
                fields.iter().position(|field| *field == Field::Name).filter(|at| *at == 0).map_or(0, |at| at + 1);
            fields.insert(after, Field::Group);
        }
        if room == Room::Wide {
            fields.extend([Field::Environment, Field::Connection]);
        }
        Cow::Owned(fields)
    }

    /// Every field of `kind` that one can sort by, most important first.
    pub fn fields(self, kind: Kind) -> Cow<'static, [Field]> {
        let all = Field::all(kind);
        if kind != Kind::Object || self.store.columns().all.is_empty() {
            return Cow::Borrowed(all);
        }
        let mut fields = self.columns(kind, Room::Wide).into_owned();
        fields.extend(all.iter().filter(|field| !fields.contains(field)).copied().collect::<Vec<_>>());
        Cow::Owned(fields)
    }

    /// The platform's own column that `word` means, as it is written in a filter.
    pub fn called(self, word: &str) -> Option<Field> {
        let all = (0..).zip(&self.store.columns().all);
        all.into_iter().find(|(_, column)| column.is_called(word)).map(|(number, _)| Field::Cell(number))
    }

    /// The heading of `field`.
    pub fn title(self, field: Field) -> &'a str {
        self.column(field).map_or_else(|| field.title(), |column| column.title.as_str())
    }

    /// What `field` is called where one is asked for: the platform's own columns go by their headings.
    pub fn word(self, field: Field) -> &'a str {
        self.column(field).map_or_else(|| field.key(), |column| column.title.as_str())
    }

    /// The same as a filter writes it.
    pub fn written(self, field: Field) -> String {
        self.column(field).map_or_else(|| field.key().to_owned(), |column| Column::written(&column.title))
    }

    /// One line about `field`.
    pub fn about(self, field: Field) -> &'a str {
        self.column(field).map_or_else(|| field.about(), |column| column.about.as_str())
    }

    /// On which side of its column `field` stands.
    pub fn align(self, field: Field) -> Align {
        self.column(field).map_or_else(|| field.align(), |column| column.align)
    }

    /// How wide the column of `field` wants to be.
    pub fn width(self, field: Field) -> Width {
        if self.column(field).is_some() { CELL } else { field.width() }
    }

    fn column(self, field: Field) -> Option<&'a Column> {
        if let Field::Cell(number) = field { self.store.columns().all.get(usize::from(number)) } else { None }
    }
}
