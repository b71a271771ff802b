"""Made-up trails with a truth table: the same for the same seed, of any size, with every kind of session in them."""
