"""What happened, in order: the journal that the live pages and other systems read."""
