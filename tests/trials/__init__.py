"""A second opinion on proofs: a trust document tried with thousands of requests around what it says."""
