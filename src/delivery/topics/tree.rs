//! Which filters match a topic, found in as many steps as the topic has levels and the wildcards allow.
//!
//! Filters without a wildcard, by far the most, lie in one table. The others are a tree of levels.

use crate::chat::topic::{Filter, Topic};
use smol_str::SmolStr;
use std::collections::HashMap;

/// No node or leaf.
const NONE: u32 = u32::MAX;
/// The node before the first level.
const ROOT: u32 = 0;

/// A level of filters with wildcards.
struct Node {
    /// The next levels by their text, in order.
    children: Vec<(SmolStr, u32)>,
    /// The next level `+`.
    plus: u32,
    /// The leaf of the filter that ends here.
    here: u32,
    /// The leaf of the one that goes on with `#`.
    rest: u32,
}

impl Node {
    const fn new() -> Self {
        Self { children: Vec::new(), plus: NONE, here: NONE, rest: NONE }
    }

    fn child(&self, level: &str) -> Result<u32, usize> {
        let found = self.children.binary_search_by(|(text, _)| text.as_str().cmp(level));
        found.map(|at| self.children[at].1)
    }

    fn is_empty(&self) -> bool {
        self.children.is_empty() && [self.plus, self.here, self.rest] == [NONE; 3]
    }
}

/// Filters, each with a leaf of its own.
pub(super) struct Tree<L> {
    literal: HashMap<Filter, u32>,
    nodes: Vec<Node>,
    nodes_free: Vec<u32>,
    leaves: Vec<L>,
    leaves_free: Vec<u32>,
}

impl<L: Default> Tree<L> {
    pub fn new() -> Self {
        Self {
            literal: HashMap::new(),
            nodes: vec![Node::new()],
            nodes_free: Vec::new(),
            leaves: Vec::new(),
            leaves_free: Vec::new(),
        }
    }

    /// The leaf of this very filter.
    pub fn find(&self, filter: &Filter) -> Option<u32> {
        if filter.is_literal() {
            return self.literal.get(filter).copied();
        }
        let mut node = &self.nodes[ROOT as usize];
        for level in filter.as_str().split('/') {
            let next = match level {
                "#" => return some(node.rest),
                "+" => some(node.plus)?,
                level => node.child(level).ok()?,
            };
            node = &self.nodes[next as usize];
        }
        some(node.here)
    }

    /// The leaf of this filter, a new one if there is none.
    pub fn leaf_of(&mut self, filter: &Filter) -> u32 {
        if let Some(found) = self.find(filter) {
            return found;
        }
        let leaf = self.leaves_free.pop().unwrap_or_else(|| {
            self.leaves.push(L::default());
            number(self.leaves.len() - 1)
        });
        if filter.is_literal() {
            self.literal.insert(filter.clone(), leaf);
            return leaf;
        }
        let mut at = ROOT;
        for level in filter.as_str().split('/') {
            if level == "#" {
                self.nodes[at as usize].rest = leaf;
                return leaf;
            }
            at = self.next_or_new(at, level);
        }
        self.nodes[at as usize].here = leaf;
        leaf
    }

    /// Forgets a filter; its leaf starts anew.
    pub fn remove(&mut self, filter: &Filter) {
        let Some(leaf) = self.find(filter) else { return };
        self.leaves[leaf as usize] = L::default();
        self.leaves_free.push(leaf);
        if filter.is_literal() {
            self.literal.remove(filter);
            return;
        }
        let mut path = vec![ROOT];
        let mut at = ROOT;
        for level in filter.as_str().split('/').filter(|level| *level != "#") {
            let node = &self.nodes[at as usize];
            at = if level == "+" { node.plus } else { node.child(level).expect("it was found just now") };
            path.push(at);
        }
        let last = &mut self.nodes[at as usize];
        if filter.as_str().ends_with('#') {
            last.rest = NONE
        } else {
            last.here = NONE
        }
        self.prune(&path);
    }

    /// Takes away the nodes at the end of a path from the root that nothing needs any more.
    fn prune(&mut self, path: &[u32]) {
        for pair in path.windows(2).rev() {
            let [parent, child] = [pair[0], pair[1]];
            if !self.nodes[child as usize].is_empty() {
                return;
            }
            self.nodes[child as usize] = Node::new();
            self.nodes_free.push(child);
            let parent = &mut self.nodes[parent as usize];
            if parent.plus == child {
                parent.plus = NONE;
            } else {
                parent.children.retain(|(_, other)| *other != child);
            }
        }
    }

    fn next_or_new(&mut self, at: u32, level: &str) -> u32 {
        let node = &self.nodes[at as usize];
        let place = match level {
            "+" if node.plus != NONE => return node.plus,
            "+" => None,
            level => match node.child(level) {
                Ok(child) => return child,
                Err(place) => Some(place),
            },
        };
        let next = self.nodes_free.pop().unwrap_or_else(|| {
            self.nodes.push(Node::new());
            number(self.nodes.len() - 1)
        });
        let node = &mut self.nodes[at as usize];
        match place {
            None => node.plus = next,
            Some(place) => {
                if node.children.is_empty() {
                    // Most levels have one that follows.
                    node.children.reserve_exact(1);
                }
                node.children.insert(place, (SmolStr::new(level), next));
            }
        }
        next
    }

    pub fn leaf(&self, leaf: u32) -> &L {
        &self.leaves[leaf as usize]
    }

    pub fn leaf_mut(&mut self, leaf: u32) -> &mut L {
        &mut self.leaves[leaf as usize]
    }

    /// Adds the leaves of all filters that match a topic, each once.
    pub fn matching(&self, topic: &Topic, found: &mut Vec<u32>) {
        found.extend(self.literal.get(topic.as_str()));
        let root = &self.nodes[ROOT as usize];
        if !topic.as_str().starts_with('$') {
            return self.descend(root, Some(topic.as_str()), found);
        }
        // No wildcard at the beginning matches these.
        let (level, rest) = first(topic.as_str());
        if let Ok(child) = root.child(level) {
            self.descend(&self.nodes[child as usize], rest, found);
        }
    }

    fn descend(&self, node: &Node, rest: Option<&str>, found: &mut Vec<u32>) {
        found.extend(some(node.rest));
        let Some(rest) = rest else {
            found.extend(some(node.here));
            return;
        };
        let (level, rest) = first(rest);
        if let Ok(child) = node.child(level) {
            self.descend(&self.nodes[child as usize], rest, found);
        }
        if let Some(plus) = some(node.plus) {
            self.descend(&self.nodes[plus as usize], rest, found);
        }
    }
}

/// The first level, and what follows it.
fn first(text: &str) -> (&str, Option<&str>) {
    text.split_once('/').map_or((text, None), |(level, rest)| (level, Some(rest)))
}

fn some(number: u32) -> Option<u32> {
    (number != NONE).then_some(number)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("there is no memory for so many filters")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::world::SimWorld;

    const LEVELS: [&str; 9] = ["a", "b", "c", "", "$x", "+", "+", "#", "light"];

    struct Chance(SimWorld);

    impl Chance {
        fn roll(&self, sides: usize) -> usize {
            (self.0.next() % sides as u64) as usize
        }

        fn text(&self) -> String {
            let levels = (0..=self.roll(4)).map(|_| LEVELS[self.roll(LEVELS.len())]);
            levels.collect::<Vec<_>>().join("/")
        }

        fn filter(&self) -> Filter {
            loop {
                if let Ok(filter) = Filter::parse(&self.text()) {
                    return filter;
                }
            }
        }

        fn topic(&self) -> Topic {
            loop {
                if let Ok(topic) = Topic::parse(&self.text()) {
                    return topic;
                }
            }
        }
    }

    #[test]
    fn the_tree_finds_exactly_the_filters_that_match() {
        let (mut matched, mut missed) = (0, 0);
        for seed in 0..25 {
            let chance = Chance(SimWorld::new(seed));
            let mut tree: Tree<u32> = Tree::new();
            let mut there: HashMap<Filter, u32> = HashMap::new();
            for step in 0..400 {
                let filter = chance.filter();
                match chance.roll(3) {
                    0 => {
                        tree.remove(&filter);
                        there.remove(&filter);
                    }
                    _ => {
                        let leaf = tree.leaf_of(&filter);
                        *tree.leaf_mut(leaf) = step;
                        there.insert(filter, step);
                    }
                }
                let topic = chance.topic();
                let mut found = Vec::new();
                tree.matching(&topic, &mut found);
                let mut found: Vec<u32> = found.into_iter().map(|leaf| *tree.leaf(leaf)).collect();
                let mut right: Vec<u32> = there
                    .iter()
                    .filter(|(filter, _)| filter.matches(&topic))
                    .map(|(_, step)| *step)
                    .collect();
                found.sort_unstable();
                right.sort_unstable();
                matched += right.len();
                missed += there.len() - right.len();
                assert_eq!(found, right, "SEED={seed} {topic}");
            }
            for (filter, step) in &there {
                assert_eq!(tree.find(filter).map(|leaf| *tree.leaf(leaf)), Some(*step), "SEED={seed}");
            }
            there.keys().for_each(|filter| tree.remove(filter));
            assert_eq!((tree.nodes.len() - tree.nodes_free.len(), tree.literal.len()), (1, 0), "SEED={seed}");
            assert_eq!(tree.leaves.len(), tree.leaves_free.len());
            assert!(tree.nodes[0].is_empty());
        }
        assert!(matched > 10_000 && missed > 100_000, "{matched} {missed}");
    }

    #[test]
    fn thousands_of_literal_topics_make_no_nodes() {
        let mut tree: Tree<()> = Tree::new();
        for number in 0..5_000 {
            tree.leaf_of(&Filter::parse(&format!("home/{number}/state")).unwrap());
        }
        assert_eq!((tree.nodes.len(), tree.leaves.len()), (1, 5_000));
        let mut found = Vec::new();
        tree.matching(&Topic::fixed("home/77/state"), &mut found);
        assert_eq!(found, [77]);
    }
}
