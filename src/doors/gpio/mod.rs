//! The pins of the board. For now this door knows one thing: which board it stands on.

mod rpi;

use crate::base::board::Board;

/// The board this process runs on; the simulated one where no hardware answers or nobody described it.
pub fn board() -> Board {
    match rpi::model() {
        Ok(model) => described(&model),
        Err(reason) => {
            tracing::debug!(door = "gpio", %reason, "no board found, pins are simulated");
            Board::sim().clone()
        }
    }
}

fn described(model: &str) -> Board {
    let known = Board::find(model);
    if known.is_none() {
        // Pins of a board nobody described could be wired to anything: better none than the wrong ones.
        tracing::warn!(door = "gpio", model, "no file in boards/ describes this board, pins are simulated");
    }
    known.unwrap_or_else(Board::sim).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_described_model_is_that_board_and_any_other_is_simulated() {
        assert_eq!(described("Raspberry Pi Zero").name, "pi-zero");
        assert_eq!(described("Raspberry Pi 6").name, "sim");
    }

    #[test]
    fn the_board_is_what_the_hardware_says_it_is() {
        let expected = rpi::model().map_or("sim".to_owned(), |model| described(&model).name);
        assert_eq!(board().name, expected);
    }
}
