//! Property tests: hostile strings at each kind of place are read back as they were meant, or refused.
