//! A stream written as straight-line code. Nothing is spawned: the code runs while the stream is polled, and dropping
//! the stream drops it where it stands.

use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;

use crate::platform::BoxStream;

/// What `code` puts into its outlet, in order; ends when `code` does.
pub fn generate<T, F, C>(code: C) -> BoxStream<'static, T>
where
    T: Send + 'static,
    C: FnOnce(mpsc::Sender<T>) -> F,
    F: Future<Output = ()> + Send + 'static,
{
    let (outlet, receiver) = mpsc::channel(1);
    let said = stream::unfold(receiver, |mut receiver| async { receiver.recv().await.map(|item| (item, receiver)) });
    let work = code(outlet).into_stream().filter_map(|()| async { None });
    stream::select(said, work).boxed()
}
