"""Instructions of the five programs and of the token program, one module each; ``idl_builder`` makes them."""
