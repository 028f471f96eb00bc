//! What was moved, in numbers.

use super::Section;

/// How many things of each section an export holds, and how many of them were new to the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One entry for each section, in the order of the file.
    pub sections: Vec<Moved>,
}

/// One section in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The section.
    pub section: Section,
    /// How many the file holds.
    pub in_file: u64,
    /// How many were not in the store before; 0 for an export.
    pub new: u64,
}

impl Report {
    /// A report of nothing yet.
    pub(super) fn empty() -> Self {
        let nothing = |section| Moved {
            section,
            in_file: 0,
            new: 0,
        };
        Self {
            sections: Section::ALL.into_iter().map(nothing).collect(),
        }
    }

    pub(super) fn add(&mut self, section: Section, in_file: u64, new: u64) {
        for moved in self.sections.iter_mut().filter(|moved| moved.section == section) {
            moved.in_file += in_file;
            moved.new += new;
        }
    }

    /// How many things of a section the file holds.
    pub fn in_file(&self, section: Section) -> u64 {
        self.of(section).map_or(0, |moved| moved.in_file)
    }

    /// How many things of a section were new to the store.
    pub fn added(&self, section: Section) -> u64 {
        self.of(section).map_or(0, |moved| moved.new)
    }

    fn of(&self, section: Section) -> Option<&Moved> {
        self.sections.iter().find(|moved| moved.section == section)
    }
}
