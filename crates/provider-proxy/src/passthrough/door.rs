//! One request through the pass-through, step by step.
