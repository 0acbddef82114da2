"""What a run is worth: metrics, intervals, slices, and the record of a run."""
