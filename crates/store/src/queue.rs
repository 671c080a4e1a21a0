//! Work that waits for a connection. The connection that became free last is handed the next work: what it and its server need lies in the
//! processor's caches still, and an idle shop keeps one connection busy instead of waking all of them in turn.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Why something could not be put into a queue; it is handed back.
#[derive(Debug)]
pub(crate) enum Refused<T> {
    /// As much waits as may wait.
    Full(T),
    /// Nobody is left who takes it.
    Closed(T),
}

struct State<T> {
    waiting: VecDeque<T>,
    /// Those who wait for work, each by what rouses it; the last to have come goes first.
    free: Vec<Arc<Condvar>>,
    takers: usize,
    closed: bool,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    room: usize,
}

impl<T> Shared<T> {
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end where work is put in. When it is dropped the takers finish what waits and hear that there is no more.
pub(crate) struct Giver<T>(Arc<Shared<T>>);

/// An end where work is taken out, one for each connection.
pub(crate) struct Taker<T> {
    shared: Arc<Shared<T>>,
    rouse: Arc<Condvar>,
}

/// A queue in which so much may wait.
pub(crate) fn queue<T>(room: usize) -> Giver<T> {
    let state = State { waiting: VecDeque::new(), free: Vec::new(), takers: 0, closed: false };
    Giver(Arc::new(Shared { state: Mutex::new(state), room }))
}

impl<T> Giver<T> {
    /// One more who takes work out.
    pub fn taker(&self) -> Taker<T> {
        self.0.state().takers += 1;
        Taker { shared: self.0.clone(), rouse: Arc::default() }
    }

    /// Puts work in.
    ///
    /// # Errors
    /// [`Refused`], with the work.
    pub fn put(&self, work: T) -> Result<(), Refused<T>> {
        let mut state = self.0.state();
        if state.takers == 0 {
            return Err(Refused::Closed(work));
        }
        if state.waiting.len() >= self.0.room {
            return Err(Refused::Full(work));
        }
        state.waiting.push_back(work);
        let roused = state.free.pop();
        drop(state);
        if let Some(roused) = roused {
            roused.notify_one();
        }
        Ok(())
    }

    /// How much waits.
    pub fn len(&self) -> usize {
        self.0.state().waiting.len()
    }
}

impl<T> Drop for Giver<T> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed = true;
        state.free.drain(..).for_each(|taker| taker.notify_one());
    }
}

impl<T> Taker<T> {
    /// The next work, waited for; `None` when there is no more and never will be.
    pub fn take(&self) -> Option<T> {
        let mut state = self.shared.state();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                return Some(work);
            }
            if state.closed {
                return None;
            }
            state.free.push(self.rouse.clone());
            let is_free = |state: &mut State<T>| state.free.iter().any(|one| Arc::ptr_eq(one, &self.rouse));
            state = self.rouse.wait_while(state, is_free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next work, if any waits.
    pub fn take_waiting(&self) -> Option<T> {
        self.shared.state().waiting.pop_front()
    }
}

impl<T> Drop for Taker<T> {
    /// What waits when the last one goes is dropped: whoever waits for its outcome hears that nobody takes it.
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.takers -= 1;
        let left = if state.takers == 0 { std::mem::take(&mut state.waiting) } else { VecDeque::new() };
        drop(state);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// Takers with numbers, who tell what they took.
    fn takers(giver: &Giver<u32>, many: u32) -> (Receiver<(u32, u32)>, Vec<thread::JoinHandle<()>>) {
        let (teller, told) = channel();
        let lives = (0..many).map(|number| {
            let (taker, teller) = (giver.taker(), teller.clone());
            thread::spawn(move || {
                while let Some(work) = taker.take() {
                    teller.send((number, work)).expect("somebody listens");
                }
            })
        });
        (told, lives.collect())
    }

    fn all_free(giver: &Giver<u32>, many: usize) {
        while giver.0.state().free.len() < many {
            thread::yield_now();
        }
    }

    #[test]
    fn one_after_another_goes_to_the_same_hands() {
        let giver = queue(10);
        let (told, lives) = takers(&giver, 4);
        let mut whose = Vec::new();
        for work in 0..20 {
            all_free(&giver, 4);
            giver.put(work).expect("room");
            let (number, done) = told.recv_timeout(Duration::from_secs(10)).expect("done");
            assert_eq!(done, work);
            whose.push(number);
        }
        assert!(whose.iter().all(|number| *number == whose[0]), "{whose:?}");
        drop(giver);
        lives.into_iter().for_each(|life| life.join().expect("it ends"));
    }

    #[test]
    fn much_at_once_is_done_once_and_what_waits_is_done_before_the_end() {
        let giver = queue(1_000);
        let (told, lives) = takers(&giver, 3);
        for work in 0..1_000 {
            giver.put(work).expect("room");
        }
        drop(giver);
        lives.into_iter().for_each(|life| life.join().expect("what waits is done before it ends"));
        let mut done: Vec<u32> = told.iter().map(|(_, work)| work).collect();
        done.sort_unstable();
        assert_eq!(done, (0..1_000).collect::<Vec<_>>());
        let giver = queue(3);
        let taker = giver.taker();
        (0..3).for_each(|work| giver.put(work).expect("room"));
        assert_eq!((taker.take(), taker.take_waiting(), taker.take()), (Some(0), Some(1), Some(2)));
        assert_eq!(taker.take_waiting(), None);
    }

    #[test]
    fn a_full_queue_and_one_without_takers_hand_work_back() {
        let giver = queue(2);
        assert!(matches!(giver.put(7), Err(Refused::Closed(7))), "nobody takes it");
        let taker = giver.taker();
        giver.put(1).expect("room");
        giver.put(2).expect("room");
        assert!(matches!(giver.put(3), Err(Refused::Full(3))));
        assert_eq!(giver.len(), 2);
        let other = giver.taker();
        drop(taker);
        assert_eq!(giver.len(), 2, "the other one takes it");
        drop(other);
        assert_eq!(giver.len(), 0, "what nobody takes is dropped");
        assert!(matches!(giver.put(4), Err(Refused::Closed(4))));
    }
}
