//! The price engine for a till that is off line: WebAssembly with three functions over JSON bytes in its memory.
//!
//! The host calls `room(length)` for a place, writes a question there (see [`pricing::answer`]), calls `ask()` for the length of the
//! answer, and reads it at `answer()`. The module imports nothing: it has no clock, no chance and no way out.

use std::cell::RefCell;

use domain::promotion::Rules;

#[derive(Default)]
struct Desk {
    kept: Option<Rules>,
    question: Vec<u8>,
    answer: Vec<u8>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// Makes room for a question of so many bytes and says where it is.
#[expect(unsafe_code, reason = "the host finds the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn room(length: u32) -> *const u8 {
    DESK.with_borrow_mut(|desk| {
        desk.question = vec![0; length as usize];
        desk.question.as_ptr()
    })
}

/// Answers the question that was written and says how long the answer is.
#[expect(unsafe_code, reason = "the host finds the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn ask() -> u32 {
    DESK.with_borrow_mut(|desk| {
        desk.answer = pricing::answer(&mut desk.kept, &std::mem::take(&mut desk.question));
        u32::try_from(desk.answer.len()).unwrap_or(0)
    })
}

/// Where the last answer is; it stays until the next question.
#[expect(unsafe_code, reason = "the host finds the function by its name")]
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    DESK.with_borrow(|desk| desk.answer.as_ptr())
}
