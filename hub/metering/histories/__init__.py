"""What meters' registers were: the one place that knows how readings are stored, for whatever computes energy."""
