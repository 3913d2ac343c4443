//! The actors of a whole Drystone node.
