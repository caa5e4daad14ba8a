"""What there is to do: units, targets, and the actions between them. Runs none of them."""
