"""Takes attested intervals back before anything of them is on the chain, so that they are attested anew."""
