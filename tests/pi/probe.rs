//! Reads and sets pins of the (emulated) board through rppal: `probe read 27`, `probe write 17 1`.
//!
//! The pin stays as it was set when the program ends, so that somebody outside can look at it.

use rppal::gpio::{Gpio, Level};
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match turn(&words) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("probe: {why}");
            ExitCode::FAILURE
        }
    }
}

fn turn(words: &[&str]) -> Result<String, String> {
    let pin = |number: &str| {
        let number = number.parse().map_err(|_| format!("'{number}' is no pin"))?;
        let gpio = Gpio::new().map_err(|error| error.to_string())?;
        gpio.get(number).map_err(|error| error.to_string())
    };
    match words {
        ["read", number] => {
            let mut input = pin(number)?.into_input();
            input.set_reset_on_drop(false);
            Ok((input.read() as u8).to_string())
        }
        ["write", number, level @ ("0" | "1")] => {
            let mut output = pin(number)?.into_output();
            output.set_reset_on_drop(false);
            output.write(if *level == "1" { Level::High } else { Level::Low });
            Ok("written".into())
        }
        _ => Err("say 'read PIN' or 'write PIN 0|1'".into()),
    }
}
