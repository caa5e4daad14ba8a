"""The oracle for multi-head attention."""

import numpy as np


def attention(q, k, v):
    """q, k, v: [H, N, D]. As the definition says, weights and all; subtracting the maximum changes no exact result."""
    scores = q @ np.swapaxes(k, 1, 2) / np.sqrt(q.shape[2])
    weights = np.exp(scores - np.max(scores, axis=2, keepdims=True))
    return weights / np.sum(weights, axis=2, keepdims=True) @ v
