"""Users: sign-in, sessions, roles, and who may read what."""
