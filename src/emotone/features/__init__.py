"""From waveforms to features: configuration, front end, cache."""
