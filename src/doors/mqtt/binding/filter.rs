//! Topic filters as brokers take them.

use crate::base::limits::MQTT_TOPIC_BYTES_MAX;

/// A topic filter that a broker will accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicFilter(String);

impl TopicFilter {
    /// Checks the rules of MQTT 3.1.1 section 4.7; the error says what to write.
    pub fn parse(filter: &str) -> Result<TopicFilter, &'static str> {
        if filter.is_empty() || filter.len() > MQTT_TOPIC_BYTES_MAX || filter.chars().any(char::is_control) {
            return Err("a topic filter such as tele/+/SENSOR, at most 1024 bytes");
        }
        let mut levels = filter.split('/').peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err(
                    "a topic filter where '#' is the last level and stands alone, such as zigbee2mqtt/#",
                );
            }
            if level.contains('+') && level != "+" {
                return Err("a topic filter where '+' is a whole level, such as tele/+/SENSOR");
            }
        }
        Ok(TopicFilter(filter.to_owned()))
    }

    /// Checks a topic to publish to; the error says what to write.
    pub fn parse_topic(topic: &str) -> Result<String, &'static str> {
        const WANTED: &str = "a topic without '+' and '#' such as linnet/room/garden/msg, at most 1024 bytes";
        let is_topic = !topic.contains(['+', '#']) && !topic.starts_with('$');
        TopicFilter::parse(topic).ok().filter(|_| is_topic).map(|topic| topic.0).ok_or(WANTED)
    }

    /// Whether a topic is one of those the filter asks for. A wildcard at the beginning asks for none of the broker's own,
    /// which begin with `$`.
    pub fn matches(&self, topic: &str) -> bool {
        let filter = self.plain();
        if topic.starts_with('$') && filter.starts_with(['#', '+']) {
            return false;
        }
        let mut levels = topic.split('/');
        for asked in filter.split('/') {
            match (asked, levels.next()) {
                ("#", _) => return true,
                (_, None) => return false,
                (asked, Some(level)) if asked != "+" && asked != level => return false,
                _ => {}
            }
        }
        levels.next().is_none()
    }

    /// The part of a topic that the first wildcard stands for; the whole topic where there is none.
    pub fn device<'a>(&self, topic: &'a str) -> &'a str {
        let Some(wild) = self.plain().find(['+', '#']) else { return topic };
        let before = self.plain()[..wild].matches('/').count();
        let start = topic.match_indices('/').nth(before.wrapping_sub(1)).map_or(0, |(at, _)| at + 1);
        let rest = if before > topic.matches('/').count() { topic } else { &topic[start..] };
        if self.plain()[wild..].starts_with('#') { rest } else { rest.split('/').next().unwrap_or(rest) }
    }

    /// What all topics it asks for begin with: without it there is no need to look closer.
    pub fn beginning(&self) -> &str {
        let wild = self.plain().find(['+', '#']).unwrap_or(self.plain().len());
        // `a/#` asks for `a` as well.
        self.plain()[..wild].trim_end_matches('/')
    }

    /// A shared subscription asks for the filter behind the name of its group.
    fn plain(&self) -> &str {
        let shared = self.0.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        shared.map_or(self.0.as_str(), |(_, filter)| filter)
    }

    /// The filter as a broker takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_keeps_the_rules_of_mqtt() {
        for filter in ["#", "+", "tele/+/SENSOR", "zigbee2mqtt/#", "/a//b", "$SYS/#"] {
            assert_eq!(TopicFilter::parse(filter).expect(filter).as_str(), filter);
        }
        for filter in ["", "a/#/b", "a#", "a/b+", "a\0b", &"x".repeat(MQTT_TOPIC_BYTES_MAX + 1)] {
            assert!(TopicFilter::parse(filter).is_err(), "{filter:?}");
        }
    }

    #[test]
    fn a_filter_asks_for_topics_as_mqtt_says() {
        for (filter, topic, asked) in [
            ("tele/+/SENSOR", "tele/porch/SENSOR", true),
            ("tele/+/SENSOR", "tele/porch/STATE", false),
            ("tele/+/SENSOR", "tele/porch/SENSOR/1", false),
            ("tele/+/SENSOR", "tele//SENSOR", true),
            ("zigbee2mqtt/#", "zigbee2mqtt/garden/door", true),
            ("zigbee2mqtt/#", "zigbee2mqtt", true),
            ("zigbee2mqtt/#", "zigbee", false),
            ("#", "ä/ö", true),
            ("+", "ä", true),
            ("#", "$SYS/uptime", false),
            ("+/uptime", "$SYS/uptime", false),
            ("$SYS/#", "$SYS/uptime", true),
            ("$share/nodes/tele/#", "tele/porch", true),
        ] {
            assert_eq!(TopicFilter::parse(filter).expect(filter).matches(topic), asked, "{filter} {topic}");
        }
    }

    #[test]
    fn a_device_is_what_the_first_wildcard_stands_for() {
        for (filter, topic, device) in [
            ("tele/+/SENSOR", "tele/porch/SENSOR", "porch"),
            ("+/SENSOR", "porch/SENSOR", "porch"),
            ("zigbee2mqtt/#", "zigbee2mqtt/garden/door", "garden/door"),
            ("zigbee2mqtt/#", "zigbee2mqtt", "zigbee2mqtt"),
            ("#", "a/b", "a/b"),
            ("a/b", "a/b", "a/b"),
            ("$share/nodes/tele/+", "tele/porch", "porch"),
        ] {
            let filter = TopicFilter::parse(filter).expect(filter);
            assert_eq!(filter.device(topic), device, "{filter:?}");
            assert!(filter.matches(topic) && topic.starts_with(filter.beginning()), "{filter:?}");
        }
    }
}
