//! Times as people write them: localtime(3) and gmtime(3).

use std::mem::MaybeUninit;

/// A time, broken down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calendar {
    pub(crate) year: i64,
    /// From 1 to 12.
    pub(crate) month: i32,
    pub(crate) day: i32,
    pub(crate) hour: i32,
    pub(crate) minute: i32,
    pub(crate) second: i32,
}

impl Calendar {
    /// Returns so many seconds since the epoch as clocks here show it.
    pub(crate) fn local(seconds: i64) -> Self {
        Calendar::new(seconds, true)
    }

    /// Returns so many seconds since the epoch in UTC.
    pub(crate) fn utc(seconds: i64) -> Self {
        Calendar::new(seconds, false)
    }

    fn new(seconds: i64, is_local: bool) -> Self {
        let mut broken_down = MaybeUninit::<libc::tm>::zeroed();
        let time: libc::time_t = seconds;
        // SAFETY: both functions read one number and write one struct, for which
        // zeros are valid. Nothing changes the environment meanwhile.
        #[expect(unsafe_code, reason = "only the C library knows the time zone")]
        let broken_down = unsafe {
            if is_local {
                libc::localtime_r(&raw const time, broken_down.as_mut_ptr());
            } else {
                libc::gmtime_r(&raw const time, broken_down.as_mut_ptr());
            }
            broken_down.assume_init()
        };
        Calendar {
            year: i64::from(broken_down.tm_year) + 1900,
            month: broken_down.tm_mon + 1,
            day: broken_down.tm_mday,
            hour: broken_down.tm_hour,
            minute: broken_down.tm_min,
            second: broken_down.tm_sec,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_a_date() {
        let expected = Calendar {
            year: 2024,
            month: 2,
            day: 29,
            hour: 23,
            minute: 59,
            second: 58,
        };
        assert_eq!(Calendar::utc(1_709_251_198), expected);
        assert_eq!(Calendar::utc(0).year, 1970);
    }

    #[test]
    fn no_time_makes_it_panic() {
        for seconds in [i64::MIN, i64::MAX, -1] {
            let _ = (Calendar::local(seconds), Calendar::utc(seconds));
        }
    }
}
