//! Why the program ends without having done what it was asked, and the exit code that says so to other programs.

use std::fmt;
use std::process::ExitCode;

use engine::Failure;
use store::StoreError;
use store::backup::BackupError;

/// What went wrong, told to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It was tried and failed, or something was found that is not as it should be.
    Failed(String),
    /// The command line or a setting cannot be understood.
    Usage(String),
    /// Something around the program is missing: a file, a disk, a database, a port, a key.
    Environment(String),
}

impl Fault {
    /// An [`Fault::Environment`] met while `doing` something.
    pub fn environment(doing: impl fmt::Display, why: impl fmt::Display) -> Fault {
        Fault::Environment(format!("{doing}: {why}"))
    }

    /// The exit code: 1, 2 or 3.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.number())
    }

    /// The exit code as a number.
    pub const fn number(&self) -> u8 {
        match self {
            Fault::Failed(_) => 1,
            Fault::Usage(_) => 2,
            Fault::Environment(_) => 3,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Fault::Failed(why) | Fault::Usage(why) | Fault::Environment(why)) = self;
        out.write_str(why)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        if error.is_passing() {
            Fault::Environment(error.to_string())
        } else {
            Fault::Failed(error.to_string())
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Fault {
        match failure {
            Failure::Refused(refusal) => Fault::Failed(refusal.to_string()),
            Failure::Store(error) => error.into(),
        }
    }
}

impl From<BackupError> for Fault {
    fn from(error: BackupError) -> Fault {
        match error {
            BackupError::Store(error) => error.into(),
            BackupError::File(_) => Fault::Environment(error.to_string()),
            BackupError::Unfit(why) => Fault::Failed(why),
        }
    }
}
