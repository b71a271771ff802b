"""An independent check of proofs: a trust policy is tested with thousands of requests close to its content."""
