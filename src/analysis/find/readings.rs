//! What a word may be.

use std::net::{IpAddr, SocketAddr};

use crate::analysis::find::Thing;
use crate::model::{Mac, Protocol};
use crate::proc::{parse_device, parse_id};
use crate::text::parse_digits;

/// A word with a prefix that says what it is, and that it cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{word}' is no {what}")]
pub struct InvalidThing {
    /// The word, as given.
    pub word: String,
    /// What the prefix says.
    pub what: &'static str,
}

/// Parses what follows a prefix.
type Parse = fn(&str) -> Option<Thing>;

/// Prefixes that say what a word is, and how errors name that.
const PREFIXES: [(&str, &str, Parse); 18] = [
    ("tcp", "TCP port", |word| port(word, Some(Protocol::Tcp))),
    ("udp", "UDP port", |word| port(word, Some(Protocol::Udp))),
    ("unix", "unix socket", unix),
    ("address", "address", address),
    ("interface", "interface", interface),
    ("ifindex", "index of an interface", |word| {
        parse_digits(word).map(Thing::InterfaceIndex)
    }),
    ("mac", "hardware address", mac),
    ("device", "device", device),
    ("mount", "path", |word| Some(Thing::Mount(word.into()))),
    ("pid", "PID", process),
    ("command", "command", |word| {
        Some(Thing::Command(word.to_owned()))
    }),
    ("user", "user", |word| Some(Thing::User(word.to_owned()))),
    ("container", "container", |word| {
        Some(Thing::Container(word.to_owned()))
    }),
    ("pod", "pod", |word| Some(Thing::Pod(word.to_owned()))),
    ("unit", "unit", |word| Some(Thing::Unit(word.to_owned()))),
    ("ns", "number of a namespace", |word| {
        parse_digits(word).map(Thing::Number)
    }),
    ("id", "ID of a namespace", |word| {
        parse_digits(word).map(Thing::UniqueId)
    }),
    ("netns", "name of a net namespace", |word| {
        Some(Thing::NetnsName(word.to_owned()))
    }),
];

impl Thing {
    /// Returns everything that a word may be. A prefix, as in `pid:1710` or
    /// `user:ann`, leaves one.
    ///
    /// # Errors
    ///
    /// Fails if a word is not what its prefix says.
    ///
    /// ```
    /// use nsls::analysis::Thing;
    ///
    /// assert_eq!(Thing::readings("pid:7").unwrap(), [Thing::Process(7)]);
    /// assert_eq!(Thing::readings("8:17").unwrap(), [Thing::Device(8, 17)]);
    /// assert!(Thing::readings("pid:x").is_err());
    /// ```
    pub fn readings(word: &str) -> Result<Vec<Thing>, InvalidThing> {
        let invalid = |what| InvalidThing {
            word: word.to_owned(),
            what,
        };
        if word.is_empty() {
            return Err(invalid("name"));
        }
        if let Some(id) = parse_id(word.as_bytes()) {
            return Ok(vec![Thing::Namespace(id)]);
        }
        for (prefix, what, parse) in PREFIXES {
            let rest = word
                .strip_prefix(prefix)
                .and_then(|rest| rest.strip_prefix(':'));
            if let Some(rest) = rest {
                let thing = (!rest.is_empty()).then(|| parse(rest)).flatten();
                return thing.map(|thing| vec![thing]).ok_or(invalid(what));
            }
        }
        if let Some(thing) = unmistakable(word) {
            return Ok(vec![thing]);
        }
        if word.contains('/') {
            let path = std::path::absolute(word).unwrap_or_else(|_| word.into());
            return Ok(vec![
                Thing::SocketPath(path.clone()),
                Thing::Mount(path),
                Thing::Path(word.into()),
            ]);
        }
        let mut readings = Vec::new();
        if let Some(number) = parse_digits(word) {
            readings.extend(match number {
                1..=PID_MAX => process(word),
                _ if number > u64::from(u32::MAX) => Some(Thing::UniqueId(number)),
                _ => Some(Thing::Number(number)),
            });
            if word.len() < SHORT_ID {
                return Ok(readings);
            }
        }
        let name = || word.to_owned();
        readings.extend([
            Thing::Container(name()),
            Thing::Pod(name()),
            Thing::Unit(name()),
        ]);
        readings.extend(interface(word));
        readings.extend([Thing::NetnsName(name()), Thing::Command(name())]);
        Ok(readings)
    }
}

/// The largest PID that the kernel gives, PID_MAX_LIMIT. Inode numbers of
/// namespaces are larger.
pub(crate) const PID_MAX: u64 = 4 << 20;
/// Length of the IDs that engines print.
const SHORT_ID: usize = 12;
/// Length of the name of an interface with the NUL at its end, linux/if.h.
const IFNAMSIZ: usize = 16;

/// Reads a word whose form leaves one reading.
fn unmistakable(word: &str) -> Option<Thing> {
    if let Some(name) = word.strip_prefix('@') {
        return (!name.is_empty()).then(|| Thing::SocketName(name.to_owned()));
    }
    address(word)
        .or_else(|| mac(word))
        .or_else(|| device(word))
        .or_else(|| port(word, None).filter(|_| word.contains(':')))
}

fn process(word: &str) -> Option<Thing> {
    parse_digits(word)
        .filter(|pid| *pid > 0)
        .map(Thing::Process)
}

/// Parses `8080`, `:8080`, `10.0.0.2:8080` or `[::1]:443`.
fn port(word: &str, protocol: Option<Protocol>) -> Option<Thing> {
    let address: Option<SocketAddr> = word.parse().ok();
    let port = match &address {
        Some(address) => address.port(),
        None => parse_digits(word.strip_prefix([':', '*']).unwrap_or(word))?,
    };
    Some(Thing::Port {
        protocol,
        address: address.map(|address| address.ip()),
        port,
    })
}

fn unix(word: &str) -> Option<Thing> {
    Some(match word.strip_prefix('@') {
        Some(name) => Thing::SocketName(name.to_owned()),
        None => Thing::SocketPath(word.into()),
    })
}

/// Parses `10.88.0.2`, `fd00::2` or `10.88.0.0/16`.
fn address(word: &str) -> Option<Thing> {
    let (address, prefix) = match word.split_once('/') {
        Some((address, prefix)) => (address, Some(parse_digits(prefix)?)),
        None => (word, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(bits);
    (prefix <= bits).then_some(Thing::Address { address, prefix })
}

/// Parses a name as the kernel permits it, or `eth0@if7` as ip-link(8) shows it.
fn interface(word: &str) -> Option<Thing> {
    let (name, link) = match word.split_once("@if") {
        Some((name, link)) => (name, Some(parse_digits(link)?)),
        None => (word, None),
    };
    let is_name = !name.is_empty() && name.len() < IFNAMSIZ;
    is_name.then(|| Thing::Interface {
        name: name.to_owned(),
        link,
    })
}

/// Parses six bytes in hexadecimal, `02:42:ac:11:00:02`.
fn mac(word: &str) -> Option<Thing> {
    let bytes: Option<Vec<u8>> = word
        .split(':')
        .map(|byte| {
            let is_byte = byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
            is_byte.then(|| u8::from_str_radix(byte, 16).ok()).flatten()
        })
        .collect();
    let bytes = bytes.filter(|bytes| bytes.len() == 6)?;
    Some(Thing::Mac(Mac::from(&*bytes)))
}

fn device(word: &str) -> Option<Thing> {
    parse_device(word.as_bytes()).map(|(major, minor)| Thing::Device(major, minor))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Kind, NsId};

    fn one(word: &str) -> Thing {
        match &Thing::readings(word).unwrap()[..] {
            [one] => one.clone(),
            several => panic!("{word}: {several:?}"),
        }
    }

    #[test]
    fn a_form_that_nothing_else_has_leaves_one_reading() {
        let port = |protocol, address: Option<&str>, port| Thing::Port {
            protocol,
            address: address.map(|address| address.parse().unwrap()),
            port,
        };
        let address = |address: &str, prefix| Thing::Address {
            address: address.parse().unwrap(),
            prefix,
        };
        let (ino, kind) = (7, Kind::Net);
        for (word, expected) in [
            (":8080", port(None, None, 8080)),
            ("tcp:8080", port(Some(Protocol::Tcp), None, 8080)),
            ("udp::53", port(Some(Protocol::Udp), None, 53)),
            ("10.0.0.2:8080", port(None, Some("10.0.0.2"), 8080)),
            ("[::1]:443", port(None, Some("::1"), 443)),
            ("tcp:[::1]:443", port(Some(Protocol::Tcp), Some("::1"), 443)),
            ("10.88.0.2", address("10.88.0.2", 32)),
            ("fd00::2", address("fd00::2", 128)),
            ("10.88.0.0/16", address("10.88.0.0", 16)),
            ("8:17", Thing::Device(8, 17)),
            (
                "02:42:ac:11:00:0f",
                Thing::Mac(Mac::from(&[2, 0x42, 0xac, 0x11, 0, 15][..])),
            ),
            ("net:[7]", Thing::Namespace(NsId { ino, kind })),
            (
                "pid:[7]",
                Thing::Namespace(NsId {
                    ino,
                    kind: Kind::Pid,
                }),
            ),
            ("@name", Thing::SocketName("name".into())),
            ("unix:/run/x.sock", Thing::SocketPath("/run/x.sock".into())),
            ("ifindex:12", Thing::InterfaceIndex(12)),
            ("pid:1710", Thing::Process(1710)),
            ("user:ann", Thing::User("ann".into())),
            ("id:17", Thing::UniqueId(17)),
        ] {
            assert_eq!(one(word), expected, "{word}");
        }
    }

    #[test]
    fn a_word_that_may_be_several_things_is_each_of_them() {
        let names = |word: &str| {
            let readings = Thing::readings(word).unwrap();
            readings.iter().map(Thing::name).collect::<Vec<_>>()
        };
        assert_eq!(names("1710"), ["process"]);
        assert_eq!(names("4026531836"), ["namespace"]);
        assert_eq!(names("5000000000"), ["namespace ID"]);
        let all = [
            "container",
            "pod",
            "unit",
            "interface",
            "net namespace in /run/netns",
            "command",
        ];
        assert_eq!(names("web"), all);
        // Too long for an interface.
        let long = names("web-of-a-spider-in-the-attic");
        assert_eq!(long, [&all[..3], &all[4..]].concat());
        // Twelve digits may be the ID of a container.
        let id = names("123456789012");
        assert_eq!(id, [&["namespace ID"][..], &all].concat());
        assert_eq!(names("/mnt/data"), ["unix socket", "mount", "namespace"]);
        let linked = Thing::readings("eth0@if7").unwrap();
        let (name, link) = ("eth0".to_owned(), Some(7));
        assert!(linked.contains(&Thing::Interface { name, link }));
    }

    #[test]
    fn a_word_that_is_not_what_its_prefix_says_is_refused() {
        for (word, message) in [
            ("", "'' is no name"),
            ("pid:", "'pid:' is no PID"),
            ("pid:0", "'pid:0' is no PID"),
            ("pid:+1", "'pid:+1' is no PID"),
            ("pid:4294967296", "'pid:4294967296' is no PID"),
            ("tcp:70000", "'tcp:70000' is no TCP port"),
            ("udp:x", "'udp:x' is no UDP port"),
            ("ifindex:-1", "'ifindex:-1' is no index of an interface"),
            ("address:10.0.0.0/33", "'address:10.0.0.0/33' is no address"),
            ("mac:02:42", "'mac:02:42' is no hardware address"),
            ("device:8", "'device:8' is no device"),
            ("ns:x", "'ns:x' is no number of a namespace"),
        ] {
            let refused = Thing::readings(word).unwrap_err();
            assert_eq!(refused.to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn what_a_reading_displays_has_that_reading(word in "\\PC{1,20}|[0-9a-f:./@]{1,20}") {
            for thing in Thing::readings(&word).into_iter().flatten() {
                if !matches!(thing, Thing::Path(_)) {
                    prop_assert_eq!(Thing::readings(&thing.to_string()), Ok(vec![thing]));
                }
            }
        }
    }
}
