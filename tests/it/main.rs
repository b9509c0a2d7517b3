//! The tests of the book: of the chapters, their programs, their evidence, and of what they share.

mod chapters;
