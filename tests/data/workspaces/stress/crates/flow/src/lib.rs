//! Control flow: which of several ways through a function was taken, and how often.

pub mod asynchronous;
pub mod closures;
pub mod constants;
pub mod panics;
pub mod threads;

/// An `if` without `else` has a region for the way past it, on its closing brace.
pub fn positive(value: i32) -> i32 { // cov: 3
    let mut result = 0; // cov: 3
    if value > 0 { // cov: 3
        result = value; // cov: 1
    }
    result // cov: 3
} // cov: 3

pub fn sign(value: i32) -> &'static str { // cov: 3
    if value > 0 { // cov: 3
        "positive" // cov: 2
    } else if value < 0 { // cov: 1
        "negative" // cov: 1
    } else {
        "zero" // cov: 0
    }
} // cov: 3

/// `?` has a region of its own for the way out.
pub fn parse_both(a: &str, b: &str) -> Result<u32, std::num::ParseIntError> { // cov: 3
    let a: u32 = a.parse()?; // cov: 3
    let b: u32 = b // cov: 2
        .parse()?; // cov: 2
    Ok(a + b) // cov: 1
} // cov: 3

pub fn question_on_option(text: &str) -> Option<char> {
    let first = text.chars().next()?; // cov: 2
    Some(first.to_ascii_uppercase()) // cov: 1
}

pub fn let_else(text: &str) -> usize { // cov: 3
    let Some((key, _)) = text.split_once('=') else { // cov: 3
        return 0; // cov: 1
    };
    key.len() // cov: 2
} // cov: 3

pub fn let_chain(text: Option<&str>) -> u32 { // cov: 4
    if let Some(text) = text // cov: 4
        && let Ok(number) = text.parse::<u32>() // cov: 3
        && number > 10 // cov: 2
    {
        number // cov: 1
    } else {
        0 // cov: 3
    }
} // cov: 4

/// The bodies of the arms are exact. `match value` and the patterns after a guard are not marked: with guards, how often
/// they count depends on the tests that rustc makes of the arms.
pub fn matched(value: u32, strict: bool) -> &'static str { // cov: 6
    match value {
        0 => "zero", // cov: 1
        1 | 2 => "small", // cov: 2
        n if n > 100 && strict => "large", // cov: 3 the guard runs for two values more
        3..=9 => {
            "medium" // cov: 0
        }
        n if n % 2 == 0 => { // cov: 2
            "even" // cov: 1
        }
        _ => "odd", // cov: 1
    }
} // cov: 6

pub fn loops(rows: u32, columns: u32) -> u32 { // cov: 1
    let mut cells = 0; // cov: 1
    'rows: for row in 0..rows { // cov: 3
        for column in 0..columns {
            if column > row { // cov: 8
                continue 'rows; // cov: 2
            }
            if cells == 100 { // cov: 6
                break 'rows; // cov: 0
            }
            cells += 1; // cov: 6
        }
    }
    cells
} // cov: 1

pub fn while_loop(mut value: u32) -> u32 { // cov: 2
    let mut steps = 0; // cov: 2
    while value != 1 {
        value = if value % 2 == 0 { value / 2 } else { 3 * value + 1 }; // cov: 8
        steps += 1; // cov: 8
    }
    steps // cov: 2
} // cov: 2

pub fn endless(limit: u32) -> u32 { // cov: 1
    let mut value = 1;
    loop {
        value *= 2; // cov: 4
        if value > limit { // cov: 4
            break value; // cov: 1
        }
    }
} // cov: 1

pub fn labelled_block(value: u32) -> u32 { // cov: 2
    let result = 'block: { // cov: 2
        if value > 5 { // cov: 2
            break 'block 5; // cov: 1
        }
        value // cov: 1
    };
    result * 2 // cov: 2
} // cov: 2

pub fn early(values: &[i32]) -> Option<i32> { // cov: 2
    for value in values {
        if *value < 0 { // cov: 4
            return Some(*value); // cov: 1
        }
    }
    None // cov: 1
} // cov: 2

/// The right-hand side of `&&` and `||` runs less often than the line it stands on.
pub fn lazy(a: bool, b: bool) -> bool { // cov: 3
    a // cov: 3
        && b // cov: 2
        || !a // cov: 2
} // cov: 3

fn unused(value: u32) -> u32 { // cov: 0
    if value > 1 { // cov: 0
        value - 1 // cov: 0
    } else {
        value // cov: 0
    }
} // cov: 0

#[expect(dead_code, reason = "calls the other one, and is not called either")]
fn unused_too() -> u32 {
    unused(1) // cov: 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches() {
        assert_eq!(positive(3) + positive(-3) + positive(0), 3);
        assert_eq!(sign(1), sign(2));
        assert_eq!(sign(-1), "negative");
        assert!(lazy(true, true) && !lazy(true, false) && lazy(false, true));
    }

    #[test]
    fn exits() {
        assert_eq!(parse_both("1", "2"), Ok(3));
        assert!(parse_both("x", "2").is_err() && parse_both("1", "x").is_err());
        assert_eq!(question_on_option("ab"), Some('A'));
        assert_eq!(question_on_option(""), None);
        assert_eq!(let_else("a=b") + let_else("") + let_else("ab=c"), 3);
        assert_eq!(let_chain(None) + let_chain(Some("x")) + let_chain(Some("1")) + let_chain(Some("11")), 11);
        assert_eq!(early(&[1, -1, -2]), Some(-1));
        assert_eq!(early(&[1, 2]), None);
    }

    #[test]
    fn arms() {
        let names = [0, 1, 2, 101, 12, 11].map(|value| matched(value, true));
        assert_eq!(names, ["zero", "small", "small", "large", "even", "odd"]);
    }

    #[test]
    fn repeated() {
        assert_eq!(loops(3, 3), 6);
        assert_eq!(while_loop(1) + while_loop(6), 8);
        assert_eq!(endless(10), 16);
        assert_eq!(labelled_block(3) + labelled_block(7), 16);
    }
}
