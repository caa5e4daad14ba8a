"""Programs run, gone on with, and learned from: `spak run`, `lift`, `improve`, `report`."""
