//! Numbers that stand for topics, in either direction. They last as long as the connection.

use crate::chat::topic::Topic;
use std::collections::HashMap;

/// Topics the client has given numbers.
#[derive(Debug, Default)]
pub struct Heard {
    topics: Vec<Option<Topic>>,
}

impl Heard {
    /// The topic of a publication that came with this number and name; `None` for a number that says nothing.
    pub fn topic(&mut self, alias: u16, named: Option<Topic>, max: u16) -> Option<Topic> {
        let place = usize::from(alias).checked_sub(1).filter(|_| alias <= max)?;
        if let Some(topic) = named {
            if self.topics.len() <= place {
                self.topics.resize(place + 1, None);
            }
            self.topics[place] = Some(topic.clone());
            return Some(topic);
        }
        self.topics.get(place).cloned().flatten()
    }
}

/// Topics we have given numbers: the first ones, for what comes again is what comes often.
#[derive(Debug, Default)]
pub struct Told {
    numbers: HashMap<Topic, u16>,
    max: u16,
}

impl Told {
    /// As many as the client takes, and no more than that.
    pub fn new(max: u16) -> Self {
        Self { numbers: HashMap::new(), max }
    }

    /// Whether the client takes none.
    pub fn is_empty(&self) -> bool {
        self.max == 0
    }

    /// The number to send for this topic, and whether the client knows it already.
    pub fn number(&mut self, topic: &Topic) -> Option<(u16, bool)> {
        if let Some(number) = self.numbers.get(topic) {
            return Some((*number, true));
        }
        let next = self.numbers.len() as u16 + 1;
        if next > self.max {
            return None;
        }
        self.numbers.insert(topic.clone(), next);
        Some((next, false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(text: &str) -> Topic {
        Topic::parse(text).unwrap()
    }

    #[test]
    fn a_number_stands_for_the_topic_it_was_last_given() {
        let mut heard = Heard::default();
        assert_eq!(heard.topic(1, None, 4), None, "it was never given a topic");
        assert_eq!(heard.topic(2, Some(topic("a")), 4), Some(topic("a")));
        assert_eq!(heard.topic(2, None, 4), Some(topic("a")));
        assert_eq!(heard.topic(2, Some(topic("b")), 4), Some(topic("b")));
        assert_eq!(heard.topic(2, None, 4), Some(topic("b")));
        assert_eq!(heard.topic(0, Some(topic("a")), 4), None);
        assert_eq!(heard.topic(5, Some(topic("a")), 4), None);
    }

    #[test]
    fn the_first_topics_get_the_numbers_the_client_takes() {
        let mut told = Told::new(2);
        assert_eq!(told.number(&topic("a")), Some((1, false)));
        assert_eq!(told.number(&topic("b")), Some((2, false)));
        assert_eq!(told.number(&topic("a")), Some((1, true)));
        assert_eq!(told.number(&topic("c")), None);
        assert_eq!(Told::new(0).number(&topic("a")), None);
    }
}
