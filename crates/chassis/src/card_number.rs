//! Payment card numbers in text: nobody's card number belongs in these servers, in their database or in their log.
//!
//! A card number (PAN) has 13 to 19 digits of which the last is a check digit by Luhn's algorithm (ISO/IEC 7812-1).
//! People write it in groups; one character of any kind may stand between two digits.

/// The fewest digits of a card number.
const MIN_DIGITS: usize = 13;
/// The most digits of a card number.
const MAX_DIGITS: usize = 19;
/// The shortest word of hexadecimal digits that is taken for a digest or a random id.
const MIN_DIGEST: usize = 32;
/// The groups of a UUID in its usual form (RFC 9562).
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// Whether a text holds a card number.
///
/// A UUID, a hexadecimal digest and a date with its time are passed over: chance would make one in some hundreds look
/// like a card number. A run of more than 19 digits without a break is none.
#[must_use]
pub fn is_in(text: &str) -> bool {
    // A character has at least one byte, so that most texts are done here.
    if text.len() < MIN_DIGITS {
        return false;
    }
    // Counted without a copy: every request has some texts that are looked through, and nearly all are done here.
    if text.chars().filter(|character| digit(*character).is_some()).count() < MIN_DIGITS {
        return false;
    }
    let mut characters: Vec<char> = text.chars().collect();
    pass_over_ids_and_times(&mut characters);
    let mut run = Run::default();
    let mut gap = 0;
    for character in characters {
        match digit(character) {
            Some(digit) => {
                match gap {
                    0 => run.continue_group(digit),
                    1 if !run.groups.is_empty() => run.new_group(digit),
                    _ => {
                        if run.holds_card_number() {
                            return true;
                        }
                        run = Run::default();
                        run.new_group(digit);
                    }
                }
                gap = 0;
            }
            // A letter ends a run as two separators do.
            None if character.is_alphanumeric() => gap = 2,
            None => gap += 1,
        }
    }
    run.holds_card_number()
}

/// Digits with at most one character between two of them, in the groups that those characters make.
#[derive(Default)]
struct Run {
    groups: Vec<Vec<u8>>,
}

impl Run {
    fn new_group(&mut self, digit: u8) {
        self.groups.push(vec![digit]);
    }

    fn continue_group(&mut self, digit: u8) {
        match self.groups.last_mut() {
            Some(group) => group.push(digit),
            None => self.new_group(digit),
        }
    }

    /// Whether some neighbouring groups are a card number together; others may stand before and behind.
    fn holds_card_number(&self) -> bool {
        (0..self.groups.len()).any(|first| {
            let mut digits = Vec::with_capacity(MAX_DIGITS);
            for group in &self.groups[first..] {
                if digits.len() + group.len() > MAX_DIGITS {
                    return false;
                }
                digits.extend_from_slice(group);
                if digits.len() >= MIN_DIGITS && luhn(&digits) {
                    return true;
                }
            }
            false
        })
    }
}

/// Luhn's check: of every second digit from the right the double counts, with its own digits added up. A row of equal
/// digits, such as zeros, is no card number.
fn luhn(digits: &[u8]) -> bool {
    let value = |(position, digit): (usize, &u8)| {
        let value = if position % 2 == 1 { digit * 2 } else { *digit };
        u32::from(if value > 9 { value - 9 } else { value })
    };
    let sum: u32 = digits.iter().rev().enumerate().map(value).sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}

/// The first digit of each script whose digits are in use (Unicode, general category Nd); the others follow it.
const ZEROS: [char; 22] = [
    '0',
    '\u{660}',
    '\u{6f0}',
    '\u{7c0}',
    '\u{966}',
    '\u{9e6}',
    '\u{a66}',
    '\u{ae6}',
    '\u{b66}',
    '\u{be6}',
    '\u{c66}',
    '\u{ce6}',
    '\u{d66}',
    '\u{e50}',
    '\u{ed0}',
    '\u{f20}',
    '\u{1040}',
    '\u{17e0}',
    '\u{1810}',
    '\u{ff10}',
    '\u{1d7ce}',
    '\u{1fbf0}',
];

fn digit(character: char) -> Option<u8> {
    if character.is_ascii() {
        return character.to_digit(10).and_then(|digit| u8::try_from(digit).ok());
    }
    let value = u32::from(character);
    let zero = ZEROS.iter().map(|zero| u32::from(*zero)).find(|zero| (*zero..zero + 10).contains(&value))?;
    u8::try_from(value - zero).ok()
}

/// Puts letters in the place of what is a UUID, a digest, or a date with its time.
fn pass_over_ids_and_times(characters: &mut [char]) {
    let mut at = 0;
    while at < characters.len() {
        let begins = at == 0 || !characters[at - 1].is_alphanumeric();
        let length = if begins { passed_over(&characters[at..]) } else { 0 };
        characters[at..at + length].fill('x');
        at += length.max(1);
    }
}

/// How many characters at the beginning are passed over.
fn passed_over(rest: &[char]) -> usize {
    let found = uuid(rest).or_else(|| digest(rest)).or_else(|| time(rest));
    found.filter(|length| !rest.get(*length).is_some_and(|next| next.is_alphanumeric())).unwrap_or(0)
}

fn hexadecimal(rest: &[char]) -> usize {
    rest.iter().take_while(|character| character.is_ascii_hexdigit()).count()
}

/// A UUID. One of digits alone is not passed over: chance makes none.
fn uuid(rest: &[char]) -> Option<usize> {
    let mut at = 0;
    for (index, group) in UUID_GROUPS.into_iter().enumerate() {
        if index > 0 {
            (rest.get(at) == Some(&'-')).then_some(())?;
            at += 1;
        }
        (hexadecimal(&rest[at..]) == group).then_some(())?;
        at += group;
    }
    has_letter(&rest[..at]).then_some(at)
}

fn digest(rest: &[char]) -> Option<usize> {
    let length = hexadecimal(rest);
    (length >= MIN_DIGEST && has_letter(&rest[..length])).then_some(length)
}

fn has_letter(text: &[char]) -> bool {
    text.iter().any(|character| character.is_ascii_alphabetic())
}

/// A date and a time as ISO 8601 and databases write them: `2026-01-02 03:04:05.678901`.
fn time(rest: &[char]) -> Option<usize> {
    const SHAPE: &str = "2000-00-00T00:00:00";
    let fits = |(shape, given): (char, &char)| match shape {
        '0' => given.is_ascii_digit(),
        'T' => matches!(given, 'T' | 't' | ' '),
        shape => shape == *given,
    };
    let shape = SHAPE.len();
    (rest.len() >= shape && SHAPE.chars().zip(rest).all(fits)).then_some(())?;
    let fraction = match rest.get(shape) {
        Some('.' | ',') => 1 + rest[shape + 1..].iter().take_while(|next| next.is_ascii_digit()).count(),
        _ => 0,
    };
    let end = shape + if fraction > 10 { 0 } else { fraction };
    // The letter of UTC belongs to it.
    Some(end + usize::from(matches!(rest.get(end), Some('Z' | 'z'))))
}

#[cfg(test)]
mod tests;
