//! How a chapter becomes a program.

use anyhow::Result;
use candle_core::Device;
use normbook_fingerprint::Sources;
use normbook_lab::Book;
use normbook_ops::implementation::Implementation;

/// Makes a program of the chapter with these flags. Its tests, which are part of another program, leave it out.
#[macro_export]
macro_rules! chapter {
    ($chapter:ty) => {
        #[cfg(not(any(test, target_family = "wasm")))]
        #[global_allocator]
        static ALLOCATOR: $crate::chapter::MiMalloc = $crate::chapter::MiMalloc;

        #[cfg(not(test))]
        fn main() -> std::process::ExitCode {
            $crate::chapter::run::<$chapter>($crate::chapter::book($crate::chapter::sources!()))
        }
    };
}

#[cfg(not(target_family = "wasm"))]
pub use mimalloc::MiMalloc;
pub use normbook_lab::cli::run;
pub use normbook_sources::sources;

/// Describes this book to the lab; `sources` is the text that [`sources!`] embeds.
pub fn book(sources: &str) -> Result<Book> {
    Ok(Book {
        version: env!("CARGO_PKG_VERSION"),
        root: env!("CARGO_MANIFEST_DIR"),
        sources: Sources::embedded(sources)?,
        kernels: |device: &Device| Ok(Implementation::on(device)?.name()),
        committed_kernels: Implementation::Fused.name(),
    })
}
