"""Plans of time series: what a grouped construct costs by sorted runs and by SQL, and which of the two runs."""
