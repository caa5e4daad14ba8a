"""What statements mean: checked reading of blocks, attributes and values. Knows no graph, and runs nothing."""
