//! Places on the map, kept as whole millionths of a degree (about 11 cm), and how far apart they are.

use std::fmt;

/// Micro-degrees in one degree.
const MICRO: i64 = 1_000_000;
const LATITUDE_MICRO_MAX: u32 = 90_000_000;
const LONGITUDE_MICRO_MAX: u32 = 180_000_000;

/// A point on earth by latitude and longitude in micro-degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates {
    latitude_micro: i32,
    longitude_micro: i32,
}

impl Coordinates {
    /// The point at this many micro-degrees north and east (south and west when negative).
    ///
    /// # Errors
    /// [`CoordinatesError`] when beyond the poles or more than half way round the earth.
    pub fn from_micro(latitude_micro: i32, longitude_micro: i32) -> Result<Coordinates, CoordinatesError> {
        if latitude_micro.unsigned_abs() > LATITUDE_MICRO_MAX {
            return Err(CoordinatesError::Latitude);
        }
        if longitude_micro.unsigned_abs() > LONGITUDE_MICRO_MAX {
            return Err(CoordinatesError::Longitude);
        }
        Ok(Coordinates { latitude_micro, longitude_micro })
    }

    /// Reads decimal degrees such as `51.507351` and `-0.127758`; digits after the sixth are cut off.
    ///
    /// # Errors
    /// [`CoordinatesError`] when one is not a number or out of bounds.
    pub fn parse(latitude: &str, longitude: &str) -> Result<Coordinates, CoordinatesError> {
        let latitude_micro = read_micro(latitude).ok_or(CoordinatesError::Latitude)?;
        let longitude_micro = read_micro(longitude).ok_or(CoordinatesError::Longitude)?;
        Coordinates::from_micro(latitude_micro, longitude_micro)
    }

    /// Micro-degrees north of the equator.
    pub fn latitude_micro(self) -> i32 {
        self.latitude_micro
    }

    /// Micro-degrees east of Greenwich.
    pub fn longitude_micro(self) -> i32 {
        self.longitude_micro
    }

    /// Whole metres to the other point over the surface of a round earth (haversine); at most 0.5 % off the true one.
    pub fn distance_m(self, other: Coordinates) -> u32 {
        /// The mean radius (IUGG).
        const EARTH_RADIUS_M: f64 = 6_371_008.8;
        let radians = |micro: i32| f64::from(micro).to_radians() / MICRO as f64;
        let half_turn = |from: i32, to: i32| ((radians(to) - radians(from)) / 2.0).sin().powi(2);
        let share = half_turn(self.latitude_micro, other.latitude_micro)
            + radians(self.latitude_micro).cos()
                * radians(other.latitude_micro).cos()
                * half_turn(self.longitude_micro, other.longitude_micro);
        (2.0 * EARTH_RADIUS_M * share.sqrt().min(1.0).asin()).round() as u32
    }
}

/// Reads decimal degrees as micro-degrees, without floats.
fn read_micro(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || whole.len() > 3 {
        return None;
    }
    let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
    let micro = whole.parse::<i64>().ok()? * MICRO + six.parse::<i64>().ok()?;
    i32::try_from(sign * micro).ok()
}

impl fmt::Display for Coordinates {
    /// Decimal degrees with six places, latitude first: `51.507351,-0.127758`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = |micro: i32| {
            let sign = if micro < 0 { "-" } else { "" };
            let size = i64::from(micro).abs();
            format!("{sign}{}.{:06}", size / MICRO, size % MICRO)
        };
        write!(out, "{},{}", degrees(self.latitude_micro), degrees(self.longitude_micro))
    }
}

/// Why coordinates were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoordinatesError {
    /// Not a number of degrees, or beyond a pole.
    Latitude,
    /// Not a number of degrees, or more than half way round the earth.
    Longitude,
}

impl fmt::Display for CoordinatesError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            CoordinatesError::Latitude => {
                "latitude is not between -90 and 90: give decimal degrees such as 51.507351"
            }
            CoordinatesError::Longitude => {
                "longitude is not between -180 and 180: give decimal degrees such as -0.127758"
            }
        })
    }
}
impl std::error::Error for CoordinatesError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(latitude: &str, longitude: &str) -> Coordinates {
        Coordinates::parse(latitude, longitude).unwrap()
    }

    #[test]
    fn distances_as_on_a_map() {
        let (london, leeds) = (at("51.507351", "-0.127758"), at("53.800755", "-1.549077"));
        assert_eq!(london.distance_m(leeds) / 1000, 272);
        assert_eq!(london.distance_m(london), 0);
        assert_eq!(at("0", "180").distance_m(at("0", "-180")), 0);
        assert_eq!(at("90", "0").distance_m(at("-90", "0")), 20_015_114);
        assert_eq!(at("0", "0").distance_m(at("0", "0.00001")), 1);
    }

    #[test]
    fn refuses_what_is_not_on_earth() {
        assert_eq!(Coordinates::parse("90.000001", "0"), Err(CoordinatesError::Latitude));
        assert_eq!(Coordinates::parse("0", "-180.1"), Err(CoordinatesError::Longitude));
        for text in ["", "-", "1.", ".5", "1e2", "51,5", "north", "9999", "--1", "١"] {
            assert_eq!(Coordinates::parse(text, "0"), Err(CoordinatesError::Latitude), "{text}");
        }
        assert_eq!(Coordinates::from_micro(i32::MIN, 0), Err(CoordinatesError::Latitude));
    }

    fn anywhere() -> impl Strategy<Value = Coordinates> {
        (-90_000_000..=90_000_000i32, -180_000_000..=180_000_000i32)
            .prop_map(|(north, east)| Coordinates::from_micro(north, east).unwrap())
    }

    proptest! {
        #[test]
        fn text_and_back(place in anywhere()) {
            let text = place.to_string();
            let (latitude, longitude) = text.split_once(',').unwrap();
            prop_assert_eq!(at(latitude, longitude), place);
        }

        #[test]
        fn as_far_there_as_back_and_no_detour_is_shorter(a in anywhere(), b in anywhere(), c in anywhere()) {
            prop_assert_eq!(a.distance_m(b), b.distance_m(a));
            prop_assert!(a.distance_m(b) <= 20_015_116);
            prop_assert!(a.distance_m(c) <= a.distance_m(b) + b.distance_m(c) + 2);
        }
    }
}
