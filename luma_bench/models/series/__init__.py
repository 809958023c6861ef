"""Time series: runs sorted by series and time, buckets of time, and the operators over them."""
