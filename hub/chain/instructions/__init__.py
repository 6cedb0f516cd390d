"""Instructions of the five programs and of the token program, one module each; see ``idl_builder`` for how they are made."""
