"""Traces: the folder of a run and the events in it. Knows neither what made them nor what they mean."""
