//! Numbers as readers see them.

/// A number with four significant digits, as short as it can be.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        value.to_string().replace("inf", "∞")
    } else if value == 0.0 || (1e-3..1e6).contains(&size) {
        let rounded: f64 = format!("{value:.3e}").parse().expect("a formatted number parses");
        format!("{rounded}")
    } else {
        let text = format!("{value:.2e}");
        let (digits, power) = text.split_once('e').expect("scientific notation has an e");
        format!("{digits}·10{}", superscript(power))
    }
}

/// A number that somebody chose, such as a tolerance: its digits are not those of a measurement.
pub fn chosen(value: f64) -> String {
    let text = number(value).replace(".00·", "·");
    text.strip_prefix("1·").map(str::to_owned).unwrap_or(text)
}

/// A whole number, written small and high.
pub fn superscript(number: &str) -> String {
    let high = |character: char| match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit.to_digit(10).unwrap_or(0)).unwrap_or('?'),
    };
    number.chars().map(high).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chosen_numbers_have_no_digits_for_show() {
        assert_eq!([0.0, 0.05, 1e-9, 2e-7, 1.5e-7].map(chosen), ["0", "0.05", "10⁻⁹", "2·10⁻⁷", "1.50·10⁻⁷"]);
    }

    #[test]
    fn numbers_are_short() {
        let shown: Vec<String> = [0.0, 1.0, 0.123456, 1234.56, 98_765.4, 2.5e-9, 1.0e7].map(number).into();
        assert_eq!(shown, ["0", "1", "0.1235", "1235", "98770", "2.50·10⁻⁹", "1.00·10⁷"]);
        assert_eq!([f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(number), ["∞", "-∞", "NaN"]);
    }
}
