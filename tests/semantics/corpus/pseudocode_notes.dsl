# Kinds that nobody acts on, next to one that somebody does.
task Hello { step say: tool.run { cmd: "echo hello" } }

SNF_MODEL tiny refines SEED

Operator Attention(x, θ) -> y:
    q, k = Linear(x).split()
    y = Softmax(q @ k^T / √D)

procedure halve:
    while n > 1:
        n ← n ÷ 2

dynamics Halting {
    state h: Tensor[B, T, D]
    stop:
        p = σ(h)
}
page Index {
    grid: flexbox(wrap: true, gap: "1rem")
}
