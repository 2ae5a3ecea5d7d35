//! Breakers, places and budgets as requests meet them, and replicas that share cool-downs.
