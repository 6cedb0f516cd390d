"""How long the slow targets of the Makefile take."""
