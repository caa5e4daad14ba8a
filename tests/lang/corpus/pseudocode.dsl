# indentation makes text
SNF_MODEL tiny refines SEED

Domain:
    B : batch
    h[L+1] ∈ ℝ[B, T, D]     # states

Parameters (Learnable):
    θ[L]   : weights

Operator Attention(x, θ) -> y:
    q, k = Linear(x).split()
    y = Softmax(q @ k^T / √D)

For l in [0 .. L-1]:
    apply Layer

procedure halve:
    while n > 1:
        n ← n ÷ 2

        emit n

procedure quarter {
  n ← n ÷ 4 { twice: "} not the end" }
}

template { <div class={{name}}>'quoted'</div> }

dynamics Halting {
    state h: Tensor[B, T, D]
    transition:
        h' = Update(h)
    stop:
        p = σ(h)
    properties: { convergence: "monotone" }
}

workflow {
    step ask:
        Ask about:
            - skills
            - constraints

    step close:
        emit report
}

protocol Verification {
    step 1_Sanity {
        action: "Print one batch"
        check: "questions are masked"
        failure_mode: "random slices"
    }
    step 2_Smoke { expected: "loss < 0.1"; if_fails: "Halt." }
}

limits {
    memory <= 12GB
    time <= 24h
}
checks {
    every item maps_to a gap
    every section has >= 1 citation
    no unsupported claims
}
context {
    goal
    constraints optional
    primary Coach persona=Patient
}
page Index {
    grid: flexbox(wrap: true, gap: "1rem")
    item: Card foreach $products {
        image: $product.image
        price: stars($product.rating)
    }
}
let emb = gather(table, ids, axis=0)
x[0] = emb + 1
Notes:
    "one"
    "two"
prompt:
    """
    a value below its key
    """
if cache exists:
    reuse it
